"""Lines of an hour broken as texts: as bytes, as JSON, or in what they say."""

import json
from collections.abc import Callable, Iterator
from random import Random as Dice
from typing import Any

NUMBERS = [
    *("0", "-1", "-0", "1", "7", "1.0", "1e2", "1e999", "1.5", "01", "1.", "-", "NaN", "Infinity"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "-9223372036854775809"),
    *("9" * 30, "9" * 400, "9" * 4300, "9" * 4301, "-" + "9" * 4300, "-Infinity", '"7"', '"42"'),
]
TIMES = [
    *('"2026-03-01T05:10:00Z"', '"2026-03-01 05:10:00"', '"2026-03-01T05:10:00.9999995Z"'),
    *('"0001-01-01T00:00:00+01:00"', '"9999-12-31T23:59:59-01:00"', '"2026-02-30T05:10:00Z"'),
    *('"2026-03-01T05:10:60Z"', '"2014-02-15T00:03:54-08:00"', '"2026-03-01T05:10:00+2400"'),
    *('"2026-03-01t05:10:00.25+0545"', '"2026-03-01"', "1456000000", '"0001-01-01T00:00:00"'),
]
TEXTS = [
    *('""', '"x"', '"\\u0000"', '"\\ud800"', '"\\udc80"', '"\\ud83d\\ude00"', '"\\x"', '"a\tb"'),
    *('"\xff"', '"\xc3\xa9"', '"\\ud83d"', '"\\/"', "'x'", '"../.."', '"a/b"', '"a/.."', '"a b"'),
    *('"merged"', '"closed"', '"opened"', '"PushEvent"', '"IssuesEvent"', '"PullRequestEvent"'),
    *('"PullRequest\\u0045vent"', "a" * 40, f'"{"a" * 40}"', f'"{"a" * 64}"', f'"{"a" * 63}"'),
    *(f'"{"a" * 250}"', f'"{"a" * 251}"', f'"a/{"b" * 101}"', '"--upload-pack=x"', '"A"'),
]
OTHERS = [
    *("null", "null", "true", "false", "[]", "{}", "[null]", "nul", "", "[1,]", '{"a":1,}', "[[]]"),
    *('{"id":null}', '{"id":"7"}', '{"login":null}', '[{"name":"bug"}]', '[{"name":null}]'),
    *('["bug"]', '[{"name":"a"},{"name":"b"}]', "[" * 50 + "]" * 50, '{"repo":null,"ref":"x"}'),
]
FITTING = {
    **dict.fromkeys(
        ("id", "number", "commits", "additions", "deletions", "changed_files"), NUMBERS
    ),
    **dict.fromkeys(("created_at", "merged_at"), TIMES),
    **dict.fromkeys(("type", "action", "name", "sha", "ref", "title", "body", "login"), TEXTS),
}
ODD = NUMBERS + TIMES + TEXTS + OTHERS
READ = {"payload", "pull_request", "issue", "head", "base", "repo", "user", "actor", "merged_by"}
RARE = ["[" * 100_000 + "]" * 100_000, '"' + "x" * 500_000 + '"', '{"a":' * 200 + "1" + "}" * 200]
HOLE = "@@here@@"
GARBAGE = [
    *(b"", b" ", b"\t\r", b"{}", b"{", b"}", b"[]", b"null", b"rubbish", b"\0" * 50, b"{ }"),
    *(b"<html><body>503</body></html>", b"\xef\xbb\xbf", b'{"type":"PullRequestEvent"}'),
    *(b'{"x":"PullRequestEvent"}', b'{"type":5,"x":"PullRequestEvent"}', b'{"type":"PushEvent"'),
    *(b'{"type":"PullRequestEvent","payload":null}', b'{"x":"PullRequestEvent",}', b"\x0b{}\x0c"),
    b'{"type":"PullRequestEvent","actor":"ada","created_at":"2014-02-15T00:03:54-08:00"}',
    b'{"type":"PushEvent","actor":"ada","created_at":"2014-02-15T00:03:54-08:00"}',
]
ENDINGS = (b"\r\n", b"\r", b"\n\n", b" \n", b"\n\0", b"\n\r\n ", b"")
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "utf-8-sig")


def broken(dice: Dice, lines: list[bytes]) -> bytes:
    """The text of an hour after a few things went wrong with it."""
    lines = list(lines)
    for _ in range(dice.choice((1, 2, 2, 4))):
        at = dice.randrange(len(lines))
        lines[at] = dice.choice(LINE_BREAKS)(dice, lines[at])
    plain = b"\n".join(lines) + b"\n"
    return dice.choice(HOUR_BREAKS)(dice, plain) if dice.random() < 0.25 else plain


# What a line says


def places(value: Any, *, read: bool, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Every object and list, with each of its keys, or those alone in which forge reads."""
    if depth < 5 and isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            if not read or key in READ:
                yield from places(value[key], read=read, depth=depth + 1)


def place(dice: Dice, line: bytes) -> tuple[Any, Any, Any] | None:
    """An event, and one of its places."""
    try:
        event = json.loads(line)
        found = list(places(event, read=dice.random() < 0.8))
    except (ValueError, RecursionError):
        return None
    return (event, *dice.choice(found)) if found else None


def odd(dice: Dice, key: Any) -> str:
    if dice.random() < 0.01:
        return dice.choice(RARE)
    return dice.choice(FITTING.get(key, ODD) if dice.random() < 0.6 else ODD)


def change(dice: Dice, line: bytes) -> bytes:
    """Another value, or a second one under the same key."""
    if not (found := place(dice, line)):
        return odd(dice, None).encode("latin-1")
    event, holder, key = found
    was, holder[key] = json.dumps(holder[key]), HOLE
    value = odd(dice, key)
    if isinstance(key, str) and dice.random() < 0.4:
        first, second = dice.choice(((was, value), (value, was), (was, was)))
        value = f"{first},{json.dumps(key)}:{second}"
    written = json.dumps(event, separators=dice.choice(((",", ":"), (", ", " : "))))
    return written.replace(f'"{HOLE}"', value).encode("latin-1", "replace")


def remove(dice: Dice, line: bytes) -> bytes:
    """One thing less: often the org, the actor or the repo."""
    if not (found := place(dice, line)):
        return b""
    event, holder, key = found
    if dice.random() < 0.3 and isinstance(event, dict):
        event.pop(dice.choice(("org", "actor", "repo", "id", "type", "payload")), None)
    else:
        del holder[key]
    return json.dumps(event, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")


def say_in_escapes(dice: Dice, line: bytes) -> bytes:
    """A letter of a word written as an escape."""
    at = dice.randrange(len(line) + 1)
    letter = line[at : at + 1]
    return line[:at] + b"\\u%04x" % letter[0] + line[at + 1 :] if letter.isalnum() else line


# A line as bytes


def flip(dice: Dice, line: bytes) -> bytes:
    changed = bytearray(line)
    for _ in range(dice.choice((1, 1, 3)) if line else 0):
        at = dice.randrange(len(changed))
        changed[at] = dice.choice((changed[at] ^ 1 << dice.randrange(8), dice.randrange(256)))
    return bytes(changed)


def cut(dice: Dice, line: bytes) -> bytes:
    at = dice.randrange(len(line) + 1)
    return dice.choice((line[:at], line[at:], line[: -dice.randrange(1, 4)]))


def insert(dice: Dice, line: bytes) -> bytes:
    at = dice.choice((0, 1, len(line), dice.randrange(len(line) + 1)))
    what = (
        b"\r",
        b"\0",
        b"\n",
        b"\x0b",
        b"\x1c",
        b" ",
        b"\xff",
        b"\xed\xa0\x80",
        b'"',
        b"\\",
        b"}",
    )
    return line[:at] + dice.choice((*what, b"{", b",", dice.randbytes(8))) + line[at:]


def replace(dice: Dice, _line: bytes) -> bytes:
    return dice.choice(GARBAGE)


def repeat(dice: Dice, line: bytes) -> bytes:
    return line + dice.choice((b"", b"\n", b"\r", b" ", b",")) + line


def encode(dice: Dice, line: bytes) -> bytes:
    """A line of another encoding, with what is no ASCII in it."""
    words = line.decode("utf-8", "replace").replace("e", "\xe9", dice.choice((1, 9)))
    return words.encode(dice.choice(("latin-1", "utf-8", *ENCODINGS)), "replace")


LineBreak = Callable[[Dice, bytes], bytes]
LINE_BREAKS: tuple[LineBreak, ...] = (
    *(change, change, change, change, remove, remove, say_in_escapes, flip, flip, cut, insert),
    *(insert, replace, repeat, encode),
)


# The whole text


def encode_all(dice: Dice, plain: bytes) -> bytes:
    return plain.decode("utf-8", "replace").encode(dice.choice(ENCODINGS), "replace")


def end_otherwise(dice: Dice, plain: bytes) -> bytes:
    return plain.replace(b"\n", dice.choice(ENDINGS))


def end_early(dice: Dice, plain: bytes) -> bytes:
    return dice.choice((plain[:-1], plain[: dice.randrange(len(plain) + 1)], plain[:-2]))


def begin_otherwise(dice: Dice, plain: bytes) -> bytes:
    return dice.choice((b"\xef\xbb\xbf", b"\n", b"{}\n", b"\0", GARBAGE[-1] + b"\n")) + plain


HOUR_BREAKS: tuple[LineBreak, ...] = (encode_all, end_otherwise, end_early, begin_otherwise)
