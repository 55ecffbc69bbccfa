"""Reads one hour of GH Archive, whole or broken, in bounded memory and at a decompressor's pace."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq
from isal import isal_zlib

from forge.events import MARK, Events, LineError, is_timeline, read_event

# Small pieces: where a file breaks, what the piece at the break held is lost.
PIECE_BYTES = 16_384
OUTPUT_BYTES = 1_048_576
# Four times the largest hour known (962 MB in 2024); more is a bomb.
RAW_BYTES = 4 * 2**30
# Twenty times the lines of the largest hour known: a bomb of empty lines is one too.
LINES = 5_000_000
# A member takes longer to begin than its twenty bytes to read.
MEMBERS = 1_000_000
# The longest line seen is 0.25 MB.
LINE_BYTES = 16 * 2**20
GROUP_ROWS = 8_192
GROUP_BYTES = 64 * 2**20

GZIP = b"\x1f\x8b"
OPENING, CLOSING = b"{"[0], b"}"[0]
OVERLONG = b"?"


class TimelineError(ValueError):
    """The hour is in the format of before 2015."""


class BrokenError(ValueError):
    """The file cannot be read beyond a point."""


@dataclass
class Counts:
    """What one hour holds, and what is broken about it."""

    raw_bytes: int = 0
    lines: int = 0
    bad_lines: int = 0
    pull_request_events: int = 0
    merges: int = 0
    damage: str | None = None


def read_dump(path: Path, *, hour: datetime, events: Path) -> Counts:
    """Count an hour's lines, and write its pull request events as Parquet.

    Good lines before a break are kept. Raises TimelineError for an hour of before 2015.
    """
    counts = Counts()
    with path.open("rb") as file, EventWriter(events) as writer:
        lines = Lines(counts, writer, hour)
        try:
            for piece in _bounded(decompressed(file), counts):
                lines.feed(piece)
            lines.finish()
        except BrokenError as error:
            counts.damage = str(error)
    if not counts.damage and counts.lines == counts.bad_lines:
        counts.damage = "no line is an event" if counts.lines else "no lines"
    return counts


def decompressed(file: BinaryIO) -> Iterator[bytes]:
    """The content of all members of a gzip file, piece by piece; BrokenError where it breaks."""
    member, left, members = _member(), _first_piece(file), 1
    while left or (left := file.read(PIECE_BYTES)):
        if member.eof:
            left = left.lstrip(b"\0")  # padding after a member is allowed
            if left:
                member, members = _member(), members + 1
            if members > MEMBERS:
                raise BrokenError(f"more than {MEMBERS:,} members")
            continue
        try:
            yield member.decompress(left, OUTPUT_BYTES)
        except isal_zlib.error as error:  # type: ignore[misc]  # the stub calls it a value
            raise BrokenError(f"broken gzip at byte {file.tell() - len(left)}: {error}") from error
        left = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        yield member.flush()
        raise BrokenError(f"gzip is cut off at byte {file.tell()}")


def _first_piece(file: BinaryIO) -> bytes:
    piece = file.read(PIECE_BYTES)
    if not piece:
        raise BrokenError("empty file")
    if not piece.startswith(GZIP):
        raise BrokenError(f"not gzip: begins with {piece[:16]!r}")
    return piece


def _member() -> Any:
    return isal_zlib.decompressobj(wbits=31)


def _bounded(pieces: Iterator[bytes], counts: Counts) -> Iterator[bytes]:
    for piece in pieces:
        counts.raw_bytes += len(piece)
        if counts.raw_bytes > RAW_BYTES:
            raise BrokenError(f"more than {RAW_BYTES:,} bytes when decompressed")
        yield piece


@dataclass
class Lines:
    """Cuts pieces into lines, counts them, and hands on those that may be pull request events."""

    counts: Counts
    writer: "EventWriter"
    hour: datetime
    held: bytearray = field(default_factory=bytearray)
    passed: int = 0
    is_judged: bool = False

    def feed(self, piece: bytes) -> None:
        """Take the lines that end in this piece; hold what comes after."""
        self.held += piece
        if b"\n" in piece:
            block = bytes(self.held)
            end = block.rfind(b"\n") + 1
            self._take(block, end)
            self.held = bytearray(block[end:])
        elif len(self.held) > LINE_BYTES:
            self.held = bytearray(OVERLONG)

    def finish(self) -> None:
        """Take a last line that no newline ends."""
        if self.held:
            self.feed(b"\n")

    def _take(self, block: bytes, stop: int) -> None:
        if not self.is_judged:
            self._judge(block[:stop])
        # One `find` per line runs at 7 GB/s; `split` at 2.6, counting b"}\n{" at 1.5.
        find, start, number = block.find, 0, self.passed
        end, at = find(b"\n", 0, stop), find(MARK, 0, stop)
        while end >= 0:
            number += 1
            if block[start] != OPENING or block[end - 1] != CLOSING:
                self._count_odd(block[start:end].strip())
            if 0 <= at < end:
                self._select(block[start:end].strip(), number)
                at = find(MARK, end, stop)
            start = end + 1
            end = find(b"\n", start, stop)
        self.counts.lines += number - self.passed
        self.passed = number
        if number > LINES:
            raise BrokenError(f"more than {LINES:,} lines")

    def _count_odd(self, line: bytes) -> None:
        if not line:
            self.counts.lines -= 1
        elif not _is_delimited(line):
            self.counts.bad_lines += 1

    def _select(self, line: bytes, number: int) -> None:
        if not _is_delimited(line):
            return  # counted as bad already
        try:
            row = read_event(line, hour=self.hour, number=number)
        except LineError:
            self.counts.bad_lines += 1
            return
        if row:
            self.counts.pull_request_events += 1
            self.counts.merges += self.writer.add(row, len(line))

    def _judge(self, block: bytes) -> None:
        for line in block.splitlines():
            with suppress(LineError):
                if is_timeline(line):
                    raise TimelineError
                self.is_judged = True
                return


def _is_delimited(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}")


class EventWriter:
    """Writes rows of `Events` to a Parquet file, group by group."""

    def __init__(self, path: Path) -> None:
        self.schema = Events.create_empty().to_arrow().schema
        self.is_merge = self.schema.get_field_index("is_merge")
        self.file = pq.ParquetWriter(path, self.schema, compression="zstd")
        self.rows: list[tuple[Any, ...]] = []
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._flush()
        self.file.close()

    def add(self, row: tuple[Any, ...], line_bytes: int) -> bool:
        """Keep a row for the next group; whether it is a merge."""
        self.rows.append(row)
        self.bytes += line_bytes
        if len(self.rows) >= GROUP_ROWS or self.bytes >= GROUP_BYTES:
            self._flush()
        return bool(row[self.is_merge])

    def _flush(self) -> None:
        if self.rows:
            columns = zip(self.schema, zip(*self.rows, strict=True), strict=True)
            arrays = [pa.array(values, column.type) for column, values in columns]
            self.file.write_table(pa.Table.from_arrays(arrays, schema=self.schema))
        self.rows, self.bytes = [], 0
