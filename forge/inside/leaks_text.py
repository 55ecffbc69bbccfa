"""Finds again, in any bytes, what the patches of a task add: whole files, lines, words, commits."""

import hashlib
import re
from typing import Any, Dict, Iterable, List, Optional, Set

from forge.inside.leaks_lines import meant, piece, stripped

WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{9,}")
FEW_LINES, ENOUGH_LETTERS, LONG_LINE = 2, 120, 80
FEW_WORDS = 3
LONG_WORD = 65
SMALLEST_FILE = 64
LONGEST_EVIDENCE = 200
FEW_TEXTS = 40
"""So many are sooner sought one by one than by taking some bytes apart."""
MARKED_TEXTS = 12
"""Of more lines, so many of the longest are sought where a tool may have changed them."""
SHORT_SHA, SURE_SHA = 7, 10
# Where these stand before it, fewer letters are surely the name of a commit.
ABOUT_GIT = re.compile(rb"(?i)\b(git|commit|cherry|revert|merge|updating|head)\b")


class Wanted:
    """What is looked for; what the base commit has itself is none of it."""

    def __init__(self, parts: List[Dict[str, Any]], shas: List[str]) -> None:
        self.parts = parts
        self.shas = [sha.encode() for sha in shas]
        self.lines = _by_text(parts, "lines")
        self.words = _by_text(parts, "words")
        self.by_sha = {part["sha"]: part for part in parts if part["sha"]}
        self.lengths: Set[Optional[int]] = {None}
        self._choose()

    def forget(
        self, contents: Iterable[bytes], known: Set[str], lengths: Dict[str, Optional[int]]
    ) -> None:
        """Leave out what lies in these files of the base commit, or is one of its objects."""
        pieces, words = [piece(line) for line in self.lines], list(self.words)
        for content in contents:
            if _may_hold(content, pieces):
                for line in self.lines.keys() & (meant(content) | stripped(content)):
                    del self.lines[line]
            if _may_hold(content, words):
                for word in self.words.keys() & set(WORD.findall(content)):
                    del self.words[word]
        for sha in self.by_sha.keys() & known:
            del self.by_sha[sha]
        self.lengths = {lengths.get(sha) for sha in self.by_sha}
        self._choose()

    def found(self, content: bytes, *, few_words: int = FEW_WORDS) -> Optional[str]:
        """The first thing that some bytes tell of the patches; None where they tell nothing."""
        is_text = b"\0" not in content[:8192]
        return (
            self._commit(content, is_text)
            or self._same(content)
            or (self._lines(content) if is_text else None)
            or (self._words(content, few_words) if few_words < FEW_WORDS or not is_text else None)
        )

    def _choose(self) -> None:
        """Choose what must be sought: one of these stands wherever enough of a part does."""
        lines, words = _in_parts(self.lines), _in_parts(self.words)
        pieces = {piece(line) for some in lines for line in _needed(some)}
        self.pieces = sorted(pieces, key=len, reverse=True)
        self.sought = {
            few: sorted({word for some in words for word in some[: max(0, len(some) - few + 1)]})
            for few in range(1, FEW_WORDS + 1)
        }

    def _commit(self, content: bytes, is_text: bool) -> Optional[str]:  # noqa: FBT001 - a fact
        for sha in self.shas:
            if (sha[:SHORT_SHA] if is_text else sha) in content:
                named = sha if sha in content else _short(sha, content)
                if named:
                    return "the commit {}".format(named.decode())
        return None

    def _same(self, content: bytes) -> Optional[str]:
        may_be = None in self.lengths or len(content) in self.lengths
        if not may_be or not self.by_sha or len(content) < SMALLEST_FILE:
            return None
        head = "blob {}\0".format(len(content)).encode()
        part = self.by_sha.get(hashlib.sha1(head + content).hexdigest())  # noqa: S324 - git's own
        return _match(part, "the whole file") if part else None

    def _lines(self, content: bytes) -> Optional[str]:
        if not _may_hold(content, self.pieces):
            return None
        few = self.pieces if len(self.pieces) <= FEW_TEXTS else self.pieces[:MARKED_TEXTS]
        is_there = any(text in content for text in few)
        matched = self.lines.keys() & (meant if is_there else stripped)(content)
        for number, lines in _of_parts(matched, self.lines).items():
            letters = sum(map(len, lines))
            longest = max(lines, key=len)
            enough = len(lines) >= FEW_LINES and letters >= ENOUGH_LETTERS
            if enough or len(longest) >= LONG_LINE:
                text = longest.decode("utf-8", "replace")
                return _match(self.parts[number], "{} lines: {}".format(len(lines), text))
        return None

    def _words(self, content: bytes, few_words: int) -> Optional[str]:
        if not _may_hold(content, self.sought[few_words]):
            return None
        matched = self.words.keys() & _words(content)
        for number, words in _of_parts(matched, self.words).items():
            if len(words) >= few_words:
                text = b" ".join(sorted(words)).decode()
                return _match(self.parts[number], "{} words: {}".format(len(words), text))
        return None


def _may_hold(content: bytes, texts: List[bytes]) -> bool:
    return len(texts) > FEW_TEXTS or any(text in content for text in texts)


def _needed(lines: List[bytes]) -> List[bytes]:
    """Of a part's lines, longest first, those without which too few of them are left."""
    long = [line for line in lines if len(line) >= LONG_LINE]
    short = lines[len(long) :]
    is_enough = sum(map(len, short)) >= ENOUGH_LETTERS
    return long + (short[: len(short) - FEW_LINES + 1] if is_enough else [])


def _short(sha: bytes, content: bytes) -> Optional[bytes]:
    """A shortened name of a commit that stands in a text as git writes it."""
    name = rb"(?<![0-9A-Za-z])(g?)(" + sha[:SHORT_SHA] + rb"[0-9a-f]*)(?![0-9A-Za-z])"
    for told in re.finditer(name, content):
        line = content[content.rfind(b"\n", 0, told.start()) + 1 : told.start()]
        is_sure = len(told.group(2)) >= SURE_SHA or told.group(1) or ABOUT_GIT.search(line)
        if is_sure and sha.startswith(told.group(2)):
            return told.group(2)
    return None


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


def _in_parts(known: Dict[bytes, Set[int]]) -> List[List[bytes]]:
    """What is left of each part, longest first."""
    return [sorted(one, key=len, reverse=True) for one in _of_parts(known, known).values()]


def _match(part: Dict[str, Any], text: str) -> str:
    return "{} of {}: {}".format(part["patch"], part["path"], text)[:LONGEST_EVIDENCE]
