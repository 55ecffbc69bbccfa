"""Compiled projects: a patch to their sources decides tests, built again without any network."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from dockers import opened_docker
from projects import LOCK, archive_of, make_project, patch_of

from forge.eval_script import render
from forge.grading import read_report
from forge.recipes import Recipe
from forge.recipes.drafts import Wanted
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project
from forge.services.docker import EXACTLY, Bounds, Docker, EvalOutput, Image
from forge.settings import Settings

SOURCE = """
#include <Python.h>

static PyObject *add(PyObject *self, PyObject *args) {
    long a, b;
    if (!PyArg_ParseTuple(args, "ll", &a, &b)) return NULL;
    return PyLong_FromLong(a - b);
}

static PyMethodDef methods[] = {{"add", add, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", NULL, -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
"""
FILES = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "sums"
version = "1.0"
[project.scripts]
sums = "sums:main"
[dependency-groups]
test = ["pytest"]
[tool.setuptools.package-dir]
"" = "src"
""",
    "setup.py": "from setuptools import Extension, setup\n"
    'setup(ext_modules=[Extension("sums._fast", ["src/sums/_fast.c"])])\n',
    "src/sums/__init__.py": "from sums._fast import add\n\n\ndef main(): ...\n",
    "src/sums/_fast.c": SOURCE,
    "tests/test_sums.py": "",
}
FIXED = {"src/sums/_fast.c": SOURCE.replace("a - b", "a + b")}
NAMED = {
    "pyproject.toml": FILES["pyproject.toml"].replace("sums = ", 'more-sums = "sums:main"\nsums = ')
}
TESTS = "tests/test_sums.py"
HIDDEN = """
from importlib.metadata import entry_points

from sums import add


def test_zero():
    assert add(0, 0) == 0


def test_add():
    assert add(1, 1) == 2


def test_command():
    assert [e.name for e in entry_points(group="console_scripts") if e.name == "more-sums"]
"""


class World:
    """The project's image, and its hidden tests."""

    def __init__(self, docker: Docker, folder: Path, runner: asyncio.Runner) -> None:
        self.docker, self.runner = docker, runner
        self.project = make_project(folder, FILES)
        self.recipe = drafted(self.project.base_commit)
        image = runner.run(docker.image(self.recipe))
        assert isinstance(image, Image), image
        self.image = image

    def results(self, patch: dict[str, str]) -> dict[str, str]:
        script = render(
            self.recipe,
            test_archive=archive_of({TESTS: HIDDEN}),
            removed_test_paths=[],
            targets=[TESTS],
            seconds=120,
        )
        text = patch_of(self.project, patch) if patch else ""
        ended = self.runner.run(
            self.docker.run_tests(
                self.image.tag, patch=text, apply=EXACTLY, eval_script=script, bounds=Bounds(240)
            )
        )
        assert isinstance(ended, EvalOutput), ended
        found = read_report(ended.report.decode())
        return {name.rpartition("::")[2]: result for name, result in found.items()}


def drafted(base_commit: str) -> Recipe:
    wanted = Wanted("ada/sums", base_commit, datetime(2026, 3, 5), (TESTS,), ("3.11",))
    drafts = draft_pip(Project(FILES), wanted)
    assert isinstance(drafts, list), drafts
    assert "setuptools\n" in (drafts[0].requirements or "")
    lock = f"{LOCK}setuptools==80.9.0\nwheel==0.45.1\n"
    # Less than a whole toolchain, for the test's sake.
    changes = {"lock": lock, "system_packages": ("gcc", "libc6-dev")}
    return drafts[0].recipe.model_copy(update=changes)


@pytest.fixture(scope="module")
def world(docker_engine, tmp_path_factory) -> Iterator[World]:  # noqa: ARG001 - skips without it
    folder = tmp_path_factory.mktemp("rebuild")
    settings = Settings(root=folder / "root", git_url=f"{folder}/origin/{{owner}}/{{repo}}")
    with asyncio.Runner() as runner, opened_docker(settings, runner) as docker:
        yield World(docker, folder / "origin", runner)


def test_patch_to_a_source_in_c_turns_its_test_green_without_network(world):
    before = {"test_zero": "PASS", "test_add": "FAIL", "test_command": "FAIL"}
    assert world.results({}) == before
    assert world.results(FIXED) == {**before, "test_add": "PASS"}


def test_patch_that_declares_a_command_makes_it_known_to_tests(world):
    assert world.results(NAMED)["test_command"] == "PASS"
