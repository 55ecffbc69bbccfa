"""What the loopback GitHub of the tests knows: repositories and their pull requests, literally."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol

import msgspec

Kind = Literal["User", "Bot", "Mannequin", "Organization"]
Fate = Literal["there", "deleted", "private", "protected"]
Association = Literal["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "NONE"]
PREFIXES = {"Repository": "R", "PullRequest": "PR", "Issue": "I", "IssueComment": "IC",
            "User": "U", "Bot": "BOT", "Mannequin": "M", "Organization": "O"}  # fmt: skip


@dataclass(frozen=True)
class Actor:
    """Who did something, or None for who left; a bot's login has no `[bot]` here, as in GraphQL."""

    login: str
    kind: Kind = "User"
    id: int = 1


@dataclass(frozen=True)
class Label:
    """A label as GitHub lists it."""

    name: str
    description: str | None = None
    id: int = 1


@dataclass(frozen=True)
class PullRequestChangedFile:
    """One file of a pull request's difference."""

    path: str
    additions: int = 1
    deletions: int = 0
    change_type: Literal["ADDED", "CHANGED", "COPIED", "DELETED", "MODIFIED", "RENAMED"] = (
        "MODIFIED"
    )


@dataclass(frozen=True)
class Commit:
    """A commit with the times that git tells of it."""

    oid: str
    authored_date: str = "2026-02-27T09:00:00Z"
    committed_date: str = "2026-02-27T09:00:00Z"
    message: str = "Round half to even"


@dataclass(frozen=True)
class IssueComment:
    """A comment under an issue or a pull request."""

    body: str
    author: Actor | None = Actor("grace", id=2)
    author_association: Association = "NONE"
    created_at: str = "2026-02-27T10:00:00Z"
    last_edited_at: str | None = None
    is_minimized: bool = False
    id: int = 1


@dataclass(frozen=True)
class Issue:
    """An issue that a pull request closes, of its own repository unless it names another one."""

    number: int
    title: str = "Halves vanish"
    body: str = "1.5 gives 1."
    author: Actor | None = Actor("grace", id=2)
    author_association: Association = "NONE"
    created_at: str = "2026-02-26T08:00:00Z"
    last_edited_at: str | None = None
    closed_at: str | None = "2026-03-01T05:09:59Z"
    labels: tuple[Label, ...] = ()
    comments: tuple[IssueComment, ...] = ()
    id: int = 3_912_345_678
    of: str = ""
    """The name of another repository, where it is of one."""
    repository: "Repository | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class PullRequest:
    """A merged pull request, unless it says that it never was."""

    number: int
    id: int = 4_262_949_744
    title: str = "Round half to even"
    body: str = "Fixes #3."
    author: Actor | None = Actor("ada")
    author_association: Association = "CONTRIBUTOR"
    merged_by: Actor | None = Actor("ada")
    merged_at: str | None = "2026-03-01T05:09:59Z"
    created_at: str = "2026-02-28T12:00:00Z"
    closed_at: str | None = "2026-03-01T05:09:59Z"
    updated_at: str | None = None
    """When anything last happened to it, unless that was its merge."""
    base_ref_name: str = "main"
    base_ref_oid: str = "b" * 40
    head_ref_name: str = "fix-rounding"
    head_ref_oid: str = "a" * 40
    merge_commit: str | None = "c" * 40
    files: tuple[PullRequestChangedFile, ...] = ()
    changed_files: int | None = None
    """What GitHub counts, where that is not what it lists."""
    labels: tuple[Label, ...] = ()
    closes: tuple[Issue, ...] = ()
    comments: tuple[IssueComment, ...] = ()
    commits: tuple[Commit, ...] = ()
    is_draft: bool = False
    is_deleted: bool = False
    node_id: str = ""
    """Its real node id, where that is not the one that an event lets one compute."""
    repository: "Repository | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Repository:
    """A repository as of the question, under its name of then."""

    name_with_owner: str
    id: int = 42
    former: tuple[str, ...] = ()
    """Names under which it was known, of other owners too where it was transferred."""
    fate: Fate = "there"
    stars: int = 0
    forks: int = 0
    licence: str | None = "MIT"
    """An SPDX identifier; `NOASSERTION` where GitHub sees a licence that it does not know."""
    fork_of: str = ""
    description: str | None = None
    is_archived: bool = False
    is_disabled: bool = False
    is_empty: bool = False
    default_branch: str | None = "main"
    created_at: str = "2020-01-01T00:00:00Z"
    pushed_at: str | None = "2026-03-01T05:10:00Z"
    updated_at: str = "2026-03-01T05:10:00Z"
    languages: tuple[tuple[str, int], ...] = (("Python", 1000),)
    """Bytes of each language."""
    topics: tuple[str, ...] = ()
    code: tuple[tuple[str, int], ...] = ()
    """Paths and bytes of the files that a search for code finds."""
    owner_kind: Literal["User", "Organization"] = "Organization"
    has_old_id: bool = False
    """Whether it says the node id of before 2021, as one created then does."""
    pull_requests: tuple[PullRequest, ...] = ()
    issues: tuple[Issue, ...] = ()
    """Beside those that its pull requests close."""


Node = Repository | PullRequest | Issue


class Knows(Protocol):
    """What the loopback GitHub asks of a world, whether held or derived when asked."""

    def node(self, node_id: str) -> Node | None: ...
    def named(self, name_with_owner: str) -> Repository | None: ...
    def numbered(self, repository: Repository, number: int) -> PullRequest | None: ...
    def issue(self, repository: Repository, number: int) -> Issue | None: ...
    def pulls(self) -> Iterable[PullRequest]: ...


def node_id(kind: str, *numbers: int) -> str:
    """The node id of something by the numbers that make it: its repository's first, then its own.

    >>> node_id("Repository", 515435736), node_id("PullRequest", 220389860, 2256761384)
    ('R_kgDOHrjs2A', 'PR_kwDODSLh5M6Gg3Io')
    """
    packed = base64.urlsafe_b64encode(msgspec.msgpack.encode([0, *numbers])).decode()
    return f"{PREFIXES[kind]}_{packed.rstrip('=')}"


def old_node_id(kind: str, number: int) -> str:
    """The node id of before 2021.

    >>> old_node_id("Repository", 120145570)
    'MDEwOlJlcG9zaXRvcnkxMjAxNDU1NzA='
    """
    return base64.b64encode(f"0{len(kind)}:{kind}{number}".encode()).decode()


@dataclass(frozen=True)
class World:
    """Repositories that a test states one by one."""

    repositories: tuple[Repository, ...]

    def node(self, node_id: str) -> Node | None:
        return self._nodes.get(node_id)

    def named(self, name_with_owner: str) -> Repository | None:
        return self._named.get(name_with_owner.lower())

    def numbered(self, repository: Repository, number: int) -> PullRequest | None:
        return self._numbered.get((repository.id, number))

    def issue(self, repository: Repository, number: int) -> Issue | None:
        return self._issues.get((repository.id, number))

    def pulls(self) -> Iterable[PullRequest]:
        """All that there are."""
        return self._numbered.values()

    @cached_property
    def _named(self) -> dict[str, Repository]:
        former = {name.lower(): one for one in self.repositories for name in one.former}
        return former | {one.name_with_owner.lower(): one for one in self.repositories}

    @cached_property
    def _numbered(self) -> dict[tuple[int, int], PullRequest]:
        return {
            (one.id, pull.number): replace(pull, repository=one)
            for one in self.repositories
            for pull in one.pull_requests
        }

    @cached_property
    def _issues(self) -> dict[tuple[int, int], Issue]:
        return {
            (one.id, issue.number): replace(issue, repository=one)
            for one in self.repositories
            for issue in (
                *(i for p in one.pull_requests for i in p.closes if not i.of),
                *one.issues,
            )
        }

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return dict(self._identified())

    def _identified(self) -> Iterator[tuple[str, Node]]:
        for one in self.repositories:
            yield node_id("Repository", one.id), one
            yield old_node_id("Repository", one.id), one
        for (repository, _), pull in self._numbered.items():
            computed = node_id("PullRequest", repository, pull.id)
            yield pull.node_id or computed, pull
            yield old_node_id("PullRequest", pull.id), pull
        for (repository, _), issue in self._issues.items():
            yield node_id("Issue", repository, issue.id), issue
