"""Reads one hour of GH Archive, whole or broken, in bounded memory and at a decompressor's pace."""

import gc
from bisect import bisect_left
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from forge.decompression import BrokenError, decompressed
from forge.events import ISSUES, PULL_REQUESTS, Events, LineError, is_timeline, read_event
from forge.search import places_of

# Four times the largest hour known (962 MB in 2024); more is a bomb.
RAW_BYTES = 4 * 2**30
# Twenty times the lines of the largest hour known: a bomb of empty lines is one too.
LINES = 5_000_000
# The longest line seen is 0.25 MB.
LINE_BYTES = 16 * 2**20
GROUP_ROWS = 2_048
GROUP_BYTES = 64 * 2**20

# What repeats; to look for it elsewhere costs a tenth of the hour, and room.
REPEATED = [
    *("hour", "type", "action", "repository_id", "repo", "actor", "author", "author_type"),
    *("merger", "labels.list.element", "base_ref"),
]

TYPE, IS_MERGE = map(Events.column_names().index, ("type", "is_merge"))
OPENING, CLOSING = b"{"[0], b"}"[0]
OVERLONG = b"?"


class TimelineError(ValueError):
    """The hour is in the format of before 2015."""


@dataclass
class Counts:
    """What one hour holds, and what is broken about it; None where nobody counted."""

    raw_bytes: int = 0
    lines: int = 0
    bad_lines: int = 0
    pull_request_events: int = 0
    merges: int = 0
    issue_events: int | None = None
    damage: str | None = None


def read_dump(
    path: Path, *, hour: datetime, events: Path, types: Collection[str] = (PULL_REQUESTS,)
) -> Counts:
    """Count an hour's lines, and write its events of these types as Parquet.

    Good lines before a break are kept. Raises TimelineError for an hour of before 2015.
    """
    counts = Counts(issue_events=0 if ISSUES in types else None)
    with _uncollected(), path.open("rb") as file, EventWriter(events) as writer:
        lines = Lines(counts, writer, hour, types)
        try:
            for piece in _bounded(decompressed(file), counts):
                lines.feed(piece)
            lines.finish()
        except BrokenError as error:
            counts.damage = str(error)
    if not counts.damage and counts.lines == counts.bad_lines:
        counts.damage = "no line is an event" if counts.lines else "no lines"
    return counts


@contextmanager
def _uncollected() -> Iterator[None]:
    # Rows hold no cycles: to look for some takes a twentieth of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _bounded(pieces: Iterator[bytes], counts: Counts) -> Iterator[bytes]:
    for piece in pieces:
        counts.raw_bytes += len(piece)
        if counts.raw_bytes > RAW_BYTES:
            raise BrokenError(f"more than {RAW_BYTES:,} bytes when decompressed")
        yield piece


@dataclass
class Lines:
    """Cuts pieces into lines, counts them, and hands on those that may be events of these types."""

    counts: Counts
    writer: "EventWriter"
    hour: datetime
    types: Collection[str]
    held: bytearray = field(default_factory=bytearray)
    passed: int = 0
    is_judged: bool = False

    def feed(self, piece: bytes) -> None:
        """Take the lines that end in this piece; hold what comes after."""
        start, stop = piece.find(b"\n") + 1, piece.rfind(b"\n") + 1
        if stop:
            self._take(bytes(self.held) + piece[:start], 0, len(self.held) + start)
            self._take(piece, start, stop)
            self.held = bytearray(piece[stop:])
        elif len(self.held) > LINE_BYTES:
            self.held = bytearray(OVERLONG)
        else:
            self.held += piece

    def finish(self) -> None:
        """Take a last line that no newline ends."""
        if self.held:
            self.feed(b"\n")

    def _take(self, block: bytes, start: int, stop: int) -> None:
        if not self.is_judged:
            self._judge(block[start:stop])
        # One `find` per line runs at 10 GB/s; `split` at 2.1, `count` at 3.6.
        find, first, ends = block.find, start, []
        while (end := find(b"\n", start, stop)) >= 0:
            if block[start] != OPENING or block[end - 1] != CLOSING:
                self._count_odd(block[start:end].strip())
            ends.append(end)
            start = end + 1
        view = memoryview(block)
        for place in self._marked(block, first, ends):
            start = ends[place - 1] + 1 if place else first
            self._select(view[start : ends[place]], self.passed + place + 1)
        self._pass(len(ends))

    def _marked(self, block: bytes, start: int, ends: list[int]) -> list[int]:
        """Which lines name a type that is wanted."""
        stop = ends[-1] if ends else start
        marks = (f'"{name}"'.encode() for name in self.types)
        places = {at for mark in marks for at in places_of(mark, block, start, stop)}
        return sorted({bisect_left(ends, at) for at in places})

    def _pass(self, lines: int) -> None:
        self.counts.lines += lines
        self.passed += lines
        if self.passed > LINES:
            raise BrokenError(f"more than {LINES:,} lines")

    def _count_odd(self, line: bytes) -> None:
        if not line:
            self.counts.lines -= 1
        elif not _is_delimited(line):
            self.counts.bad_lines += 1

    def _select(self, line: bytes | memoryview, number: int) -> None:
        if line[0] != OPENING or line[-1] != CLOSING:
            line = bytes(line).strip()
            if not _is_delimited(line):
                return  # counted as bad already
        try:
            row = read_event(line, types=self.types, hour=self.hour, number=number)
        except LineError:
            self.counts.bad_lines += 1
            return
        if row:
            self.writer.add(row, len(line))
            self._count(row)

    def _count(self, row: tuple[Any, ...]) -> None:
        if row[TYPE] == ISSUES:
            self.counts.issue_events = (self.counts.issue_events or 0) + 1
        else:
            self.counts.pull_request_events += 1
            self.counts.merges += row[IS_MERGE]

    def _judge(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            with suppress(LineError):
                if is_timeline(line.strip()):
                    raise TimelineError
                self.is_judged = True
                return


def _is_delimited(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}")


@cache
def _schema() -> pa.Schema:
    return Events.create_empty().to_arrow().schema


class EventWriter:
    """Writes rows of `Events` to a Parquet file, group by group."""

    def __init__(self, path: Path) -> None:
        self.schema = _schema()
        self.file = pq.ParquetWriter(path, self.schema, compression="zstd", use_dictionary=REPEATED)
        self.rows: list[tuple[Any, ...]] = []
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._flush()
        self.file.close()

    def add(self, row: tuple[Any, ...], line_bytes: int) -> None:
        """Keep a row for the next group."""
        self.rows.append(row)
        self.bytes += line_bytes
        if len(self.rows) >= GROUP_ROWS or self.bytes >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self.rows:
            columns = zip(self.schema, zip(*self.rows, strict=True), strict=True)
            arrays = [pa.array(values, column.type) for column, values in columns]
            self.file.write_table(pa.Table.from_arrays(arrays, schema=self.schema))
        self.rows, self.bytes = [], 0
