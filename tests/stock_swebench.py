"""The stock `swebench` package, in a virtual environment of its own, judging exported files."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

RELEASE = "swebench==5.0.2"
HOME = Path(__file__).resolve().parent.parent / ".venv-swebench"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def installed() -> Path:
    """The folder of the package's commands; made once per machine, by one worker."""
    stamp = HOME / RELEASE
    HOME.mkdir(exist_ok=True)
    with (HOME / "installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            _install()
            stamp.touch()
    return HOME / "bin"


def _install() -> None:
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--allow-existing", str(HOME)], check=True)
    packages = [*uv, "pip", "install", "-q", "--python", str(HOME / "bin/python"), RELEASE]
    if subprocess.run(packages, check=False).returncode:
        pytest.skip(f"{RELEASE} cannot be had from the package index")


def resolved(
    commands: Path, exported: Path, predictions: Mapping[str, str] | None = None
) -> dict[str, bool]:
    """Whether `swebench` calls each row resolved: with the gold patches, or with these by id."""
    run = uuid4().hex  # names the containers, on an engine that others use too
    chosen = ["--gold"] if predictions is None else ["-p", str(_written(exported, predictions))]
    done = subprocess.run(
        [
            str(commands / "swebench"),
            "eval",
            str(exported),
            *chosen,
            "--run-id",
            run,
            "-j",
            "8",
            "-t",
            "300",
        ],
        cwd=exported.parent,
        env=environment(exported.parent),
        check=False,  # its summary stumbles over containers that somebody else removes meanwhile
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    logs = exported.parent / "logs/run_evaluation" / run
    reports = [json.loads(path.read_text("utf-8")) for path in logs.glob("*/*/report.json")]
    found = {name: row["resolved"] for report in reports for name, row in report.items()}
    assert len(found) == len(list(logs.glob("*/*/"))) > 0, _told(done.stdout, logs)
    return found


def environment(folder: Path) -> dict[str, str]:
    """Variables under which the package asks nobody, and keeps what it makes in a folder."""
    return os.environ | OFFLINE | {"HF_HOME": str(folder / "huggingface")}


def _told(output: str, logs: Path) -> str:
    without_report = [row for row in logs.glob("*/*/") if not (row / "report.json").exists()]
    texts = [(row / "run_instance.log").read_text("utf-8") for row in without_report]
    return "\n".join(text[-2000:] for text in [output, *texts])


def _written(exported: Path, predictions: Mapping[str, str]) -> Path:
    path = exported.with_suffix(".predictions.jsonl")
    rows = [
        {"instance_id": name, "model_name_or_path": "forge", "model_patch": patch}
        for name, patch in predictions.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
