"""Commits and what can be asked of them, without trees."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from forge.services.git_command import GitError
from forge.services.git_mirrors import Mirror

FORMAT = "%H%x00%P%x00%ct%x00%cE%x00%an%x00%ae%x00%at%x00%s"


class Commit(NamedTuple):
    """One commit; who wrote it and when is kept by a rebase, who committed it is not."""

    sha: str
    parents: tuple[str, ...]
    committed_at: datetime
    committer: str
    author: str
    email: str
    authored_at: str
    subject: str

    @property
    def written(self) -> tuple[str, str, str]:
        """What a rebase keeps."""
        return self.author, self.email, self.authored_at


class History:
    """A mirror's history; long answers are kept until the next fetch."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self._later: dict[str, list[str]] | None = None
        self._chains: dict[str, frozenset[str]] = {}

    async def commit(self, sha: str) -> Commit | None:
        """A commit, if it is held."""
        found = await self.mirror.read("cat-file", "--batch-check", stdin=f"{sha}\n".encode())
        if b" commit " not in found:
            return None
        return (await self._log("--no-walk", sha))[0]

    async def message(self, sha: str) -> str:
        """A commit's whole message."""
        text = await self.mirror.read(
            "log", "-1", "--no-mailmap", "--format=%B", "--end-of-options", sha
        )
        return text.decode(errors="replace").strip("\n")

    async def between(self, start: datetime, end: datetime | None) -> list[Commit]:
        """Commits of all branches that were committed between two times."""
        # Git stops at the first older commit but for a few more: dates of a history are not sorted.
        since = f"--since={_stamp(start)}"
        until = [f"--until={_stamp(end)}"] if end else []
        return await self._log("--branches", since, *until)

    async def naming(self, number: int) -> list[Commit]:
        """Commits of all branches whose message mentions the number."""
        return await self._log("--branches", "--fixed-strings", f"--grep=#{number}")

    async def merging(self, head: str) -> list[Commit]:
        """Commits that have this one as a later parent."""
        if self._later is None:
            self._later = await self._later_parents()
        found = self._later.get(head)
        return await self._log("--no-walk=unsorted", *found) if found else []

    async def chain(self, branch: str) -> frozenset[str]:
        """The first-parent commits of a branch; none where the branch is not there."""
        if branch not in self._chains:
            self._chains[branch] = frozenset(await self._chain(branch))
        return self._chains[branch]

    async def own(self, head: str, without: Iterable[str]) -> list[Commit]:
        """Commits that lead to the head and are in none of the others, oldest first."""
        return await self._log("--reverse", "--topo-order", head, "--not", *without)

    async def count(self, head: str, without: str) -> int:
        """How many commits lead to the head and not to the other."""
        return int(await self.mirror.read("rev-list", "--count", head, "--not", without))

    async def is_ancestor(self, sha: str, head: str) -> bool:
        """Whether one commit is in another's history."""
        return not await self.mirror.read("rev-list", "-1", sha, "--not", head)

    async def is_related(self, sha: str, other: str) -> bool:
        """Whether two commits have a common past."""
        try:
            return bool(await self.mirror.read("merge-base", sha, other))
        except GitError:
            return False

    async def default_branch(self) -> str | None:
        """The remote's default branch, if it has one."""
        try:
            name = await self.mirror.read("symbolic-ref", "--short", "HEAD")
            await self.mirror.read("rev-parse", "--verify", "--quiet", "HEAD")
        except GitError:
            return None
        return name.decode(errors="replace").strip()

    async def roots(self) -> list[str]:
        """The default branch's commits without parents, sorted."""
        if await self.default_branch() is None:
            return []
        return sorted(
            (await self.mirror.read("rev-list", "--max-parents=0", "HEAD")).decode().split()
        )

    async def first_parents(self, start: datetime, end: datetime) -> list[Commit]:
        """The default branch's own commits between two times, oldest first."""
        if await self.default_branch() is None:
            return []
        window = f"--since={_stamp(start)}", f"--until={_stamp(end)}"
        return await self._log("--first-parent", "--reverse", *window, "HEAD")

    async def _later_parents(self) -> dict[str, list[str]]:
        """Children by later parent; whole when it is returned, because others ask meanwhile."""
        children = defaultdict(list)
        lines = await self.mirror.read("rev-list", "--branches", "--min-parents=2", "--parents")
        for line in lines.decode().splitlines():
            child, _, *later = line.split(" ")
            for parent in later:
                children[parent].append(child)
        return children

    async def _chain(self, branch: str) -> list[str]:
        found = await self.mirror.read(
            "for-each-ref", "--format=%(refname)", f"refs/heads/{branch}"
        )
        if f"refs/heads/{branch}" not in found.decode(errors="replace").split("\n"):
            return []
        lines = await self.mirror.read("rev-list", "--first-parent", f"refs/heads/{branch}")
        return lines.decode().split()

    async def _log(self, *arguments: str) -> list[Commit]:
        lines = await self.mirror.read("log", "--no-mailmap", f"--format={FORMAT}", *arguments)
        return [_commit(line) for line in lines.decode(errors="replace").split("\n") if line]


def _commit(line: str) -> Commit:
    sha, parents, seconds, *rest = line.split("\x00", 7)
    return Commit(sha, tuple(parents.split()), time_of(seconds), *rest)


def time_of(seconds: str) -> datetime:
    """A time as git writes it, UTC."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1)  # what no calendar has is 1970 to git, too


def _stamp(time: datetime) -> str:
    return f"@{int(time.replace(tzinfo=UTC).timestamp())}"
