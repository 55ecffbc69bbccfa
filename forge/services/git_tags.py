"""Tags: those nearest to a commit, among the ones that it and commits before it bear."""

import re
from pathlib import Path
from typing import NamedTuple

from forge.services.git_command import git
from forge.services.git_mirrors import FETCH, PARTIAL, Mirror

MOST_TAGS = 5
MATCHES = ("v[0-9]*", "[0-9]*", "*[-_/=@][0-9]*", "*[-_/=@]v[0-9]*")
DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<commits>\d+)-g[0-9a-f]+")


class Tag(NamedTuple):
    """A tag's name, and how many commits came after it."""

    name: str
    commits: int


async def nearest(mirror: Mirror, commit: str) -> list[Tag]:
    """Tags that could be versions, the nearest first; none that only later commits bear."""
    await _hold_tags(mirror)
    found: list[Tag] = []
    known = await mirror.read("cat-file", "--batch-check", stdin=f"{commit}\n".encode())
    if b" commit " in known:
        while len(found) < MOST_TAGS and (tag := await _next(mirror, commit, found)):
            found.append(tag)
    return found


async def _next(mirror: Mirror, commit: str, known: list[Tag]) -> Tag | None:
    wanted = [f"--match={match}" for match in MATCHES]
    excluded = [f"--exclude={tag.name}" for tag in known]
    describe = ("describe", "--tags", "--long", "--always", *wanted, *excluded)
    told = await mirror.read(*describe, commit)
    match = DESCRIBED.fullmatch(told.decode(errors="replace").strip())
    return Tag(match["tag"], int(match["commits"])) if match else None


async def _hold_tags(mirror: Mirror) -> None:
    """Fetch the tags, unless that was done since the branches were."""
    mark = mirror.folder / "tagged"
    if _changed_at(mark) < _changed_at(mirror.folder / "fetched"):
        async with mirror.lock() as lock:
            fetch = (*FETCH, "--filter=tree:0", "--prune", "origin", "+refs/tags/*:refs/tags/*")
            await git(mirror.call(mirror.history, *fetch, lock=lock, config=PARTIAL))
            mark.touch()


def _changed_at(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0
