"""Hours cut from real ones and broken by a seed, and by nothing but the seed."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from archives import full, push, trimmed
from line_mutations import broken

SLICE_BYTES = 64_000
POOL_BYTES = 3_000_000
MARKS = (b'"PullRequestEvent"', b'"IssuesEvent"')
Dice = random.Random


class Pool(NamedTuple):
    """Lines of one real hour, and those of them that forge reads."""

    lines: list[bytes]
    read: list[bytes]


@cache
def pools(folder: Path | None) -> list[Pool]:
    """A pool for each file of real hours; made ones where there is no such folder."""
    if folder is None:
        return [pool(made_lines())]
    files = [path for path in sorted(folder.rglob("*json*")) if path.parent.name != "timeline"]
    return [pool(beginning(path).split(b"\n")[:-1]) for path in files]


def pool(lines: list[bytes]) -> Pool:
    return Pool(lines, [line for line in lines if any(mark in line for mark in MARKS)] or lines)


def beginning(path: Path) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return file.read(POOL_BYTES) + b"\n"


def made_lines() -> list[bytes]:
    actions = ("opened", "closed", "merged", "labeled")
    events = [make(action, number=n) for n in range(1, 9) for action in actions
              for make in (full, trimmed)]  # fmt: skip
    return [json.dumps(event).encode() for one in events for event in (one, push(), push())]


def hour_of(seed: int, folder: Path | None) -> bytes:
    """The broken hour of a seed: even seeds are broken as bytes of the file, odd ones before."""
    dice = Dice(seed)
    lines = cut_out(dice, dice.choice(pools(folder)))
    if seed % 2:
        plain = broken(dice, lines)
        return packed(dice, plain) if dice.random() < 0.9 else in_members(dice, plain)
    if dice.random() < 0.1:
        return broken_behind_a_line(dice, lines)
    pack = dice.choice((packed, packed, in_members))
    content = bytearray(pack(dice, b"\n".join(lines) + b"\n"))
    for _ in range(dice.choice((1, 1, 2, 3))):
        content = dice.choice(FILE_BREAKS)(dice, content)
    return bytes(content)


def cut_out(dice: Dice, source: Pool) -> list[bytes]:
    """Neighbouring lines, and a few that forge reads among them; 64 kB at most."""
    limit, start = int(SLICE_BYTES ** dice.uniform(0.8, 1)), dice.randrange(len(source.lines))
    lines = source.lines[start : start + dice.choice((2, 10, 60))]
    lines += dice.choices(source.read, k=dice.choice((1, 3, 9)))
    dice.shuffle(lines)
    while len(lines) > 1 and sum(map(len, lines)) > limit:
        lines.pop()
    return lines


# The file


def packed(dice: Dice, plain: bytes) -> bytes:
    """One member, in any of the forms that deflate has."""
    strategy = dice.choice((zlib.Z_DEFAULT_STRATEGY,) * 3 + (zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY))
    packer = zlib.compressobj(dice.choice((0, 1, 6)), wbits=31, strategy=strategy)
    half = dice.randrange(len(plain) + 1)
    first = packer.compress(plain[:half]) + packer.flush(dice.choice(FLUSHES))
    return first + packer.compress(plain[half:]) + packer.flush()


FLUSHES = (zlib.Z_NO_FLUSH, zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH)


def in_members(dice: Dice, plain: bytes) -> bytes:
    """Members that end anywhere, also within a line, with padding between some of them."""
    ends = sorted(dice.randrange(len(plain) + 1) for _ in range(dice.choice((1, 2, 9))))
    pieces = [plain[start:end] for start, end in pairwise([0, *ends, len(plain)])]
    return b"".join(packed(dice, piece) + bytes(dice.choice((0, 0, 0, 7))) for piece in pieces)


def broken_behind_a_line(dice: Dice, lines: list[bytes]) -> bytes:
    """A member that breaks just where a line has ended."""
    packer, ends = (
        zlib.compressobj(dice.choice((0, 1, 6)), wbits=31),
        dice.randrange(len(lines) + 1),
    )
    plain = b"".join(line + b"\n" for line in lines[:ends])
    whole = packer.compress(plain) + packer.flush(dice.choice((zlib.Z_SYNC_FLUSH, zlib.Z_FINISH)))
    return whole + dice.choice((b"", b"\xff" * 30, b"\x07", dice.randbytes(300)))


def some_range(dice: Dice, content: bytearray, most: int = 4096) -> slice:
    start = dice.randrange(len(content) + 1)
    return slice(start, start + dice.choice((1, 2, 16, dice.randrange(1, most))))


def flip(dice: Dice, content: bytearray) -> bytearray:
    for _ in range(dice.choice((1, 1, 2, 20))):
        if content:
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    return content


def cut(dice: Dice, content: bytearray) -> bytearray:
    return content[: dice.randrange(len(content) + 1)]


def lose_the_beginning(dice: Dice, content: bytearray) -> bytearray:
    return content[dice.choice((1, 2, 10, dice.randrange(len(content) + 1))) :]


def delete(dice: Dice, content: bytearray) -> bytearray:
    del content[some_range(dice, content)]
    return content


def insert(dice: Dice, content: bytearray) -> bytearray:
    at = dice.randrange(len(content) + 1)
    content[at:at] = dice.randbytes(dice.choice((1, 2, 16, 1000)))
    return content


def overwrite(dice: Dice, content: bytearray) -> bytearray:
    where = some_range(dice, content)
    content[where] = dice.choice((bytes, dice.randbytes, b"\xff".__mul__))(len(content[where]))
    return content


def double(dice: Dice, content: bytearray) -> bytearray:
    where = some_range(dice, content)
    content[where] = content[where] * 2
    return content


def swap(dice: Dice, content: bytearray) -> bytearray:
    first, second, third = sorted(dice.randrange(len(content) + 1) for _ in range(3))
    return content[:first] + content[second:third] + content[first:second] + content[third:]


def edit_header(dice: Dice, content: bytearray) -> bytearray:
    for _ in range(dice.choice((1, 1, 3))):
        if len(content) > 10:
            content[dice.randrange(10)] = dice.choice((0, 1, 2, 4, 8, 16, 31, 64, 255))
    return content


def lengthen_header(dice: Dice, content: bytearray) -> bytearray:
    """Name, comment, extra field and checksum of the header: all allowed, none of them seen."""
    flags, extra = dice.randrange(32), dice.randbytes(dice.randrange(40))
    head = bytearray(content[:10])
    head[3:4] = bytes([flags])
    head += len(extra).to_bytes(2, "little") + extra if flags & 4 else b""
    head += (b"name\0" if flags & 8 else b"") + (b"comment\0" if flags & 16 else b"")
    right = zlib.crc32(head).to_bytes(4, "little")[:2]
    head += (right if dice.random() < 0.7 else b"xx") if flags & 2 else b""
    return head + content[10:]


def edit_trailer(dice: Dice, content: bytearray) -> bytearray:
    if len(content) > 8:
        content[-dice.randrange(1, 9)] ^= dice.randrange(1, 256)
    return content


def repeat(dice: Dice, content: bytearray) -> bytearray:
    return content * dice.choice((2, 2, 5)) if len(content) < 100_000 else content


def add_rubbish(dice: Dice, content: bytearray) -> bytearray:
    rubbish = (
        b"\0",
        b"\0" * 700,
        b"\n",
        b"\x1f",
        b"\x1f\x8b",
        b"<html>",
        b"\0\0x",
        dice.randbytes(50),
    )
    return content + dice.choice(rubbish)


def replace_all(dice: Dice, content: bytearray) -> bytearray:
    others = (b"", b"\0", bytes(len(content)), b"<!DOCTYPE html><html>", gzip.compress(b""))
    return bytearray(dice.choice((*others, dice.randbytes(200))))


FileBreak = Callable[[Dice, bytearray], bytearray]
FILE_BREAKS: tuple[FileBreak, ...] = (
    *(flip, flip, flip, cut, cut, delete, insert, overwrite, double, swap, edit_header),
    *(lengthen_header, edit_trailer, repeat, add_rubbish, lose_the_beginning),
    replace_all,
)
