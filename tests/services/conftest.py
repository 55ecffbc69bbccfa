"""A small repository, and what git mode finds in it."""

import asyncio
from pathlib import Path

import pytest
from histories import Repository

from forge.services.git import Git, Merge, Sought


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"a.py": "one = 1\n"})
    return made


@pytest.fixture
def found(repository: Repository, tmp_path: Path):
    def find(**sought: object) -> Merge:
        git = Git(repository.template, tmp_path / "mirrors")
        return asyncio.run(git.find_merge("ann/fix", Sought(**sought)))

    return find
