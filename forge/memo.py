"""Answers already paid for: a folder per effect, of Parquet parts and journals that become parts.

An answer counts once its line stands in a journal. A journal is held (flock) by the process that
writes it; one that nobody holds was left by a killed process, and becomes a part at the next start.
"""

import errno
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import dataframely as dy
import msgspec
import polars as pl

from forge.columns import dtypes
from forge.drafts import clear_drafts, draft_in
from forge.effect import Bill
from forge.errors import InputError
from forge.lock import is_held

PART_ROWS = 1_000
PART_BYTES = 64_000_000
LONGEST = 500
FOOTER = b"PAR1"
DRAFT = "draft-"


class Remembered(msgspec.Struct, frozen=True, omit_defaults=False):
    """One row of a memo: a question's key and what was answered."""

    key: str
    version: int
    asked_at: datetime
    kind: str | None
    reason: str | None
    detail: str | None
    tries: int
    seconds: float
    answer: dict[str, Any] | None
    bill: Bill | None = None


BILL = pl.Struct(
    {
        "model": pl.String,
        "mode": pl.String,
        "input_tokens": pl.Int64,
        "cached_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "dollars": pl.Float64,
        "attempts": pl.Int64,
        "request_seconds": pl.Float64,
    }
)
"""What a question cost; null where it costs nothing."""


def memo_schema(answers: type[dy.Schema]) -> dict[str, Any]:
    """Polars dtypes of a memo whose answers follow a schema."""
    return {
        "key": pl.String,
        "version": pl.Int64,
        "asked_at": pl.Datetime("us"),
        "kind": pl.String,
        "reason": pl.String,
        "detail": pl.String,
        "tries": pl.Int64,
        "seconds": pl.Float64,
        "answer": pl.Struct(dtypes(answers)),
        "bill": BILL,
    }


@dataclass
class Journal:
    """The files, one after the other, that one build appends its answers to."""

    memo: "Memo"
    file: BinaryIO = field(init=False)
    path: Path = field(init=False)
    rows: int = field(init=False)
    bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self._begin()

    def append(self, row: Remembered) -> None:
        """Remember a row; when this returns, a killed process has not lost it."""
        line = _encoded(row) + b"\n"
        _write_whole(self.file, line)
        self.rows += 1
        self.bytes += len(line)
        if self.rows >= PART_ROWS or self.bytes >= PART_BYTES:
            self.settle()
            self._begin()

    def settle(self) -> None:
        """Turn the file into a part; who follows it still reads what it holds."""
        try:
            self.memo.settle(self.path)
            self.path.unlink(missing_ok=True)
        finally:
            self.file.close()

    def _begin(self) -> None:
        # Held before it has its name: one that nobody holds would be taken for an orphan.
        draft = draft_in(self.memo.folder, DRAFT)
        self.file = draft.open("ab", buffering=0)
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.path = self.memo.folder / f"journal-{os.getpid()}-{uuid4().hex}.jsonl"
        draft.rename(self.path)
        self.rows = self.bytes = 0


@dataclass(frozen=True)
class Memo:
    """What one effect remembers; several processes and roots may share it."""

    folder: Path
    answers: type[dy.Schema]
    schema: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", memo_schema(self.answers))
        self.folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """A journal of one's own, settled at the end."""
        journal = Journal(self)
        try:
            yield journal
        finally:
            journal.settle()

    def settle(self, journal: Path) -> None:
        """Write a journal's whole lines as a part, durably."""
        lines = _whole_lines(journal)
        if not lines:
            return
        draft = draft_in(self.folder, DRAFT)
        try:
            with draft.open("wb") as file:
                self._rows(lines).write_parquet(file, row_group_size=PART_ROWS)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(part_of(journal))
        except BaseException:
            draft.unlink(missing_ok=True)  # the disk is full: give back what it took
            raise

    def settle_orphans(self) -> None:
        """Turn the journals of killed processes into parts, and remove what they were writing."""
        clear_drafts(self.folder, DRAFT)
        for path in self.folder.glob("journal-*.jsonl"):
            # Another process may have settled it a moment ago.
            with suppress(FileNotFoundError), path.open("rb") as file:
                if is_held(file):
                    continue
                self.settle(path)
                path.unlink()

    def check(self) -> None:
        """Raise InputError where a part is not whole: something else than forge cut it."""
        for part in self.folder.glob("part-*.parquet"):
            with part.open("rb") as file:
                file.seek(max(0, part.stat().st_size - len(FOOTER)))
                if file.read() != FOOTER:
                    raise InputError(
                        f"{part} was damaged: it is no whole Parquet file\n"
                        "bring it back, or move it away: what it answered is then asked again"
                    )

    def rows(self) -> pl.LazyFrame:
        """All remembered rows, duplicates included, each with its own place `at`."""
        # Journals first: one that becomes a part meanwhile is then seen twice, not missed.
        journals = self._journals()
        parts = sorted(self.folder.glob("part-*.parquet"))
        return pl.concat([journals, self._scan(parts)]) if parts else journals

    def _journals(self) -> pl.LazyFrame:
        lines = map(_whole_lines, sorted(self.folder.glob("journal-*.jsonl")))
        rows = self._rows(b"".join(lines))
        at = -1 - pl.int_range(pl.len(), dtype=pl.Int64)
        return rows.select(at.alias("at"), *self.schema).lazy()

    def _scan(self, parts: list[Path]) -> pl.LazyFrame:
        scan = pl.scan_parquet(
            parts,
            schema=self.schema,
            row_index_name="at",
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=pl.ScanCastOptions(
                missing_struct_fields="insert", extra_struct_fields="ignore"
            ),
        )
        return scan.select(pl.col("at").cast(pl.Int64), *self.schema)

    def _rows(self, lines: bytes) -> pl.DataFrame:
        """The rows of whole lines; an answer that no table can hold is a failure instead."""
        if not lines:
            return pl.DataFrame(schema=self.schema)
        try:
            return pl.read_ndjson(io.BytesIO(lines), schema=self.schema)
        except pl.exceptions.PolarsError as error:
            if lines.count(b"\n") > 1:
                return pl.concat([self._rows(line) for line in lines.splitlines(keepends=True)])
            row = msgspec.json.decode(lines, type=Remembered)
            return self._rows(_encoded(_without_answer(row, error)))


def part_of(journal: Path) -> Path:
    """What a journal becomes; the same part when its process died before it could remove it."""
    return journal.with_name(f"part-{journal.stem.rpartition('-')[2]}.parquet")


def _whole_lines(journal: Path) -> bytes:
    try:
        content = journal.read_bytes()
    except FileNotFoundError:  # settled by its process a moment ago
        return b""
    return content[: content.rfind(b"\n") + 1]  # a killed process may leave half a line


def _encoded(row: Remembered) -> bytes:
    try:
        return msgspec.json.encode(row)
    except UnicodeEncodeError as error:
        return msgspec.json.encode(_without_answer(row, error))


def _without_answer(row: Remembered, error: Exception) -> Remembered:
    words = f"{type(error).__name__}: {error}"[:LONGEST]
    failure = {"kind": "infra", "reason": "unexpected_error", "detail": words}
    return msgspec.structs.replace(row, answer=None, **failure)


def _write_whole(file: BinaryIO, line: bytes) -> None:
    # A disk that fills up takes a part of a line, and says so to the next write alone.
    before = os.fstat(file.fileno()).st_size
    if os.write(file.fileno(), line) < len(line):
        os.ftruncate(file.fileno(), before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)
