"""The change that a row gives, made on its base: a tree that is held as commits are."""

import tempfile
from datetime import datetime

from forge.diffs import sections
from forge.effect import Failure
from forge.services.git_command import Call, Failed, GitError, git
from forge.services.git_history import time_of
from forge.services.git_mirrors import Mirror
from forge.services.git_trees import missing_files

APPLY = ("apply", "--cached", "--whitespace=nowarn", "-")


async def make(mirror: Mirror, base: str, change: str) -> str:
    """The tree of the base with the change; raises `Failed` where git does not apply it."""
    await mirror.hold_commits([base])
    await _refuse_missing(mirror, base, change)
    async with mirror.lock() as lock:
        with tempfile.TemporaryDirectory() as scratch:
            tree = await _applied(mirror, base, change, {"GIT_INDEX_FILE": f"{scratch}/index"})
        await git(Call(mirror.objects, ["update-ref", f"refs/commits/{tree}", tree], lock=lock))
    return tree


async def committed_at(mirror: Mirror, commit: str) -> datetime:
    """When a commit was made, UTC."""
    await mirror.hold_commits([commit])
    words = await mirror.read_objects("show", "--no-patch", "--format=%ct", commit)
    return time_of(words.decode().strip())


async def _applied(mirror: Mirror, base: str, change: str, index: dict[str, str]) -> str:
    await mirror.read_objects("read-tree", base, environment=index)
    try:
        await mirror.read_objects(*APPLY, stdin=change.encode(), environment=index)
    except GitError as error:
        raise Failed(Failure("data", "change_does_not_apply", str(error))) from None
    written = await mirror.read_objects("write-tree", "--missing-ok", environment=index)
    return written.decode().strip()


async def _refuse_missing(mirror: Mirror, base: str, change: str) -> None:
    try:
        touched = {section.path for section in sections(change)}
    except ValueError as error:
        raise Failed(Failure("data", "change_is_no_diff", str(error))) from None
    missing = sorted(touched & set(await missing_files(mirror, base)))
    if missing:
        raise Failed(Failure("data", "objects_missing", ", ".join(missing)))
