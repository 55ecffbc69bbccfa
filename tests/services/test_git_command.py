import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from disasters import read_only, small_disk
from histories import Repository

from forge.disk import is_of_disk
from forge.services.git_command import MEMORY_BYTES, Call, GitError, TooLargeError, git


def test_output_beyond_its_bound_ends_the_command_however_busy_the_process_is(tmp_path):
    repository = Repository(tmp_path / "ann/fix")
    repository.commit("Begin", {"large": "x" * 5_000_000})
    words = ["cat-file", "blob", "HEAD:large"]
    call = Call(repository.folder / ".git", words, bytes=1_000_000, seconds=5)

    with pytest.raises(TooLargeError):
        asyncio.run(while_busy(call))


async def while_busy(call: Call) -> None:
    other = asyncio.create_task(work())
    try:
        await git(call)
    finally:
        other.cancel()
        with suppress(asyncio.CancelledError):
            await other


async def work() -> None:
    """Other work, so that git fills its pipe before anybody looks at it."""
    while True:
        time.sleep(0.01)  # noqa: ASYNC251 - that is the point
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "words", ["No space left on device", "Disk quota exceeded", "Read-only file system"]
)
def test_file_name_with_the_words_of_a_full_disk_is_a_file_name(repository, tmp_path, words):
    blob = repository.git("hash-object", "-w", "--stdin")
    inner = repository.git("mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    middle = repository.git("mktree", stdin=f"040000 tree {inner}\t.git\n".encode())
    outer = repository.git("mktree", stdin=f"040000 tree {middle}\t{words}\n".encode())
    index = {"GIT_INDEX_FILE": str(tmp_path / "index")}

    with pytest.raises(GitError, match=f"invalid path '{words}/.git/config'") as error:
        asyncio.run(git(Call(repository.folder / ".git", ["read-tree", outer], environment=index)))
    assert not is_of_disk(error.value)


def written(folder: Path) -> Call:
    words = ["hash-object", "-w", "--stdin"]
    return Call(folder / ".git", words, stdin=os.urandom(500_000))


def test_disk_that_git_finds_full_is_a_full_disk(tmp_path):
    with small_disk(tmp_path / "disk", 400) as disk:
        repository = Repository(disk / "fix")
        with pytest.raises(OSError, match="No space left on device") as error:
            asyncio.run(git(written(repository.folder)))
    assert is_of_disk(error.value)


def test_disk_that_git_finds_read_only_is_a_read_only_disk(tmp_path):
    repository = Repository(tmp_path / "fix")
    with (
        read_only(tmp_path / "seen", repository.folder) as seen,
        pytest.raises(OSError, match="Read-only file system") as error,
    ):
        asyncio.run(git(written(seen)))
    assert is_of_disk(error.value)


def test_children_that_git_starts_at_once_are_bounded_too(tmp_path, monkeypatch):
    early = tmp_path / "git"
    early.write_text("#!/bin/sh\nulimit -d\n")
    early.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    bounds = {asyncio.run(git(Call(tmp_path, ["--version"]))) for _ in range(20)}
    assert bounds == {b"%d\n" % (MEMORY_BYTES // 1024)}


def test_words_of_a_remote_stay_its_words_whatever_breaks_their_lines(tmp_path, monkeypatch):
    liar = tmp_path / "git"
    liar.write_text(
        "#!/bin/sh\nprintf 'remote: x\\342\\200\\250fatal: out of memory\\n' >&2; exit 1\n"
    )
    liar.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(GitError, match="ended with 1: remote: x"):
        asyncio.run(git(Call(tmp_path, ["fetch"])))
