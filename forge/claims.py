"""Builds on one memo share the work: none asks what another is asking, or has answered since.

A question is claimed by a lock on one byte of a file; the system lets go of it when a process dies.
The lock is of the open file, not of the process: two builds in one process are parted too.
"""

import asyncio
import fcntl
import os
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import msgspec
import polars as pl

from forge.effect import Row
from forge.memo import part_of

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
    answered: set[str] = field(default_factory=set)
    parts: set[Path] = field(default_factory=set)
    journals: dict[Path, FileIO] = field(default_factory=dict)
    changed_ns: int = 0
    changed_at: float = 0.0

    def __post_init__(self) -> None:
        self.parts.update(self.folder.glob("part-*.parquet"))
        self._list()
        self._follow(self.journals.values())
        self.answered.clear()

    def have_answered(self, key: str) -> bool:
        """Whether a question has its answer by now."""
        if self._may_have_changed():
            self._list()
        self._follow(self.journals.values())
        return key in self.answered

    def close(self) -> None:
        """Follow them no longer."""
        for file in self.journals.values():
            file.close()

    def _may_have_changed(self) -> bool:
        changed_ns = self.folder.stat().st_mtime_ns
        if changed_ns != self.changed_ns:
            self.changed_ns, self.changed_at = changed_ns, time.monotonic()
        return time.monotonic() < self.changed_at + COARSE_SECONDS

    def _list(self) -> None:
        # Journals first: one that is gone before it is opened is then found as a part.
        held = set(self.folder.glob("journal-*.jsonl"))
        for journal in held - self.journals.keys():
            with suppress(FileNotFoundError):
                self.journals[journal] = FileIO(journal)
                self.parts.add(part_of(journal))
        for part in set(self.folder.glob("part-*.parquet")) - self.parts:
            rows = pl.read_parquet(part, columns=list(Told.__struct_fields__))
            self._add(Told(*row) for row in rows.iter_rows())
            self.parts.add(part)
        for journal in self.journals.keys() - held:
            with self.journals.pop(journal) as file:
                self._follow([file])

    def _follow(self, journals: Iterable[FileIO]) -> None:
        """Read what was appended; an open file shows it even when its name is gone."""
        for file in journals:
            lines = file.readall()
            whole = lines[: lines.rfind(b"\n") + 1]
            file.seek(len(whole) - len(lines), os.SEEK_CUR)
            self._add(msgspec.json.decode(line, type=Told) for line in whole.splitlines())

    def _add(self, rows: Iterable[Told]) -> None:
        self.answered.update(row.key for row in rows if self.is_answer(row))


@dataclass
class Claims:
    """The questions of one ask, each claimed by one process at a time."""

    questions: Iterator[Question]
    others: Others
    file: BinaryIO
    waiting: Callable[[int], None]
    """Hears what was spared, again and again while others ask all that is left."""
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
        self._set(fcntl.F_UNLCK, key)

    async def _wait(self) -> Question | None:
        if not self.elsewhere:
            return None
        question = self.elsewhere.popleft()
        self.waiting(self.spared)
        await asyncio.sleep(POLL_SECONDS)
        return question

    def _lock(self, key: str) -> bool:
        try:
            self._set(fcntl.F_WRLCK, key)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _set(self, kind: int, key: str) -> None:
        place = struct.pack("hhqqq", kind, os.SEEK_SET, int(key[:15], 16), 1, 0)
        fcntl.fcntl(self.file, fcntl.F_OFD_SETLK, place)


@contextmanager
def claims(
    questions: Iterator[Question], others: Others, waiting: Callable[[int], None]
) -> Iterator[Claims]:
    """Claims on these questions, all let go at the end."""
    with (others.folder / FILE).open("ab") as file:
        yield Claims(questions, others, file, waiting)
