"""What an hour holds, said as plainly as can be: all of it in memory, line by line, by `json`."""

import zlib
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from reference_events import BROKEN, Row, parsed, read_event, taken, text

GZIP = b"\x1f\x8b"


class Hour(NamedTuple):
    """What one hour holds, why it is damaged, and whether it is of before 2015."""

    lines: int
    bad_lines: int
    rows: list[Row]
    damage: str
    is_old: bool


def read_hour(content: bytes, *, hour: datetime, types: Collection[str]) -> Hour:
    """What an hour's file holds, up to the first byte at which it breaks."""
    plain, damage = decompressed(content)
    lines = [line.strip() for line in plain.split(b"\n")]
    if damage:
        lines.pop()  # nobody knows how it went on
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line]
    bad, rows = 0, []
    for number, line in numbered:
        try:
            row = read_line(line, types)
        except BROKEN:
            bad += 1
        else:
            rows += [{"hour": hour, "line": number} | row] if row else []
    damage = damage or ("no line is an event" if len(numbered) == bad else "")
    return Hour(len(numbered), bad, rows, damage, is_old(lines))


def decompressed(content: bytes) -> tuple[bytes, str]:
    """All that the members of a gzip file give, and why they break."""
    plain, left, damage = b"", content, "" if content.startswith(GZIP) else "no gzip"
    while left and not damage:
        output, rest, damage = inflated(left)
        plain, left = plain + output, rest.lstrip(b"\0")
    return plain, damage


def inflated(content: bytes) -> tuple[bytes, bytes, str]:
    """What one member gives, what comes after it, and why it breaks."""
    member, output, at, size = zlib.decompressobj(31), b"", 0, len(content)
    while at < len(content) and not member.eof:
        before = member.copy()
        try:
            output += member.decompress(content[at : at + size])
        except zlib.error as error:
            if size == 1:
                return output + last_drops(before, content[at : at + 1]), b"", str(error)
            member, size = before, (size + 1) // 2
        else:
            at += size
    return output, member.unused_data + content[at:], "" if member.eof else "cut off"


def last_drops(member: Any, byte: bytes) -> bytes:
    output = b""
    try:
        while drop := member.decompress(byte, 1):
            output, byte = output + drop, member.unconsumed_tail
    except zlib.error:
        pass
    return output


def is_old(lines: list[bytes]) -> bool:
    """Whether the first line that tells has no id, but a name as its actor, as until 2014."""
    for line in lines:
        try:
            event = parsed(line)
            taken(event, "type", text, "")
        except BROKEN:
            continue
        keys = dict(event)
        if "id" in keys or isinstance(keys.get("actor"), str):
            return "id" not in keys
    return False


def read_line(line: bytes, types: Collection[str]) -> Row | None:
    """The row of a line, None where it is another's; ValueError where it is bad."""
    if not (line.startswith(b"{") and line.endswith(b"}")):
        raise ValueError("no braces")
    if not any(f'"{name}"'.encode() in line for name in types):
        return None
    event = parsed(line)
    return read_event(event) if taken(event, "type", text, "") in types else None
