"""Git: repositories by name, their histories, merges, files and patches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import NamedTuple, Self

from forge.address import Address, read
from forge.artifacts import Artifacts
from forge.rules.licences import FILE, licence_of
from forge.services import git_patches, git_pull_requests, git_rows, git_tags, git_trees
from forge.services.git_addresses import address_of
from forge.services.git_command import Failed, TooLargeError
from forge.services.git_history import Commit, History
from forge.services.git_merges import Merge, Search, Sought, number_in
from forge.services.git_mirrors import Mirror
from forge.services.git_patches import Pair, Patches
from forge.services.git_pull_requests import ChangedFile, PullRequest
from forge.services.git_tags import Tag
from forge.settings import Settings

__all__ = [
    "ChangedFile",
    "Commit",
    "Failed",
    "Git",
    "Merge",
    "Pair",
    "Patches",
    "PullRequest",
    "Sought",
    "Tag",
    "number_in",
]

HELD_HISTORIES = 8
HOUR = 3600.0
LICENCE_BYTES = 1_000_000


class Description(NamedTuple):
    """What git knows of a whole repository."""

    default_branch: str | None
    roots: list[str]
    licence: str | None


class Walked(NamedTuple):
    """A default branch, and its own commits with their messages, oldest first."""

    branch: str | None
    commits: list[tuple[Commit, str]]


@dataclass
class Git:
    """Mirrors of repositories, each fetched when somebody first asks."""

    template: Address | str
    folder: Path
    started: float = field(default_factory=time)
    mirrors: dict[str, Mirror] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The addresses' template."""
        return read(self.template).url

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:  # noqa: ARG003 - it makes none
        """Git over the mirrors of a root."""
        return cls(settings.git_url, settings.root / "mirrors")

    async def __aenter__(self) -> Self:
        """Nothing is connected before a question comes."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing stays open."""

    async def describe(self, repo: str) -> Description:
        """Default branch, root commits and licence."""
        history = await self.history(repo)
        files = await self._licence_files(history)
        return Description(await history.default_branch(), await history.roots(), licence_of(files))

    async def find_merge(self, repo: str, sought: Sought) -> Merge:
        """The commit that merged a pull request; raises `Failed` where it cannot be told."""
        mirror = self.mirror(repo)
        since = self._since(sought.merged_at)
        try:
            return await self._search(repo, sought, since)
        except Failed:
            if mirror.is_fresh(self.started) or mirror.gone:
                raise
        return await self._search(repo, sought, self.started)

    async def pull_request(self, repo: str, sought: Sought) -> PullRequest:
        """What the merge and its message say of a pull request."""
        merge = await self.find_merge(repo, sought)
        return await git_pull_requests.read(await self.history(repo), merge, repo)

    async def walk(self, repo: str, start: datetime, end: datetime) -> Walked:
        """The default branch's own commits between two times."""
        history = await self.history(repo, since=self.started)
        commits = await history.first_parents(start, end)
        messages = [await history.message(commit.sha) for commit in commits]
        return Walked(await history.default_branch(), list(zip(commits, messages, strict=True)))

    async def cut(self, repo: str, pair: Pair, tests: str, runner: str | None = None) -> Patches:
        """Gold patch and test patch between base and merge."""
        return await git_patches.cut(self.mirror(repo), pair, tests, runner)

    async def pair(
        self, repo: str, base: str, merge: str | None, *, change: str | None = None
    ) -> Pair:
        """Where a change begins and ends; what no merge brought in is made from its text."""
        if merge is None:
            merge = await git_rows.make(self.mirror(repo), base, change or "")
        return Pair(base, merge)

    async def changed_files(self, repo: str, pair: Pair) -> list[ChangedFile]:
        """The files of a change."""
        return await git_pull_requests.changed_files(self.mirror(repo), pair)

    async def committed_at(self, repo: str, commit: str) -> datetime:
        """When a commit was made, UTC."""
        return await git_rows.committed_at(self.mirror(repo), commit)

    async def missing_files(self, repo: str, commit: str) -> list[str]:
        """Files of a commit that its server has not got."""
        return await git_trees.missing_files(self.mirror(repo), commit)

    async def nearest_tags(self, repo: str, commit: str) -> list[Tag]:
        """Tags that could be versions, on a commit or before it, the nearest first."""
        return await git_tags.nearest((await self.history(repo)).mirror, commit)

    async def list_files(self, repo: str, commit: str) -> list[str]:
        """All files and symlinks of a commit, sorted."""
        return [entry.path for entry in await git_trees.entries(self.mirror(repo), commit)]

    async def read_files(
        self, repo: str, commit: str, wanted: str | Sequence[str]
    ) -> dict[str, bytes]:
        """Contents by path, of the paths that a regular expression or a list names."""
        return await git_trees.read_files(self.mirror(repo), commit, wanted)

    async def commit_archive(self, repo: str, commit: str) -> Path:
        """A tar of a `.git` folder that holds this commit and no other object."""
        return await git_trees.commit_archive(self.mirror(repo), commit)

    def mirror(self, repo: str) -> Mirror:
        """The one mirror of a repository in this process."""
        template = read(self.template)
        address = replace(template, url=address_of(template.url, repo))
        name = repo.lower().replace("/", "__")
        return self.mirrors.setdefault(name, Mirror(self.folder / name, address))

    async def history(self, repo: str, since: float = 0.0) -> History:
        """The history of a repository, fetched at or after a time."""
        mirror = self.mirror(repo)
        if not mirror.is_fresh(since):
            self.histories.pop(repo, None)
            await mirror.hold_history(since)
        found = self.histories.pop(repo, None) or History(mirror)
        self.histories[repo] = found
        while len(self.histories) > HELD_HISTORIES:
            self.histories.pop(next(iter(self.histories)))
        return found

    async def _search(self, repo: str, sought: Sought, since: float) -> Merge:
        return await Search(await self.history(repo, since), sought).merge()

    def _since(self, merged_at: datetime | None) -> float:
        # An hour for the server to show what it merged, but no second fetch in one build.
        at = merged_at.replace(tzinfo=UTC).timestamp() + HOUR if merged_at else 0.0
        return min(at, self.started)

    async def _licence_files(self, history: History) -> Mapping[str, bytes]:
        if await history.default_branch() is None:
            return {}
        listing = await history.mirror.read_partial("ls-tree", "-z", "HEAD")
        entries = [e.split("\t", 1) for e in listing.decode(errors="replace").split("\0")]
        wanted = [e[1] for e in entries if " blob " in e[0] and FILE.match(e[1])]
        return {name: await _licence_text(history, name) for name in wanted[:5]}


async def _licence_text(history: History, name: str) -> bytes:
    try:
        show = ("cat-file", "blob", f"HEAD:{name}")
        return await history.mirror.read_partial(*show, most=LICENCE_BYTES)
    except TooLargeError:
        return b""  # no licence says so much
