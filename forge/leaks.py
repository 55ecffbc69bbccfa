"""What of a task must not lie in its image: distinctive lines, files and names of its patches."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from forge.diffs import Section, sections
from forge.rules.paths import GENERATED, LOCKS

SHORTEST_LINE, SHORTEST_WORD = 24, 10
FEWEST_WORDS = 3
WORD = rf"[A-Za-z_][A-Za-z0-9_]{{{SHORTEST_WORD - 1},}}"
# What a line makes known, as against what it uses: that may be anybody's.
DEFINED = re.compile(
    r"^\s*(?:(?:async|pub|export|static|abstract|final)\s+)*"
    r"(?:def|class|func|fn|function|struct|enum|interface|trait|type)\s+"
    rf"(?:\([^)]*\)\s*)?({WORD})\b"
)
NEW_FILE = re.compile(rf"(?:^|/)({WORD})\.[^/]*$")
# One word of a language is no name: names have parts.
PARTS = re.compile(r"[A-Za-z0-9]_[A-Za-z0-9]|[a-z][A-Z]")
FILE_SHAS = re.compile(r"^index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})", re.MULTILINE)
LITERAL = re.compile(r"^GIT binary patch\nliteral (\d+)$", re.MULTILINE)
# What many projects share: the imports of a module, its licence, and what tools write.
BOILERPLATE = re.compile(r"(?i)(from\s+\S+\s+)?import\s|#!|# (type|noqa|pylint|fmt|copyright)")
COPIED = re.compile(
    rf"{LOCKS}|{GENERATED}|(?i:(^|/)(licen[cs]e|copying|notice|authors)[^/]*$|(^|/)_?vendor(ed)?/)"
)


def wanted(gold_patch: str, test_patch: str, manifests: str) -> list[dict[str, Any]]:
    """By file of either patch: what it adds that could be found again elsewhere.

    Manifests are left out: an image's dependencies are those that the merge wishes for.
    """
    is_shared = re.compile(f"{COPIED.pattern}|{manifests}").search
    return [
        _part(name, section)
        for name, patch in (("gold patch", gold_patch), ("test patch", test_patch))
        for section in sections(patch)
        if not is_shared(section.path)
    ]


def _part(patch: str, section: Section) -> dict[str, Any]:
    head, _, body = section.text.partition("\n@@")
    added = [line[1:].strip() for line in body.split("\n") if line.startswith("+")]
    shas = FILE_SHAS.search(head)
    literal = LITERAL.search(head)
    return {
        "patch": patch,
        "path": section.path,
        "sha": shas[2] if shas else None,
        "old": shas[1] if shas and shas[1].strip("0") and not literal else "",
        "grown": int(literal[1]) if literal else _grown(body),
        "lines": list(dict.fromkeys(distinctive(added))),
        "words": sorted(set(_names(section.path, head, added))),
    }


def _grown(body: str) -> int | None:
    """The bytes that hunks add, less those that they take; None where they do not tell."""
    signs = {"+": 1, "-": -1}
    if not body or "\ufffd" in body:
        return None
    lines = body.split("\n")
    sizes = [
        signs.get(line[:1], 0) * len(line.encode("utf-8", "surrogateescape")) for line in lines
    ]
    ends = [signs.get(a[:1], 0) for a, b in pairwise(lines) if b.startswith("\\ ")]
    return sum(sizes) - sum(ends)


def _names(path: str, head: str, added: list[str]) -> Iterator[str]:
    """Names that a section defines, and that of a file which it creates."""
    found = [DEFINED.match(line) for line in added]
    if "\nnew file mode" in head:
        found.append(NEW_FILE.search(path))
    return (name[1] for name in found if name and PARTS.search(name[1]))


def distinctive(lines: list[str]) -> Iterator[str]:
    """Lines that hardly two people write alike.

    >>> list(distinctive(["return x", "from a import first_thing, second_thing, third_thing"]))
    []
    >>> list(distinctive(["raise Refused(f'no rule for {table} in {folder}')"]))
    ["raise Refused(f'no rule for {table} in {folder}')"]
    """
    for line in lines:
        words = set(re.findall(r"[^\W\d_]{3,}", line))
        is_long = len(line) >= SHORTEST_LINE and len(words) >= FEWEST_WORDS
        if is_long and not BOILERPLATE.match(line):
            yield line
