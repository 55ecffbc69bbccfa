"""Diffs as git writes them, cut into one section per file, byte for byte."""

import re
from collections.abc import Iterable
from typing import NamedTuple

HEADER = "diff --git "
START = re.compile(r"^diff --git ", re.MULTILINE)
MOVED = re.compile(r"^(?:rename|copy) to (.*)$", re.MULTILINE)
ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


class Section(NamedTuple):
    """What a diff says of one path; of a rename, which forge never writes, the new one."""

    path: str
    text: str


def sections(diff: str) -> list[Section]:
    r"""The sections of a diff in their order; joined they are the diff again.

    Lines of a hunk begin with a blank, `+`, `-` or a backslash: no content looks like a header.

    >>> [s.path for s in sections("diff --git a/x y b/x y\nold mode 100644\nnew mode 100755\n")]
    ['x y']
    """
    if not diff:
        return []
    starts = [found.start() for found in START.finditer(diff)]
    if starts[:1] != [0]:
        raise ValueError(f"not a diff: it begins {diff[:40]!r}")
    ends = [*starts[1:], len(diff)]
    texts = [diff[start:end] for start, end in zip(starts, ends, strict=True)]
    return [Section(_path(text), text) for text in texts]


def joined(parts: Iterable[Section]) -> str:
    """Sections as a diff again."""
    return "".join(section.text for section in parts)


def unquoted(name: str) -> str:
    r"""A path from the form that git gives odd ones; bytes that are not UTF-8 become surrogates.

    >>> unquoted('"caf\\303\\251"'), unquoted("plain")
    ('café', 'plain')
    """
    if not name.startswith('"'):
        return name
    inner = name[1:-1].encode(errors="surrogateescape")
    return ESCAPE.sub(_byte, inner).decode(errors="surrogateescape")


def _byte(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([ESCAPED[code[0]] if len(code) == 1 else int(code, 8)])


def _path(text: str) -> str:
    # Both names of a section are equal: half of the line is `a/<path>`.
    names = text[len(HEADER) :].partition("\n")[0]
    old, new = names[: len(names) // 2], names[len(names) // 2 + 1 :]
    path = unquoted(old).removeprefix("a/")
    if path == unquoted(new).removeprefix("b/"):
        return path
    if moved := MOVED.search(text):
        return unquoted(moved[1])
    raise ValueError(f"a header with two names: {names[:200]!r}")
