"""A root with the toy month, and `forge` as a user runs it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import toy_month

import forge.stages
from forge.cli import exit_code


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _toy_stages(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("stages")
    (folder / "toy_stages.py").write_text("from toy_month import *\n")
    monkeypatch.setattr(forge.stages, "__path__", [str(folder)])
    monkeypatch.delitem(sys.modules, "forge.stages.toy_stages", raising=False)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty folder to run commands in; its tables would lie in `data`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    return tmp_path


@pytest.fixture
def month(home) -> Path:
    """The same, with the toy month built."""
    toy_month.build_month(home)
    return home


@pytest.fixture
def forge_says(home, monkeypatch, capsys) -> Callable[..., Ended]:
    """Run a command line in the home folder."""

    def run(*arguments: str) -> Ended:
        monkeypatch.chdir(home)
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["forge", *arguments])
        code = exit_code() or 0
        return Ended(code, *capsys.readouterr())

    return run
