"""Finds again, in any bytes, what the patches of a task add: whole files, lines, words, commits."""

import hashlib
import re
from typing import Any, Dict, Iterable, List, Optional, Set

WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{9,}")
FEW_LINES, ENOUGH_LETTERS, LONG_LINE = 2, 120, 80
FEW_WORDS = 3
LONG_WORD = 65
SMALLEST_FILE = 64
LONGEST_EVIDENCE = 200
FEW_TEXTS = 12
"""So many are sooner sought one by one than by taking some bytes apart."""


class Wanted:
    """What is looked for; what the base commit has itself is none of it."""

    def __init__(self, parts: List[Dict[str, Any]], shas: List[str]) -> None:
        self.parts = parts
        self.shas = [sha.encode() for sha in shas]
        self.lines = _by_text(parts, "lines")
        self.words = _by_text(parts, "words")
        self.by_sha = {part["sha"]: part for part in parts if part["sha"]}

    def forget(self, contents: Iterable[bytes], known: Set[str]) -> None:
        """Leave out what lies in these files of the base commit, or is one of its objects."""
        for content in contents:
            for line in self.lines.keys() & _stripped(content):
                del self.lines[line]
            for word in self.words.keys() & set(WORD.findall(content)):
                del self.words[word]
        for sha in self.by_sha.keys() & known:
            del self.by_sha[sha]

    def found(self, content: bytes, *, few_words: int = FEW_WORDS) -> Optional[str]:
        """The first thing that some bytes tell of the patches; None where they tell nothing."""
        for sha in self.shas:
            if sha in content:
                return "the commit {}".format(sha.decode())
        is_text = b"\0" not in content[:8192]
        return (
            self._same(content)
            or (self._lines(content) if is_text else None)
            or (self._words(content, few_words) if few_words < FEW_WORDS or not is_text else None)
        )

    def _same(self, content: bytes) -> Optional[str]:
        if not self.by_sha or len(content) < SMALLEST_FILE:
            return None
        head = "blob {}\0".format(len(content)).encode()
        part = self.by_sha.get(hashlib.sha1(head + content).hexdigest())  # noqa: S324 - git's own
        return _match(part, "the whole file") if part else None

    def _lines(self, content: bytes) -> Optional[str]:
        if not _may_hold(content, self.lines):
            return None
        matched = self.lines.keys() & _stripped(content)
        if b"@@ -" in content:  # a patch; else nothing but what it says marks a line
            matched |= self.lines.keys() & _stripped(content.replace(b"\n+", b"\n"))
        for number, lines in _of_parts(matched, self.lines).items():
            letters = sum(map(len, lines))
            longest = max(lines, key=len)
            enough = len(lines) >= FEW_LINES and letters >= ENOUGH_LETTERS
            if enough or len(longest) >= LONG_LINE:
                text = longest.decode("utf-8", "replace")
                return _match(self.parts[number], "{} lines: {}".format(len(lines), text))
        return None

    def _words(self, content: bytes, few_words: int) -> Optional[str]:
        if not _may_hold(content, self.words):
            return None
        matched = self.words.keys() & _words(content)
        for number, words in _of_parts(matched, self.words).items():
            if len(words) >= few_words:
                text = b" ".join(sorted(words)).decode()
                return _match(self.parts[number], "{} words: {}".format(len(words), text))
        return None


def _may_hold(content: bytes, texts: Dict[bytes, Set[int]]) -> bool:
    return len(texts) > FEW_TEXTS or any(text in content for text in texts)


def _stripped(content: bytes) -> Set[bytes]:
    return set(map(bytes.strip, content.splitlines()))


def _words(content: bytes) -> Set[bytes]:
    # Compiled Python writes a name's length before it, which from 65 on may look like a letter,
    # and after it what the next value is, by a letter and perhaps a number that looks like one.
    found = set(WORD.findall(content))
    found |= {word[1:] for word in found if len(word) > LONG_WORD}
    return found | {word[:-1] for word in found} | {word[:-2] for word in found}


def _by_text(parts: List[Dict[str, Any]], name: str) -> Dict[bytes, Set[int]]:
    found: Dict[bytes, Set[int]] = {}
    for number, part in enumerate(parts):
        for text in part[name]:
            found.setdefault(text.encode("utf-8", "surrogateescape"), set()).add(number)
    return found


def _of_parts(matched: Iterable[bytes], known: Dict[bytes, Set[int]]) -> Dict[int, Set[bytes]]:
    found: Dict[int, Set[bytes]] = {}
    for text in matched:
        for number in known[text]:
            found.setdefault(number, set()).add(text)
    return found


def _match(part: Dict[str, Any], text: str) -> str:
    return "{} of {}: {}".format(part["patch"], part["path"], text)[:LONGEST_EVIDENCE]
