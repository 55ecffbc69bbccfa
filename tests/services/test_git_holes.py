"""Repositories of which a server lacks files: real ones, with objects taken away."""

import asyncio
import subprocess
import tarfile
from pathlib import Path

import pytest
from histories import Repository

from forge.services.git import Failed, Git, Pair


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"fix.py": "one\n", "data/big.csv": "1,2\n", "setup.cfg": "[options]\n"})
    return made


@pytest.fixture
def git(repository: Repository, tmp_path: Path) -> Git:
    return Git(repository.template, tmp_path / "mirrors")


def lose(repository: Repository, path: str, commit: str = "HEAD") -> None:
    sha = repository.sha(f"{commit}:{path}")
    (repository.folder / ".git/objects" / sha[:2] / sha[2:]).unlink()


def reason(question: object) -> str:
    with pytest.raises(Failed) as failed:
        asyncio.run(question)
    return f"{failed.value.failure.kind}: {failed.value.failure.reason}"


def test_a_commit_is_held_without_the_files_that_its_server_lacks(git, repository):
    for path in ("data/big.csv", "setup.cfg"):
        lose(repository, path)
    base = repository.head

    assert asyncio.run(git.missing_files("ann/fix", base)) == ["data/big.csv", "setup.cfg"]
    assert asyncio.run(git.list_files("ann/fix", base)) == ["fix.py"]
    assert asyncio.run(git.read_files("ann/fix", base, "py$")) == {"fix.py": b"one\n"}


def test_a_later_commit_lacks_the_same_file_and_one_without_it_is_whole(git, repository):
    earlier = repository.head
    later = repository.commit("Two", {"fix.py": "two\n"})
    (repository.folder / "data/big.csv").unlink()
    whole = repository.commit("Without")
    lose(repository, "data/big.csv", earlier)

    found = [asyncio.run(git.missing_files("ann/fix", c)) for c in (earlier, later, whole)]
    assert found == [["data/big.csv"], ["data/big.csv"], []]


def test_a_change_beside_a_missing_file_is_cut_and_lists_it(git, repository):
    base = repository.head
    merge = repository.commit("Two", {"fix.py": "two\n", "tests/test_fix.py": "two\n"})
    lose(repository, "data/big.csv")

    cut = asyncio.run(git.cut("ann/fix", Pair(base, merge), "^tests/"))

    assert cut.missing_files == ["data/big.csv"]
    assert cut.gold_patch.startswith("diff --git a/fix.py b/fix.py\n")


def test_a_missing_file_of_the_change_or_the_manifests_is_the_reason(git, repository):
    base = repository.head
    merge = repository.commit("More", {"data/big.csv": "1,2\n3,4\n"})
    lose(repository, "data/big.csv", base)

    pair = Pair(base, merge)
    assert reason(git.cut("ann/fix", pair, "^tests/")) == "data: objects_missing"
    assert reason(git.read_files("ann/fix", base, "csv$")) == "data: objects_missing"


def test_a_missing_file_is_neither_in_the_archive_nor_checked_out(git, repository, tmp_path):
    lose(repository, "data/big.csv")
    archive = asyncio.run(git.commit_archive("ann/fix", repository.head))
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "out", filter="data")

    held = ("git", "-C", str(tmp_path / "out"), "rev-list", "--objects", "--missing=print", "HEAD")
    listed = subprocess.run(held, capture_output=True, check=True, text=True).stdout
    assert f"?{repository.sha('HEAD:data/big.csv')}" in listed.splitlines()
