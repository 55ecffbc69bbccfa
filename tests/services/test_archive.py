import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from archives import Answer, packed, serve
from bringing import GOOD, NAME, read

from forge.artifacts import Artifacts
from forge.effect import Failure, Row
from forge.errors import ServiceError
from forge.services.archive import Archive
from forge.settings import Settings

YOUNG = {"Date": "Sun, 08 Mar 2026 05:59:59 GMT"}
OLD = {"Date": "Sun, 08 Mar 2026 06:00:00 GMT"}
FACTS = ("status", "lines", "bad_lines", "pull_request_events", "merges")


def facts(row: Row | Failure) -> tuple[Any, ...]:
    assert isinstance(row, dict)
    return tuple(row[name] for name in FACTS)


def drafts(folder: Path) -> list[Path]:
    return [*(folder / "artifacts" / ".drafts").iterdir()]


def test_hour_is_asked_for_without_padding_and_its_events_are_an_artifact(tmp_path: Path) -> None:
    with serve({NAME: GOOD}) as archive:
        row = read(archive.url, tmp_path)
    assert archive.asked == ["2026-03-01-5.json.gz"]
    assert facts(row) == ("ok", 2, 0, 1, 1)
    assert isinstance(row, dict)
    events = pl.read_parquet(Artifacts(tmp_path / "artifacts").path(row["events"]))
    assert events.select("repo", "number", "action").rows() == [("kestrel/ledger", 7, "merged")]
    assert row["bytes"] == len(GOOD)
    assert drafts(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2015/2015-01-01-1.json.gz", (7427, 293, 89)),
        ("2015/2015-01-01-3.json.gz", (5971, 221, 93)),
        ("2015/2015-01-01-4.json.gz", (5869, 202, 73)),
        ("2015/2015-01-01-5.json.gz", (5887, 179, 53)),
        ("2015/2015-01-01-15.json.gz", (11351, 474, 175)),
        ("2016-2025/2021-07-21-6to9_200each_pinot.json", (800, 64, 25)),
        ("derived/derived_trimmed_from_2015-01-01-15.json.gz", (11351, 474, 175)),
    ],
)
def test_real_hours_are_counted_exactly(
    shared: Path, tmp_path: Path, name: str, expected: tuple[int, ...]
) -> None:
    content = (shared / "data" / "gharchive" / name).read_bytes()
    with serve({NAME: content if name.endswith(".gz") else gzip.compress(content)}) as archive:
        lines, pull_requests, merges = expected
        assert facts(read(archive.url, tmp_path)) == ("ok", lines, 0, pull_requests, merges)


def test_hour_of_before_2015_is_refused_by_name(shared: Path, tmp_path: Path) -> None:
    content = (shared / "data/gharchive/timeline/2014-02-15-0.json.gz").read_bytes()
    with serve({NAME: content}) as archive:
        assert read(archive.url, tmp_path) == Failure(
            "data",
            "timeline_format",
            "2026-03-01-5 is in the Timeline format of before 2015, which names no repository's id",
        )
    assert drafts(tmp_path) == []


def test_absent_hour_is_pending_for_seven_days_after_its_end(tmp_path: Path) -> None:
    with serve(first=[Answer(404, headers=YOUNG)]) as archive:
        pending = read(archive.url, tmp_path)
    assert pending == Failure("pending", "not_published", "2026-03-01-5 is not published yet")


def test_absent_hour_is_missing_thereafter(tmp_path: Path) -> None:
    with serve(first=[Answer(404, headers=OLD)]) as archive:
        assert facts(read(archive.url, tmp_path)) == ("missing", None, None, None, None)


def test_cut_off_file_keeps_the_good_lines_before_the_break(tmp_path: Path) -> None:
    with serve({NAME: GOOD[:-9]}) as archive:
        row = read(archive.url, tmp_path)
    assert facts(row) == ("corrupt", 2, 0, 1, 1)
    assert isinstance(row, dict)
    assert row["damage"] == f"gzip is cut off at byte {len(GOOD) - 9}"


@pytest.mark.parametrize(
    ("body", "damage"),
    [
        (b"", "empty file"),
        (b"PK rubbish", "not gzip: begins with b'PK rubbish'"),
        (gzip.compress(b"", mtime=0), "no lines"),
        (packed(b"rubbish"), "no line is an event"),
    ],
)
def test_file_without_events_is_corrupt(tmp_path: Path, body: bytes, damage: str) -> None:
    with serve(first=[Answer(body=body)]) as archive:
        row = read(archive.url, tmp_path)
    assert isinstance(row, dict)
    assert (row["status"], row["damage"]) == ("corrupt", damage)


def test_web_page_in_the_place_of_an_hour_is_an_outage_and_never_remembered(tmp_path: Path) -> None:
    page = Answer(body=b"\n<!doctype html><title>Please log in</title>")
    with serve(first=[page]) as archive, pytest.raises(ServiceError) as error:
        read(archive.url, tmp_path)
    assert str(error.value) == (
        f"{archive.url}/2026-03-01-5.json.gz is a web page, no gzip file\n"
        "set FORGE_ARCHIVE_URL to the folder of hourly files, or try again later"
    )


def test_archive_that_nobody_serves_leaves_no_draft(tmp_path: Path) -> None:
    with serve() as archive:
        pass
    with pytest.raises(ServiceError):
        read(archive.url, tmp_path)
    assert drafts(tmp_path) == []


def test_checksum_that_stays_wrong_is_asked_again_by_later_builds(tmp_path: Path) -> None:
    wrong = Answer(body=GOOD, headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    with serve(first=[wrong] * 3) as archive:
        assert read(archive.url, tmp_path) == Failure(
            "infra",
            "wrong_checksum",
            f"{archive.url}/2026-03-01-5.json.gz has another md5 than its server says",
        )


def test_password_in_the_address_stays_out_of_identity_and_messages(tmp_path: Path) -> None:
    address = "http://ada:secret@127.0.0.1:9/hours/"
    settings = Settings(root=tmp_path, archive_url=address)
    identity = Archive.open(settings, Artifacts(tmp_path)).identity
    assert identity == "http://127.0.0.1:9/hours"
    with pytest.raises(ServiceError) as error:
        read(address, tmp_path)
    assert "secret" not in str(error.value)
