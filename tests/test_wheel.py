"""The wheel, installed into an empty environment elsewhere, where no checkout is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = [sys.executable, "-m", "uv"]
    steps = [
        [*uv, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(HERE)],
        [*uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
    ]
    for step in steps:
        subprocess.run(step, check=True)
    (wheel,) = folder.glob("*.whl")
    python = ["--python", str(folder / "venv/bin/python")]
    subprocess.run([*uv, "pip", "install", "--quiet", *python, str(wheel)], check=True)
    return folder / "venv/bin"


def run(installed: Path, folder: Path, *arguments: str, **settings: str) -> str:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(installed / "forge"), *arguments],
        cwd=folder,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_demo_of_a_wheel_goes_as_far_as_it_can_without_an_engine(installed, tmp_path):
    nowhere = "unix:///no/such/engine"
    printed = run(installed, tmp_path, "demo", DOCKER_HOST=nowhere)
    assert "Nothing was verified, because no environment was built." in printed
    assert f"no Docker engine answers at {nowhere}" in printed
    question = "select count(*) as statements from statements"
    asked = ["sql", question, "--root", "data/demo", "--format", "csv"]
    assert run(installed, tmp_path, *asked) == "statements\n26\n"
