"""What of a task must not lie in its image: distinctive lines, files and names of its patches."""

import re
from collections.abc import Iterator
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
FILE_SHA = re.compile(r"^index [0-9a-f]{40,64}\.\.([0-9a-f]{40,64})", re.MULTILINE)
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
    sha = FILE_SHA.search(head)
    return {
        "patch": patch,
        "path": section.path,
        "sha": sha[1] if sha else None,
        "lines": list(dict.fromkeys(distinctive(added))),
        "words": sorted(set(_names(section.path, head, added))),
    }


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
