import gzip
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from archives import full, issue, packed, push, trimmed
from hypothesis import given, settings
from hypothesis import strategies as st
from read_dumps import BOTH, HOUR, counted, read

from forge import decompression, dumps
from forge.dumps import Counts, TimelineError
from forge.events import ISSUES, PULL_REQUESTS, LineError, is_timeline, read_event

OLD = {"type": "PullRequestEvent", "actor": "ada", "created_at": "2014-02-15T00:03:54-08:00"}


@pytest.mark.parametrize(
    ("event", "is_merge"),
    [
        (trimmed("merged"), True),
        (trimmed("closed"), False),
        (full("closed", merged=True), True),
        (full("closed", merged=False), False),
        (full("labeled", merged=True), False),
        (trimmed("opened"), False),
    ],
)
def test_merge_is_told_by_the_fields_of_either_era(
    tmp_path: Path, event: dict[str, Any], *, is_merge: bool
) -> None:
    _, rows = read(tmp_path, packed(event))
    assert rows["is_merge"].to_list() == [is_merge]


def test_full_payload_keeps_what_pull_requests_need(tmp_path: Path) -> None:
    _, rows = read(tmp_path, packed(push(), full(actor="bors", author="grace")))
    assert rows.row(0, named=True) == {
        "hour": HOUR,
        "line": 2,
        "type": "PullRequestEvent",
        "event_id": "13170617687",
        "created_at": datetime(2026, 3, 1, 5, 10),
        "action": "closed",
        "is_merge": True,
        "repository_id": 42,
        "repo": "kestrel/ledger",
        "number": 7,
        "pull_request_id": 4_262_949_744,
        "actor": "bors",
        "author": "grace",
        "author_type": "User",
        "merger": "bors",
        "title": "Round half to even",
        "body": "Fixes #3.",
        "labels": ["bug"],
        "is_draft": None,
        "opened_at": None,
        "merged_at": datetime(2026, 3, 1, 5, 9, 59),
        "merge_commit": "c" * 40,
        "head_sha": "a" * 40,
        "head_ref": "fix-rounding",
        "head_repository_id": 42,
        "base_ref": "main",
        "base_sha": "b" * 40,
        "commits": 1,
        "additions": 3,
        "deletions": 1,
        "changed_files": 2,
    }


def test_deleted_fork_is_no_bad_line(tmp_path: Path) -> None:
    counts, rows = read(tmp_path, packed(trimmed(head_repo=None)))
    assert counted(counts) == (1, 0, 1, 1, None)
    assert rows["head_repository_id"].to_list() == [None]


def test_what_is_no_hash_becomes_null(tmp_path: Path) -> None:
    _, rows = read(tmp_path, packed(trimmed(head_sha="--upload-pack=x")))
    assert rows["head_sha"].to_list() == [None]


@pytest.mark.parametrize(
    "line",
    [
        b"rubbish",
        b'{"type":"PullRequestEvent"',
        b'{"type":"PullRequestEvent"}',
        b'{"type":"PullRequestEvent","payload":null}',
        b'{"type":"PullRequestEvent","repo":{"id":"\xff"}}',
        b'{"x":' + b"[" * 5000 + b'"PullRequestEvent"}',
        str(trimmed(number=0)).replace("'", '"').encode(),
        str(trimmed(repository_id=2**63)).replace("'", '"').encode(),
        str(trimmed(repo="../..")).replace("'", '"').encode(),
        str(trimmed(at="soon")).replace("'", '"').encode(),
    ],
)
def test_bad_line_is_counted_and_the_rest_is_read(tmp_path: Path, line: bytes) -> None:
    line = line.replace(b"True", b"true")
    counts, rows = read(tmp_path, packed(push(), line, trimmed()))
    assert counted(counts) == (3, 1, 1, 1, None)
    assert rows["line"].to_list() == [3]


def test_other_events_that_speak_of_pull_request_events_are_good_lines(tmp_path: Path) -> None:
    label = {"type": "IssuesEvent", "payload": {"label": {"name": "PullRequestEvent"}}}
    counts, _ = read(tmp_path, packed(label, trimmed()))
    assert counted(counts) == (2, 0, 1, 1, None)


def test_blank_lines_and_carriage_returns_count_for_nothing(tmp_path: Path) -> None:
    content = gzip.compress(b"\n".join(gzip.decompress(packed(trimmed())).splitlines() * 2)[:-1])
    counts, _ = read(tmp_path, content)
    assert counted(counts) == (2, 1, 1, 1, None)
    lines = b"\r\n\r\n".join([gzip.decompress(packed(trimmed())).strip()] * 2)
    counts, _ = read(tmp_path, gzip.compress(b"\n" + lines))
    assert counted(counts) == (2, 0, 2, 2, None)


def test_line_beyond_the_bound_is_bad_and_the_next_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "LINE_BYTES", 300_000)
    huge = trimmed(actor="x" * 5_000_000)
    counts, _ = read(tmp_path, packed(huge, trimmed(), huge, trimmed(number=8)))
    assert counted(counts) == (4, 2, 2, 2, None)


def test_bomb_is_read_no_further_than_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "RAW_BYTES", 2_000_000)
    counts, _ = read(tmp_path, packed(trimmed(), b" " * 9_000_000))
    assert counted(counts) == (1, 0, 1, 1, "more than 2,000,000 bytes when decompressed")
    monkeypatch.setattr(dumps, "LINES", 1_000)
    counts, _ = read(tmp_path, packed(trimmed(), b"\n" * 9_000))
    assert counted(counts) == (1, 0, 1, 1, "more than 1,000 lines")
    monkeypatch.setattr(decompression, "MEMBERS", 1_000)
    counts, _ = read(tmp_path, packed(trimmed()) + gzip.compress(b"") * 1_001)
    assert counted(counts) == (1, 0, 1, 1, "more than 1,000 members")


def test_issues_are_kept_where_they_are_wanted_and_counted_apart(tmp_path: Path) -> None:
    lines = [issue("opened"), trimmed("merged"), issue("closed", number=8), push()]
    counts, rows = read(tmp_path, packed(*lines), types=BOTH)
    assert (counts.pull_request_events, counts.merges, counts.issue_events) == (1, 1, 2)
    told = ["line", "type", "action", "is_merge", "number", "title", "body", "author", "labels"]
    assert rows.select(told).rows() == [
        (1, ISSUES, "opened", False, 3, "Halves vanish", "1.5 gives 1.", "grace", ["bug"]),
        (2, PULL_REQUESTS, "merged", True, 7, None, None, None, None),
        (3, ISSUES, "closed", False, 8, "Halves vanish", "1.5 gives 1.", "grace", ["bug"]),
    ]
    counts, rows = read(tmp_path, packed(*lines))
    assert (counts.issue_events, rows["type"].to_list()) == (None, [PULL_REQUESTS])


@pytest.mark.parametrize("broken", [{"issue": None}, {"issue": []}, {}, {"issue": {"title": "x"}}])
def test_issue_that_does_not_say_which_is_a_bad_line(
    tmp_path: Path, broken: dict[str, Any]
) -> None:
    line = issue() | {"payload": {"action": "opened"} | broken}
    counts, _ = read(tmp_path, packed(line, issue()), types=BOTH)
    assert (counts.bad_lines, counts.issue_events) == (1, 1)


def test_marks_of_both_types_on_many_lines_hide_none(tmp_path: Path) -> None:
    speaking = issue() | {"x": "PullRequestEvent"}
    lines = [trimmed(), trimmed(), issue(), speaking, push(), trimmed() | {"x": "IssuesEvent"}]
    counts, rows = read(tmp_path, packed(*lines), types=BOTH)
    assert rows["line"].to_list() == [1, 2, 3, 4, 6]
    assert (counts.pull_request_events, counts.issue_events) == (3, 2)


def test_real_lines_of_the_trimmed_era_are_good(shared: Path, tmp_path: Path) -> None:
    content = (shared / "data/gharchive/trimmed/2026-08-12-14_four_real_events.ndjson").read_bytes()
    counts, rows = read(tmp_path, gzip.compress(content))
    assert counted(counts) == (4, 0, 1, 0, None)
    assert rows.select("action", "labels", "actor").rows() == [
        ("labeled", [":arrow_heading_down: pull"], "pull[bot]")
    ]


def test_format_of_before_2015_is_told_by_the_first_line_that_is_an_event(tmp_path: Path) -> None:
    with pytest.raises(TimelineError):
        read(tmp_path, packed(b"rubbish", OLD, trimmed()))
    counts, _ = read(tmp_path, packed(trimmed(), OLD))
    assert counted(counts) == (2, 1, 1, 1, None)


@pytest.mark.parametrize("broken", [b"rubbish", b"{}", b'{"type":"PushEvent"', b'["x"]', b"\r"])
def test_format_of_before_2015_is_told_though_the_first_line_is_broken(
    tmp_path: Path, broken: bytes
) -> None:
    with pytest.raises(TimelineError):
        read(tmp_path, packed(broken, OLD))


def test_carriage_return_ends_no_line_that_tells_the_format(tmp_path: Path) -> None:
    old = gzip.decompress(packed(OLD))
    counts, _ = read(tmp_path, packed(b"{}\r" + old.strip(), trimmed()))
    assert counted(counts) == (2, 1, 1, 1, None)


def test_rows_are_written_in_groups_without_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "GROUP_ROWS", 3)
    _, rows = read(tmp_path, packed(*[trimmed(number=n) for n in range(1, 9)]))
    assert rows["number"].to_list() == [*range(1, 9)]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_line_raises_anything_but_line_error(data: st.DataObject) -> None:
    event = full()
    places = [event, event["payload"], event["payload"]["pull_request"], event["repo"]]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from([*place]))] = data.draw(json)
    line = bytearray(gzip.decompress(packed(event)).strip())
    for at in data.draw(st.lists(st.integers(0, len(line) - 1), max_size=3)):
        line[at] = data.draw(st.integers(0, 255))
    for judge in (is_timeline, lambda text: read_event(text, types=BOTH, hour=HOUR, number=1)):
        try:
            judge(bytes(line))
        except LineError:
            continue


@settings(max_examples=50, deadline=None)
@given(pieces=st.lists(st.binary(max_size=40) | st.sampled_from([b"\n", b"{", b"}", b"{}\n"])))
def test_no_content_of_an_hour_raises(
    pieces: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    counts, _ = read(tmp_path_factory.mktemp("hour"), gzip.compress(b"".join(pieces)))
    assert counts.bad_lines <= counts.lines


def test_line_that_comes_byte_by_byte_is_held_in_as_many_bytes(tmp_path: Path) -> None:
    with dumps.EventWriter(tmp_path / "events") as writer:
        lines = dumps.Lines(Counts(), writer, HOUR, BOTH)
        tracemalloc.start()
        for number in range(100_000):
            lines.feed(b"%x" % (number % 200))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1_000_000
