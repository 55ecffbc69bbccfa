"""Builds on one memo share the work: none asks what another is asking, or has answered since.

A question is claimed by a lock on one byte of a file; the system lets go of it when a process dies.
"""

import asyncio
import fcntl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import polars as pl

from forge.effect import Row

FILE = "claims"
POLL_SECONDS = 0.05
# A folder's own time is coarse: it may hide a second change that comes so soon after a first.
COARSE_SECONDS = 0.05

Question = tuple[str, Row]


class Told(msgspec.Struct, frozen=True):
    """What matters of a row that another process remembers."""

    key: str
    version: int
    kind: str | None


@dataclass
class Others:
    """Questions that other processes answer in a memo's folder after this was made."""

    folder: Path
    is_answer: Callable[[Told], bool]
    own: Path | None = None
    answered: set[str] = field(default_factory=set)
    parts: set[Path] = field(default_factory=set)
    read: dict[Path, int] = field(default_factory=dict)
    changed_ns: int = 0
    changed_at: float = 0.0

    def __post_init__(self) -> None:
        self.parts.update(self.folder.glob("part-*.parquet"))

    def have_answered(self, key: str) -> bool:
        """Whether a question has its answer by now."""
        if self._may_have_changed():
            self._list()
        while not all(self._follow(journal) for journal in [*self.read]):
            self._list()
        return key in self.answered

    def _may_have_changed(self) -> bool:
        changed_ns = self.folder.stat().st_mtime_ns
        if changed_ns != self.changed_ns:
            self.changed_ns, self.changed_at = changed_ns, time.monotonic()
        return time.monotonic() < self.changed_at + COARSE_SECONDS

    def _list(self) -> None:
        # Journals first: one that becomes a part meanwhile is then read twice, not missed.
        journals = [path for path in self.folder.glob("journal-*.jsonl") if path != self.own]
        new = set(self.folder.glob("part-*.parquet")) - self.parts
        self.read = {path: 0 if new else self.read.get(path, 0) for path in journals}
        for part in new:
            rows = pl.read_parquet(part, columns=list(Told.__struct_fields__))
            self._add(Told(*row) for row in rows.iter_rows())
        self.parts |= new

    def _follow(self, journal: Path) -> bool:
        """Read what was appended to a journal; False where it became a part instead."""
        start = self.read[journal]
        try:
            size = journal.stat().st_size
            if size > start:
                self.read[journal] += self._read(journal, start)
        except FileNotFoundError:
            size = -1
        if size < start:
            self.read[journal] = 0
        return size >= start

    def _read(self, journal: Path, start: int) -> int:
        with journal.open("rb") as file:
            file.seek(start)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._add(msgspec.json.decode(line, type=Told) for line in whole.splitlines())
        return len(whole)

    def _add(self, rows: Iterable[Told]) -> None:
        self.answered.update(row.key for row in rows if self.is_answer(row))


@dataclass
class Claims:
    """The questions of one ask, each claimed by one process at a time."""

    questions: Iterator[Question]
    others: Others
    file: BinaryIO
    elsewhere: deque[Question] = field(default_factory=deque)
    spared: int = 0

    async def take(self) -> Question | None:
        """The next question without an answer, when nobody else asks it; None after the last."""
        while question := next(self.questions, None) or await self._wait():
            if not self._lock(question[0]):
                self.elsewhere.append(question)
            elif not self.others.have_answered(question[0]):
                return question
            else:
                self.spared += 1
                self.release(question[0])
        return None

    def release(self, key: str) -> None:
        """Let others ask a question, if it has no answer."""
        fcntl.lockf(self.file, fcntl.LOCK_UN, 1, _place(key))

    async def _wait(self) -> Question | None:
        if not self.elsewhere:
            return None
        question = self.elsewhere.popleft()
        await asyncio.sleep(POLL_SECONDS)
        return question

    def _lock(self, key: str) -> bool:
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(key))
        except (BlockingIOError, PermissionError):
            return False
        return True


@contextmanager
def claims(questions: Iterator[Question], others: Others, own: Path) -> Iterator[Claims]:
    """Claims on these questions, all let go at the end; answers go to the journal `own`."""
    others.own = own
    with (others.folder / FILE).open("ab") as file:
        yield Claims(questions, others, file)


def _place(key: str) -> int:
    return int(key[:15], 16)
