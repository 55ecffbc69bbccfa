"""Commits as `git fast-import` reads them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from forge.demo.world import Tree, number_of

GITHUB = "GitHub <noreply@github.com>"


class Point(NamedTuple):
    """A commit in a stream: its mark and what it holds."""

    mark: int
    tree: Tree


class Stamp(NamedTuple):
    """Who and when, in git's form."""

    who: str
    at: datetime

    def __str__(self) -> str:
        """The line that follows `author` or `committer`."""
        return f"{self.who} {int(self.at.timestamp())} +0000"


class Text(NamedTuple):
    """What a commit says besides its tree."""

    message: str
    author: Stamp
    committer: Stamp


class Stream:
    """A fast-import stream that grows commit by commit."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._marks = 0

    def commit(self, ref: str, tree: Tree, text: Text, *, parents: Sequence[Point] = ()) -> Point:
        """Add a commit, and move the ref to it."""
        self._marks += 1
        lines = [f"commit {ref}", f"mark :{self._marks}"]
        lines += [f"author {text.author}", f"committer {text.committer}"]
        self._chunks += [_lines(lines), _data(text.message.encode())]
        words = ["from", *["merge"] * len(parents)]
        links = [f"{word} :{p.mark}" for word, p in zip(words, parents, strict=False)]
        before = parents[0].tree if parents else {}
        self._chunks += [_lines(links), *_differences(before, tree), b"\n"]
        return Point(self._marks, tree)

    def __bytes__(self) -> bytes:
        """The stream so far."""
        return b"".join(self._chunks)


def person(login: str) -> str:
    """Name and address, as GitHub writes them for a user who hides the latter.

    >>> person("mia-okafor")
    'Mia Okafor <187692732+mia-okafor@users.noreply.github.com>'
    """
    name = login if login.endswith("[bot]") else login.replace("-", " ").title()
    return f"{name} <{account(login)}+{login}@users.noreply.github.com>"


def account(login: str) -> int:
    """The id of a user."""
    return number_of(login, below=200_000_000)


def _differences(before: Tree, after: Tree) -> Iterator[bytes]:
    for path in sorted(before.keys() - after.keys()):
        yield f"D {path}\n".encode()
    for path, content in sorted(after.items()):
        if before.get(path) != content:
            yield f"M 100644 inline {path}\n".encode() + _data(content)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
