"""The lines of a text as their author wrote them, whatever a tool wrote around or into them."""

import re
from typing import Match, Set

COLOURS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
ESCAPED = re.compile(rb"\\([\"'\\/nrt])")
MEANT = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
# What `git blame`, a listing or a search with line numbers, a patch or a list of strings writes.
BEFORE = re.compile(
    rb"(?m)^(?:[ \t]*(?:\^?[0-9a-f]{4,40} [^\n()]*\([^\n()]*\)|(?:[^\s:]+[:-])?\d+ ?[:\t|-]"
    rb"|[+>|]|[\[{(, ]*(?:\"[^\n\"]*\": *)?[\"'])){1,2}"
)
AFTER = b"\"', \t"
# What a string or a web page may write otherwise.
UNSAFE = re.compile(rb"[\"'\\/<>&\t\x80-\xff]")
SHORTEST_PIECE = 8


def stripped(content: bytes) -> Set[bytes]:
    """The lines of some bytes, less the white space around them."""
    return set(map(bytes.strip, content.splitlines()))


def meant(content: bytes) -> Set[bytes]:
    r"""The lines of a text as they stand there, and less what a tool may have added.

    >>> meant(b'{"a": "x = \\"y\\"\\ny()"}') >= {b'x = "y"', b'{"a": "x = \\"y\\"\\ny()"}'}
    True
    """
    plain = COLOURS.sub(b"", content) if b"\x1b[" in content else content
    found: Set[bytes] = set()
    for text in {plain, ESCAPED.sub(_meant, plain) if b"\\" in plain else plain}:
        bare = stripped(BEFORE.sub(b"", text))
        found |= stripped(text) | bare | {line.rstrip(AFTER) for line in bare}
    return found


def _meant(escape: Match[bytes]) -> bytes:
    return MEANT.get(escape.group(1), escape.group(1))


def piece(line: bytes) -> bytes:
    """The longest part of a line that no string writes otherwise; the line if that is short."""
    longest = max(UNSAFE.split(line), key=len)
    return longest if len(longest) >= SHORTEST_PIECE else line
