"""Copies of commits, as a rebase makes them: told by who wrote them and when, proved by patch."""

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

from forge.services.git_history import Commit, History

RUN_COMMITS = 50


class Run(NamedTuple):
    """Consecutive first-parent commits and the head's commits that they are copies of."""

    copies: list[Commit]
    own: list[Commit]


async def runs(history: History, ends: Sequence[Commit], own: list[Commit]) -> list[Run]:
    """Runs that end with one of these commits and have the patches of the head's own."""
    if not 0 < len(own) <= RUN_COMMITS:
        return []
    found = [Run(await _before(history, end, len(own)), own) for end in ends]
    alike = [run for run in found if _all_alike(run)]
    return [run for run in alike if await _is_copied(history, run)]


def is_alike(copy: Commit, own: Commit) -> bool:
    """Whether a commit may be a copy of another."""
    return copy.written == own.written or copy.subject == own.subject


def is_of(copy: Commit, own: Commit) -> bool:
    """Whether a commit may be the rebase or the squash of this very commit, and not of a twin."""
    # Machines propose one change again: a copy keeps when it was written, a squash is new.
    written_at = f"{copy.committed_at.replace(tzinfo=UTC).timestamp():.0f}"
    is_new = copy.authored_at == written_at
    is_like = copy.written == own.written or (copy.subject == own.subject and is_new)
    return is_like and copy.committed_at >= own.committed_at


def _all_alike(run: Run) -> bool:
    is_whole = len(run.copies) == len(run.own) and all(copy.parents for copy in run.copies)
    return is_whole and all(map(is_alike, *run))


async def _before(history: History, end: Commit, commits: int) -> list[Commit]:
    run = [end]
    while len(run) < commits and len(run[0].parents) == 1:
        before = await history.commit(run[0].parents[0])
        if before is None:
            break
        run.insert(0, before)
    return run


async def _is_copied(history: History, run: Run) -> bool:
    if run.copies == run.own:
        return True
    mirror = history.mirror
    await mirror.hold_commits(s for c in [*run.copies, *run.own] for s in (c.sha, *c.parents))
    ids = [[await _patch_id(history, c) for c in commits] for commits in run]
    return ids[0] == ids[1] and all(ids[0])


async def _patch_id(history: History, commit: Commit) -> str:
    mirror = history.mirror
    names = "--end-of-options", commit.parents[0], commit.sha
    diff = await mirror.read_objects("diff-tree", "-p", "--binary", "--full-index", *names)
    return (await mirror.read_objects("patch-id", "--stable", stdin=diff)).decode()[:40]
