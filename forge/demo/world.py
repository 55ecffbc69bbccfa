"""The small world, as the files under `repositories/` declare it."""

import hashlib
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Literal

import msgspec

Tree = Mapping[str, bytes]
Merging = Literal["merge", "bors", "squash", "rebase", "lost", "closed"]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a commit does to one file: its whole content, or an edit, or a move."""

    path: str
    content: str | None = None
    base64: str | None = None
    old: str | None = None
    new: str = ""
    moved_from: str | None = None


class Commit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes and their message; the author is the pull request's where none is named."""

    message: str
    changes: tuple[Change, ...]
    author: str | None = None


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A commit that went straight to the branch."""

    at: datetime
    author: str
    message: str
    changes: tuple[Change, ...]


class PullRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who opened what when, and what became of it; its story says why the world has it."""

    number: int
    title: str
    author: str
    head: str
    opened: datetime
    merged_by: str
    how: Merging
    story: str
    commits: tuple[Commit, ...]
    merged: datetime | None = None
    closed: datetime | None = None
    body: str = ""
    head_owner: str | None = None
    labels: tuple[str, ...] = ()
    records: int = 1


class Issue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody found wrong, and when."""

    number: int
    title: str
    body: str
    author: str
    opened: datetime


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A first commit, pushes to the branch, issues, pull requests, and a user's recipe."""

    repo: str
    id: int
    founder: str
    started: datetime
    files: dict[str, str] = {}
    branch: str = "main"
    licence: str | None = None
    fork_of: str | None = None
    forked: datetime | None = None
    commits: tuple[Push, ...] = ()
    issues: tuple[Issue, ...] = ()
    pull_requests: tuple[PullRequest, ...] = ()
    is_vanished: bool = False
    recipe: str | None = None


def world() -> list[Repository]:
    """Every repository, forks with the history that they copied."""
    folder = files("forge.demo") / "repositories"
    texts = [f.read_bytes() for f in sorted(folder.iterdir(), key=lambda f: f.name)]
    found = {r.repo: r for r in (msgspec.toml.decode(t, type=Repository) for t in texts)}
    return [_with_copied_history(r, found) for r in found.values()]


def licence_text(spdx: str) -> str:
    """The text of a licence, as a LICENSE file holds it."""
    texts = msgspec.toml.decode((files("forge.demo") / "licences.toml").read_bytes())
    return str(texts[spdx])


def first_tree(repository: Repository) -> Tree:
    """What the first commit holds."""
    licence = {"LICENSE": licence_text(repository.licence)} if repository.licence else {}
    return {path: text.encode() for path, text in (repository.files | licence).items()}


def changed(tree: Tree, changes: Iterable[Change]) -> Tree:
    """The tree with all changes made, in order."""
    for change in changes:
        content = _content(tree, change)
        kept = {path: held for path, held in tree.items() if path != change.moved_from}
        tree = kept | {change.path: content}
    return tree


def number_of(name: str, *, below: int) -> int:
    """A number that looks like GitHub's, the same for the same name everywhere.

    >>> number_of("mia-okafor", below=200_000_000) == number_of("mia-okafor", below=200_000_000)
    True
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % below


def _with_copied_history(repository: Repository, found: Mapping[str, Repository]) -> Repository:
    if repository.fork_of is None or repository.forked is None:
        return repository
    origin = found[repository.fork_of]
    copied = tuple(c for c in origin.commits if c.at < repository.forked)
    commits = copied + repository.commits
    return msgspec.structs.replace(repository, files=origin.files, commits=commits)


def _content(tree: Tree, change: Change) -> bytes:
    if change.base64 is not None:
        return b64decode(change.base64)
    if change.content is not None:
        return change.content.encode()
    before = tree[change.moved_from or change.path]
    if change.old is None:
        return before
    if before.count(change.old.encode()) != 1:
        raise ValueError(f"{change.path} does not hold this exactly once:\n{change.old}")
    return before.replace(change.old.encode(), change.new.encode())
