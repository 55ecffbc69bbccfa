"""Hourly files in a folder: read where they stand, kept when they are whole."""

import asyncio
import json
from pathlib import Path

import pytest
from archives import Answer, packed, push, serve, trimmed
from bringing import AGAIN, ANEW, GOOD, HOUR, LEFT, NAME, ONE, OTHER, bring, broken, read
from disasters import read_only

from forge.errors import ServiceError
from forge.services import downloads
from forge.services.downloads import AbsentError, Download, Downloads
from forge.settings import Settings

FILE = f"{NAME}.json.gz"
GONE = {"Date": "Sun, 08 Mar 2026 06:00:00 GMT"}
YOUNG = {"Date": "Sun, 08 Mar 2026 05:59:59 GMT"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def leave(raw: Path, content: bytes, **notes: object) -> None:
    """What a killed process has left of an hour."""
    raw.mkdir()
    (raw / f"{FILE}.part").write_bytes(content)
    (raw / f"{FILE}.version").write_text(json.dumps(notes))


def test_downloaded_file_is_kept_and_not_asked_for_again(tmp_path):
    with serve({NAME: GOOD}) as archive:
        brought = [bring(archive.url, tmp_path, raw=tmp_path / "raw") for _ in range(2)]
    assert [content for _, content in brought] == [GOOD, GOOD]
    assert brought[0][0].path == tmp_path / "raw" / FILE
    assert brought[0][0].sha256 == brought[1][0].sha256
    assert (archive.asked, names(tmp_path / "raw")) == ([FILE], [FILE])


def test_without_a_folder_of_its_own_nothing_is_kept_and_the_roots_is_read(tmp_path):
    with serve({NAME: GOOD}) as archive:
        assert bring(archive.url, tmp_path)[0].path == tmp_path / "draft"
        assert names(tmp_path) == ["draft"]
        (tmp_path / "raw").mkdir()
        (tmp_path / "raw" / FILE).write_bytes(OTHER)
        assert bring(archive.url, tmp_path)[1] == OTHER
    assert archive.asked == [FILE]


def test_file_that_somebody_put_there_is_read_without_any_request(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / FILE).write_bytes(GOOD)
    assert bring("http://127.0.0.1:9", tmp_path, raw=tmp_path / "raw")[1] == GOOD


def test_folder_that_nobody_may_write_is_read(tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / FILE).write_bytes(GOOD)
    with read_only(tmp_path / "raw", tmp_path / "mirror") as raw:
        assert bring("http://127.0.0.1:9", tmp_path, raw=raw)[1] == GOOD


def test_hour_that_may_still_appear_leaves_no_file(tmp_path):
    with serve(first=[Answer(404, headers=YOUNG)]) as archive, pytest.raises(AbsentError):
        bring(archive.url, tmp_path, raw=tmp_path / "raw")
    assert names(tmp_path / "raw") == []


def test_gap_of_the_archive_is_noted_and_not_asked_for_again(tmp_path):
    raw = tmp_path / "raw"
    with serve(first=[Answer(404, headers=GONE)]) as archive:
        for _ in range(2):
            with pytest.raises(AbsentError) as caught:
                bring(archive.url, tmp_path, raw=raw)
            assert not caught.value.is_early(HOUR)
    assert (archive.asked, names(raw)) == ([FILE], [f"{NAME}.missing"])


def test_broken_file_that_stands_counts_where_the_archive_does_not_answer(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / FILE).write_bytes(GOOD[:-9])
    row = read("http://127.0.0.1:9", tmp_path)
    assert (row["status"], row["lines"], row["merges"]) == ("corrupt", 2, 1)


def test_part_lies_beside_under_another_name_and_another_process_goes_on_from_it(tmp_path):
    raw = tmp_path / "raw"
    with serve({NAME: GOOD}, [broken(**ONE)] + [Answer(503)] * 2) as archive:
        archive.told = ONE
        with pytest.raises(ServiceError):
            bring(archive.url, tmp_path, raw=raw)
        assert names(raw) == [f"{FILE}.part", f"{FILE}.version"]
        assert (raw / f"{FILE}.part").read_bytes() == GOOD[:LEFT]
        assert bring(archive.url, tmp_path, raw=raw)[1] == GOOD
    assert archive.ranges == [ANEW, AGAIN, AGAIN, AGAIN]
    assert names(raw) == [FILE]


def test_part_that_was_whole_when_its_process_was_killed_is_not_asked_for_again(tmp_path):
    with serve() as archive:
        url = f"{archive.url}/{FILE}"
        leave(tmp_path / "raw", GOOD, url=url, etag='"one"', total=len(GOOD))
        assert bring(archive.url, tmp_path, raw=tmp_path / "raw")[1] == GOOD
    assert (archive.asked, names(tmp_path / "raw")) == ([], [FILE])


def test_part_of_a_length_never_told_is_whole_when_the_server_has_no_more(tmp_path):
    with serve({NAME: GOOD}) as archive:
        archive.told = ONE
        leave(tmp_path / "raw", GOOD, url=f"{archive.url}/{FILE}", etag='"one"')
        assert bring(archive.url, tmp_path, raw=tmp_path / "raw")[1] == GOOD
    assert archive.ranges == [(f"bytes={len(GOOD)}-", '"one"')]


@pytest.mark.parametrize(
    "notes",
    [
        {"url": "http://mirror.example.org/2026-03-01-5.json.gz", "etag": '"one"'},
        {"url": 7},
        {},
    ],
)
def test_part_of_another_address_or_of_nobody_knows_what_starts_anew(tmp_path, notes):
    with serve({NAME: GOOD}) as archive:
        archive.told = ONE
        leave(tmp_path / "raw", OTHER[:LEFT], **notes)
        assert bring(archive.url, tmp_path, raw=tmp_path / "raw")[1] == GOOD
    assert archive.ranges == [ANEW]


def test_part_longer_than_the_file_starts_anew(tmp_path):
    with serve({NAME: GOOD}) as archive:
        archive.told = ONE
        notes = {"url": f"{archive.url}/{FILE}", "etag": '"one"', "total": len(GOOD)}
        leave(tmp_path / "raw", GOOD + b"x", **notes)
        assert bring(archive.url, tmp_path, raw=tmp_path / "raw")[1] == GOOD
    assert archive.ranges == [(f"bytes={len(GOOD) + 1}-", '"one"'), ANEW]


def test_hour_wanted_twice_at_once_is_asked_for_once(tmp_path):
    async def asked(url: str) -> list[Download]:
        settings = Settings(root=tmp_path, archive_url=url, raw=tmp_path / "raw")
        async with Downloads.open(settings) as one, Downloads.open(settings) as other:
            both = [one.bring(HOUR, tmp_path / "a"), other.bring(HOUR, tmp_path / "b")]
            return await asyncio.gather(*both)

    slow = Answer(body=GOOD, quick=len(GOOD) - 5, drip=0.1)
    with serve(first=[slow]) as archive:
        brought = asyncio.run(asked(archive.url))
    assert [download.path.read_bytes() for download in brought] == [GOOD, GOOD]
    assert (archive.asked, names(tmp_path / "raw")) == ([FILE], [FILE])


def test_file_without_end_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "DUMP_BYTES", 100)
    with serve(first=[Answer(body=GOOD)]) as archive:
        download, _ = bring(archive.url, tmp_path, raw=tmp_path / "raw")
    assert (download.path, download.damage) == (tmp_path / "draft", "more than 100 bytes")
    assert names(tmp_path / "raw") == []


@pytest.mark.parametrize("standing", [b"", GOOD[:-9], b"<html>log in", b"rubbish"])
def test_broken_file_that_stands_is_brought_again_and_the_archives_counts(tmp_path, standing):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / FILE).write_bytes(standing)
    with serve({NAME: GOOD}) as archive:
        row = read(archive.url, tmp_path)
    assert (row["status"], row["lines"], row["bytes"]) == ("ok", 2, len(GOOD))


def test_broken_file_that_stands_counts_where_the_archive_has_none(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / FILE).write_bytes(GOOD[:-9])
    with serve(first=[Answer(404, headers=GONE)]) as archive:
        row = read(archive.url, tmp_path)
    assert (row["status"], row["lines"]) == ("corrupt", 2)


def test_hour_that_breaks_after_it_came_in_parts_is_brought_again_in_one(tmp_path):
    bent = GOOD[:LEFT].ljust(len(GOOD), b"\0")
    place = {"Content-Range": f"bytes {LEFT}-{len(GOOD) - 1}/{len(GOOD)}"}
    with serve({NAME: GOOD}, [broken(**ONE), Answer(206, bent[LEFT:], place)]) as archive:
        archive.told = ONE
        row = read(archive.url, tmp_path)
    assert (row["status"], row["lines"]) == ("ok", 2)
    assert archive.ranges == [ANEW, AGAIN, ANEW]


def test_broken_hour_of_the_archive_is_asked_for_once(tmp_path):
    with serve({NAME: GOOD[:-9]}) as archive:
        assert read(archive.url, tmp_path)["status"] == "corrupt"
    assert len(archive.asked) == 1


def test_hour_of_a_length_never_told_is_brought_again_where_it_breaks(tmp_path):
    cut = Answer(body=GOOD[:-9], is_measured=False)
    with serve({NAME: GOOD}, [cut]) as archive:
        assert read(archive.url, tmp_path)["status"] == "ok"
    assert len(archive.asked) == 2


def test_no_more_hours_are_downloaded_at_once_than_the_settings_allow(tmp_path):
    async def asked(url: str) -> None:
        settings = Settings(root=tmp_path, archive_url=url, downloads=2)
        async with Downloads.open(settings) as opened:
            hours = [HOUR.replace(hour=number) for number in range(6)]
            await asyncio.gather(*(opened.bring(h, tmp_path / f"{h.hour}") for h in hours))

    lines = packed(trimmed(), push())
    slow = Answer(body=lines, quick=len(lines) - 3, drip=0.1)
    with serve(first=[slow] * 6) as archive:
        asyncio.run(asked(archive.url))
    assert (len(archive.asked), archive.at_once) == (6, 2)


def test_login_of_the_archive_is_in_no_file_and_no_name(tmp_path):
    raw = tmp_path / "raw"
    with serve(first=[broken(**ONE)] + [Answer(503)] * 2) as archive:
        url = archive.url.replace("http://", "http://ada:s3cret@")
        with pytest.raises(ServiceError) as error:
            bring(url, tmp_path, raw=raw)
    held = [*raw.iterdir()]
    assert len(held) == 2
    texts = [str(error.value), *map(str, held), *(str(path.read_bytes()) for path in held)]
    assert [text for text in texts if "s3cret" in text] == []
