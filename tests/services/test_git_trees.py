import asyncio
import subprocess
import tarfile
from pathlib import Path

import pytest
from histories import Repository

from forge.services import git_trees
from forge.services.git import Failed, Git


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.write({"setup.py": "setup()\n", "src/é.py": "one\n", "big.txt": "x" * 2_000_000})
    (made.folder / "link").symlink_to("setup.py")
    made.commit("Begin")
    made.commit("A secret of the past", {"key.txt": "hunter2\n"})
    made.commit("Now", {"key.txt": None})
    return made


@pytest.fixture
def git(repository: Repository, tmp_path: Path) -> Git:
    return Git(repository.template, tmp_path / "mirrors")


def test_a_commits_files_are_listed_and_read_by_pattern_or_name(git, repository):
    listed = asyncio.run(git.list_files("ann/fix", repository.head))
    by_pattern = asyncio.run(git.read_files("ann/fix", repository.head, r"\.py$|^link$"))
    by_name = asyncio.run(git.read_files("ann/fix", repository.head, ["setup.py", "setup.cfg"]))

    assert listed == ["big.txt", "link", "setup.py", "src/é.py"]
    assert by_pattern == {"link": b"setup.py", "setup.py": b"setup()\n", "src/é.py": b"one\n"}
    assert by_name == {"setup.py": b"setup()\n"}


def test_a_large_file_is_not_read(git, repository):
    assert asyncio.run(git.read_files("ann/fix", repository.head, "big")) == {}


def test_too_many_files_are_a_reason(git, repository, monkeypatch):
    monkeypatch.setattr(git_trees, "FILES", 2)

    with pytest.raises(Failed, match="files_too_large"):
        asyncio.run(git.read_files("ann/fix", repository.head, ""))


def test_a_commit_that_the_server_has_not_is_a_reason(git):
    with pytest.raises(Failed, match="commit_vanished"):
        asyncio.run(git.list_files("ann/fix", "1" * 40))


def test_an_archived_commit_checks_out_and_holds_no_other_object(git, repository, tmp_path):
    tar = asyncio.run(git.commit_archive("ann/fix", repository.head))
    folder = tmp_path / "testbed"
    with tarfile.open(tar) as archive:
        archive.extractall(folder, filter="data")

    def inside(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    inside("checkout", "--force", "--quiet", "HEAD", "--", ".")
    assert (folder / "src/é.py").read_text() == "one\n"
    assert inside("status", "--porcelain") == ""
    assert inside("rev-list", "--all", "HEAD") == repository.head
    assert inside("for-each-ref") == inside("remote") == inside("reflog") == ""
    inside("fsck", "--strict")
    kinds = inside("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
    assert sorted(kinds) == ["blob"] * 4 + ["commit"] + ["tree"] * 2
    assert not list(folder.rglob("packed-refs"))


def test_an_archived_commit_is_the_same_from_any_mirror(git, repository, tmp_path):
    other = Git(repository.template, tmp_path / "other")
    asyncio.run(other.list_files("ann/fix", repository.sha("HEAD~1")))

    first = asyncio.run(git.commit_archive("ann/fix", repository.head))
    second = asyncio.run(other.commit_archive("ann/fix", repository.head))

    assert first.read_bytes() == second.read_bytes()
