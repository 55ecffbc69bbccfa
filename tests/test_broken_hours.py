import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from archives import full, packed, push, trimmed
from fire import difference
from read_dumps import counted, read

from forge.events import PULL_REQUESTS

GOOD = (1, 0, 1, 1)


def said(line: dict[str, Any], old: str, new: str) -> bytes:
    """A line in which one thing is said otherwise."""
    text = json.dumps(line)
    assert text.count(old) == 1
    return text.replace(old, new).encode()


def without(line: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in keys}


def paid(**payload: Any) -> dict[str, Any]:
    """An event whose payload says something else."""
    event = full()
    return event | {"payload": event["payload"] | payload}


def test_file_cut_at_any_byte_is_read_as_the_plain_reader_reads_it(tmp_path: Path) -> None:
    content = packed(push(), trimmed()) + packed(full(number=8), b"{}", trimmed(number=9))
    found = {
        cut: difference(content[:cut], tmp_path, (PULL_REQUESTS,)) for cut in range(len(content))
    }
    assert {cut: said for cut, said in found.items() if said} == {}


def test_file_with_any_byte_changed_is_read_as_the_plain_reader_reads_it(tmp_path: Path) -> None:
    content = packed(push(), trimmed()) + packed(trimmed(number=9))
    found = {
        at: difference(content[:at] + b"\xa5" + content[at + 1 :], tmp_path, (PULL_REQUESTS,))
        for at in range(len(content))
    }
    assert {at: said for at, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"", "empty file"),
        (bytes(99), "not gzip: begins with b'\\x00\\x00"),
        (b"<!DOCTYPE html><html>503</html>", "not gzip: begins with b'<!DOCTYPE html><'"),
        (gzip.compress(b""), "no lines"),
        (gzip.compress(bytes(99)), "no line is an event"),
        (gzip.compress(b"<html>\n<body>503</body>\n</html>\n"), "no line is an event"),
        (gzip.compress(json.dumps(full()).encode("utf-16")), "no line is an event"),
        (gzip.compress(b"\xef\xbb\xbf" + json.dumps(full()).encode()), "no line is an event"),
        (gzip.compress(packed(full())), "no line is an event"),
    ],
    ids=[
        "none",
        "zeros",
        "page",
        "no line",
        "zero bytes",
        "packed page",
        "utf-16",
        "mark",
        "twice",
    ],
)
def test_file_that_holds_no_event_says_what_is_damaged(
    tmp_path: Path, content: bytes, damage: str
) -> None:
    counts, rows = read(tmp_path, content)
    assert str(counts.damage).startswith(damage)
    assert (counts.merges, len(rows)) == (0, 0)


def test_garbage_between_lines_is_bad_and_the_lines_around_it_are_read(tmp_path: Path) -> None:
    garbage = b"\x00\xff\x1f\x8b \x85 rubbish\r\n<html>\n\n\t\n{\n}\n]}"
    counts, rows = read(tmp_path, packed(trimmed(number=1), garbage, trimmed(number=2)))
    assert counted(counts) == (7, 5, 2, 2, None)
    assert rows["line"].to_list() == [1, 9]


@pytest.mark.parametrize(
    "line",
    [
        paid(pull_request=None),
        paid(action=None),
        paid(number="7"),
        paid(number=2**63),
        paid(number=10**400),
        paid(number=7.0),
        full() | {"repo": None},
        full() | {"payload": None},
        full() | {"payload": []},
        full() | {"repo": {"id": "42", "name": "kestrel/ledger"}},
        full() | {"repo": {"id": 2**64, "name": "kestrel/ledger"}},
        full() | {"repo": {"id": 42}},
        full() | {"actor": "ada"},
        full() | {"created_at": 1_456_000_000},
        without(full(), "repo"),
        without(full(), "payload"),
        without(full(), "created_at"),
        said(full(), '"additions": 3', '"additions": 03'),
        said(full(), '"additions": 3', '"additions": NaN'),
        said(full(), '"additions": 3', '"additions": "x", "additions": 3'),
        said(full(), '"title": "Round', '"title": "\\ud800Round'),
        said(full(), '"public": true', '"public": "\\ud800"'),
        said(full(), '"public": true', '"public": "a\tb"'),
        said(full(), '"public": true', '"public": ' + "[" * 100_000 + "]" * 100_000),
        json.dumps(full()).encode("utf-16-le"),
        json.dumps(full(title="caf\xe9"), ensure_ascii=False).encode("latin-1"),
    ],
    ids=range(26),
)
def test_event_that_does_not_say_what_it_must_is_bad(tmp_path: Path, line: Any) -> None:
    counts, _ = read(tmp_path, packed(trimmed(), line))
    assert counted(counts) == (2, 1, 1, 1, None)


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (without(full(), "org", "actor"), {"actor": None, "number": 7}),
        (full() | {"org": None, "actor": None}, {"actor": None}),
        (full() | {"id": 13_170_617_687}, {"event_id": "13170617687"}),
        (full() | {"id": 10**400}, {"event_id": "1" + "0" * 400}),
        (without(full(), "id"), {"event_id": None}),
        (paid(number=None), {"number": 7}),
        (full() | {"org": {"id": 2**80, "login": ["x"]}}, {"repository_id": 42}),
        (full() | {"created_at": "2026-03-01T06:10:00+01:00"}, {}),
        (said(full(), '"additions": 3', '"additions": 3, "additions": 9'), {"additions": 9}),
        (said(full(), '"title": ', '"title": "Old", "title": '), {"title": "Round half to even"}),
        (said(full(), '"public": true', '"public": ' + "[" * 300 + "]" * 300), {"number": 7}),
        (said(full(), '"public": true', '"public": 1e999'), {"number": 7}),
        (said(full(), '"public": true', '"public": ' + "9" * 9_000), {"number": 7}),
        (said(full(), '"public": true', '"t\\u0079pe": "PullRequestEvent"'), {"number": 7}),
        (full(title="\0\x7f\u2028"), {"title": "\0\x7f\u2028"}),
        (said(full(), '"public": true', '"public": "@"').replace(b"@", b"caf\xe9"), {"number": 7}),
    ],
    ids=range(16),
)
def test_event_that_says_what_it_must_is_good_though_the_rest_is_odd(
    tmp_path: Path, line: Any, known: dict[str, Any]
) -> None:
    counts, rows = read(tmp_path, packed(line))
    assert counted(counts) == (*GOOD, None)
    [row] = rows.to_dicts()
    assert {key: row[key] for key in known} == known
    assert f"{row['created_at']}" == "2026-03-01 05:10:00"
