"""A root with the toy month, and `forge` as a user runs it."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import toy_month

import forge.stages
from forge.artifacts import Artifacts
from forge.build import Options, build, stages
from forge.cli import exit_code
from forge.selection import Selection
from forge.settings import Settings

NOW = datetime(2026, 4, 1)


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
    return tmp_path


@pytest.fixture
def month(home) -> Path:
    """The same, with the toy month built."""
    build_month(home)
    Artifacts(home / "data/memo/artifacts").put(toy_month.LOG)
    return home


def build_month(home: Path, selection: Selection | None = None, **options: object) -> None:
    """Build the toy month in `data`."""
    chosen, settings = selection or Selection("2026-03"), Settings(root=home / "data")
    made = build(stages(), chosen, settings, Options(**options), now=NOW, progress=lambda *_: None)
    assert list(made)


@pytest.fixture
def forge_says(monkeypatch, capsys) -> Callable[..., Ended]:
    """Run a command line."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["forge", *arguments])
        code = exit_code() or 0
        return Ended(code, *capsys.readouterr())

    return run
