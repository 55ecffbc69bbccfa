"""What a merge says of its pull request: words, author and changed files."""

from datetime import datetime
from typing import NamedTuple

from forge.effect import Failure
from forge.rules.messages import NUMBER, Words, fork_owner, is_bot, login_of, of_merge, of_squash
from forge.services.git_command import Failed
from forge.services.git_history import Commit, History
from forge.services.git_merges import Merge
from forge.services.git_mirrors import Mirror
from forge.services.git_patches import Pair, unread

FILES = 5_000
WORDS = 200_000
"""Letters of a body; a longer one is no description."""


class ChangedFile(NamedTuple):
    """One file of a change; binary files have no lines to count."""

    path: str
    previous_path: str | None
    additions: int | None
    deletions: int | None
    is_binary: bool


class PullRequest(NamedTuple):
    """A pull request as git knows it."""

    merge: Merge
    words: Words
    author: str
    is_bot: bool
    commits: int | None
    files: list[ChangedFile]
    committed_at: datetime


async def read(history: History, merge: Merge, repo: str) -> PullRequest:
    """The pull request of a merge."""
    first = await _first(history, merge)
    words = await _words(history, merge, first)
    await history.mirror.hold_commits([merge.commit.sha, merge.base])
    return PullRequest(
        merge=merge,
        words=Words(words.title, words.body and words.body[:WORDS]),
        author=_author(merge, first, repo),
        is_bot=is_bot(first.author, first.email),
        commits=await _commits(history, merge),
        files=await changed_files(history.mirror, Pair(merge.base, merge.commit.sha)),
        committed_at=merge.commit.committed_at,
    )


async def _first(history: History, merge: Merge) -> Commit:
    """The first commit of the pull request that the history holds, else its squash."""
    if merge.method == "squash":
        return merge.commit
    own = await history.own(merge.commit.parents[-1], [merge.base]) if _is_merge(merge) else []
    if _is_merge(merge):
        return own[0] if own else merge.commit
    return (await history.own(merge.commit.sha, [merge.base]))[0]


async def _words(history: History, merge: Merge, first: Commit) -> Words:
    message = await history.message(merge.commit.sha)
    if merge.method == "squash" or NUMBER.search(merge.commit.subject):
        return of_squash(message)
    if merge.method == "merge" and (words := of_merge(message)).title:
        return words
    if merge.method == "merge" and await _commits(history, merge) != 1:
        return Words(None, None)
    return of_squash(await history.message(first.sha))


async def _commits(history: History, merge: Merge) -> int | None:
    # A squash does not say how many commits it was made of.
    if merge.method == "squash":
        return None
    return await history.count(
        merge.commit.parents[-1] if _is_merge(merge) else merge.commit.sha, merge.base
    )


def _author(merge: Merge, first: Commit, repo: str) -> str:
    owner = fork_owner(merge.commit.subject) if _is_merge(merge) else None
    if owner and owner.lower() != repo.partition("/")[0].lower():
        return owner
    return login_of(first.author, first.email)


def _is_merge(merge: Merge) -> bool:
    return merge.method == "merge"


async def changed_files(mirror: Mirror, pair: Pair) -> list[ChangedFile]:
    """The files of a change, renames followed."""
    words = ("--end-of-options", *pair)
    await _refuse_many(mirror, words)
    numstat = ("diff", "--numstat", "-z", "-M", "--no-ext-diff", "--no-textconv")
    with unread():
        printed = await mirror.read_objects(*numstat, *words)
    files = _parsed(printed.split(b"\0"))
    if len(files) > FILES:
        raise Failed(Failure("policy", "too_many_files", f"{len(files)} files changed"))
    return files


async def _refuse_many(mirror: Mirror, words: tuple[str, ...]) -> None:
    # Names alone, because a tree of a few objects may stand for a billion files; a rename has two.
    names = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", *words)
    changed = (await mirror.read_objects(*names)).count(b"\0")
    if changed > 2 * FILES:
        raise Failed(Failure("policy", "too_many_files", f"{changed} paths changed"))


def _parsed(words: list[bytes]) -> list[ChangedFile]:
    files, rest = [], iter(words)
    for word in rest:
        if not word:
            break
        added, deleted, path = word.split(b"\t", 2)
        previous, path = (None, path) if path else (next(rest), next(rest))
        files.append(
            ChangedFile(
                path=_shown(path),
                previous_path=None if previous is None else _shown(previous),
                additions=None if added == b"-" else int(added),
                deletions=None if deleted == b"-" else int(deleted),
                is_binary=added == b"-",
            )
        )
    return files


def _shown(path: bytes) -> str:
    """A path as text; bytes that are not UTF-8 are escaped, as git shows them."""
    try:
        return path.decode()
    except UnicodeDecodeError:
        return '"' + "".join(chr(b) if 31 < b < 127 else f"\\{b:03o}" for b in path) + '"'
