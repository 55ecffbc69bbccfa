"""The content of a gzip file, whole or broken, at ISA-L's pace and in bounded memory."""

import os
import zlib
from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from isal import isal_zlib

PIECE_BYTES = 65_536
OUTPUT_BYTES = 1_048_576
# A member takes longer to begin than its twenty bytes to read.
MEMBERS = 1_000_000
GZIP, WITH_HEADER = b"\x1f\x8b", 31
RESERVED_FLAGS = 0b1110_0000


class BrokenError(ValueError):
    """The file cannot be read beyond a point."""


def decompressed(file: BinaryIO) -> Iterator[bytes]:
    """The content of all members, piece by piece; BrokenError where it breaks, after all before."""
    _check(file)
    for members in count(1):
        _check_flags(file)
        yield from _member(file)
        if not _has_more(file):
            return
        if members == MEMBERS:
            raise BrokenError(f"more than {MEMBERS:,} members")


def _check(file: BinaryIO) -> None:
    first = file.read(16)
    if not first:
        raise BrokenError("empty file")
    if not first.startswith(GZIP):
        raise BrokenError(f"not gzip: begins with {first!r}")
    file.seek(0)


def _check_flags(file: BinaryIO) -> None:
    # RFC 1952 asks for an error, which zlib raises; ISA-L reads on.
    header = file.read(4)
    file.seek(-len(header), os.SEEK_CUR)
    if header.startswith(GZIP) and header[3:] and header[3] & RESERVED_FLAGS:
        raise BrokenError(f"broken gzip at byte {file.tell()}: unknown flags {header[3]:#x}")


def _member(file: BinaryIO) -> Iterator[bytes]:
    start, had, member = file.tell(), 0, isal_zlib.decompressobj(wbits=WITH_HEADER)
    while not member.eof:
        left = member.unconsumed_tail or file.read(PIECE_BYTES)
        if not left:
            at = file.tell()
            yield from _salvaged(file, start, had)
            raise BrokenError(f"gzip is cut off at byte {at}")
        try:
            output = member.decompress(left, OUTPUT_BYTES)
        except isal_zlib.error as error:  # type: ignore[misc]  # the stub calls it a value
            at = file.tell() - len(left)
            yield from _salvaged(file, start, had)
            raise BrokenError(f"broken gzip at byte {at}: {error}") from error
        had += len(output)
        yield output
    file.seek(-len(member.unused_data), os.SEEK_CUR)


def _salvaged(file: BinaryIO, start: int, had: int) -> Iterator[bytes]:
    # ISA-L keeps back what the broken piece held, and of a cut one the last letter. Zlib can be
    # copied, so it goes on from before the break with ever smaller pieces, down to the very byte.
    file.seek(start)
    member, size = zlib.decompressobj(wbits=WITH_HEADER), PIECE_BYTES
    while size and (piece := file.read(size)):
        before = member.copy()
        try:
            output = member.decompress(piece)
        except zlib.error:
            member, size = before, size // 2
            file.seek(-len(piece), os.SEEK_CUR)
            continue
        yield output[had:]
        had = max(0, had - len(output))


def _has_more(file: BinaryIO) -> bool:
    # Zeros after a member are padding.
    while piece := file.read(PIECE_BYTES):
        if rest := piece.lstrip(b"\0"):
            file.seek(-len(rest), os.SEEK_CUR)
            return True
    return False
