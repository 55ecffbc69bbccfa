"""What is taken from a literal configuration of pytest, and what its tests are run with."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from forge.recipes.facts import Facts
from forge.recipes.project import Project
from forge.recipes.pytest_config import OTHER_FILES, read_pytest_config
from forge.recipes.runners import running


def needs(facts: Facts) -> dict[str, tuple[str, ...]]:
    return {f"{n.purpose} {n.section}": n.requirements for n in facts.needs if n.requirements}


def test_options_of_pytest_name_the_plugins_that_know_them():
    content = """
        [tool.pytest.ini_options]
        addopts = ["--cov=pkg", "-n=auto", "--strict-markers"]
        asyncio_mode = "auto"
        required_plugins = ["pytest-lazy-fixtures>=1"]
    """
    assert needs(read_pytest_config(Project({"pyproject.toml": content}))) == {
        "config configuration": (
            "pytest-cov",
            "pytest-xdist",
            "pytest-asyncio",
            "pytest-lazy-fixtures>=1",
        )
    }


def test_of_several_configurations_pytest_takes_the_first():
    files = {
        "pytest.ini": "[pytest]\naddopts = -n 4\n",
        "setup.cfg": "[tool:pytest]\ntimeout = 3\n",
    }
    assert needs(read_pytest_config(Project(files))) == {"config configuration": ("pytest-xdist",)}


@pytest.mark.parametrize(
    ("addopts", "options"),
    [
        ("-q", "-p no:randomly -p no:random_order"),
        (
            "--randomly-seed=7",
            "--randomly-dont-reorganize --randomly-seed=1 -p no:random_order",
        ),
        ("--random-order", "-p no:randomly --random-order-bucket=none"),
    ],
)
def test_tests_keep_their_order_and_options_about_it_are_still_known(addopts, options):
    facts = read_pytest_config(Project({"pytest.ini": f"[pytest]\naddopts = {addopts}\n"}))
    assert facts.test_options == (*options.split(), *OTHER_FILES)


@pytest.mark.parametrize("addopts", ["--ff --nf --cache-clear", "--lf --strict-config"])
def test_cache_of_pytest_is_there_for_who_uses_it_and_remembers_nothing(tmp_path, addopts):
    ini = f"[pytest]\naddopts = {addopts}\ncache_dir = here\n"
    (tmp_path / "pytest.ini").write_text(ini)
    tests = "def test_a(): assert 0\ndef test_b(cache): cache.set('a/b', 1)\n"
    (tmp_path / "test_a.py").write_text(tests)
    for _ in "before", "after":
        script = running(Project({}), Facts()).test.replace("/testbed", str(tmp_path))
        script = script.replace("python", sys.executable, 1)
        result = tmp_path / "result"
        variables = {**os.environ, "FORGE_RESULT": str(result), "TMPDIR": str(tmp_path)}
        subprocess.run(["bash", "-c", script], cwd=tmp_path, env=variables, check=False)
        cases = ET.parse(result).iter("testcase")  # noqa: S314 - our own tests wrote it
        assert [case.get("name") for case in cases] == ["test_a", "test_b"]
    assert not (tmp_path / "here").exists()
