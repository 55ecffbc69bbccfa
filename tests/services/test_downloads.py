"""Hours that come in pieces, late, twice or wrongly, over real connections."""

import asyncio
import base64
import hashlib
import time

import httpx
import pytest
import stamina
from archives import Answer, serve
from bringing import AGAIN, ANEW, GOOD, HOUR, LEFT, NAME, ONE, OTHER, bring, broken

from forge.errors import ServiceError
from forge.services import downloads
from forge.services.downloads import ChecksumError, Downloads
from forge.settings import Settings

SHA = hashlib.sha256(GOOD).hexdigest()
TWO = {"ETag": '"two"'}
DATED = {"Last-Modified": "Sun, 01 Mar 2026 06:05:00 GMT", "Date": "Sun, 08 Mar 2026 06:00:00 GMT"}
LATER = DATED | {"Last-Modified": "Sun, 01 Mar 2026 06:07:00 GMT"}
JUST_NOW = DATED | {"Date": "Sun, 01 Mar 2026 06:05:59 GMT"}


def part(first: int, body: bytes, total: object, **headers: str) -> Answer:
    """The rest of an hour, as a server says."""
    place = f"bytes {first}-{first + len(body) - 1}/{total}"
    return Answer(206, body, {"Content-Range": place} | headers)


@pytest.mark.parametrize(
    ("told", "validator"), [(ONE, '"one"'), (DATED, DATED["Last-Modified"]), (ONE | DATED, '"one"')]
)
def test_broken_download_goes_on_from_the_bytes_held(tmp_path, told, validator):
    with serve({NAME: GOOD}, [broken(**told)]) as archive:
        archive.told = told
        download, content = bring(archive.url, tmp_path)
    assert archive.ranges == [ANEW, (f"bytes={LEFT}-", validator)]
    assert (content, download.bytes, download.sha256) == (GOOD, len(GOOD), SHA)


@pytest.mark.parametrize("told", [{}, {"ETag": 'W/"one"'}, JUST_NOW, {"Last-Modified": "noon"}])
def test_download_whose_version_nobody_vouches_for_starts_anew(tmp_path, told):
    with serve({NAME: GOOD}, [broken(**told)]) as archive:
        archive.told = told
        assert bring(archive.url, tmp_path)[1] == GOOD
    assert archive.ranges == [ANEW, ANEW]


@pytest.mark.parametrize("told", [{}, TWO])
def test_whole_answer_to_the_wish_for_a_part_replaces_what_was_held(tmp_path, told):
    with serve({NAME: OTHER}, [broken(**ONE)]) as archive:
        archive.told = told
        assert bring(archive.url, tmp_path)[1] == OTHER
    assert archive.ranges == [ANEW, AGAIN]


@pytest.mark.parametrize(
    "wrong",
    [
        part(LEFT + 1, GOOD[LEFT + 1 :], len(GOOD)),
        part(0, GOOD, len(GOOD)),
        part(LEFT, OTHER[LEFT:], len(OTHER)),
        part(LEFT, GOOD[LEFT:], len(GOOD), **TWO),
        part(LEFT, GOOD[LEFT:], "many"),
        Answer(206, GOOD[LEFT:]),
        Answer(206, b"--x\r\n", {"Content-Type": "multipart/byteranges; boundary=x"}),
        Answer(416, headers={"Content-Range": f"bytes */{LEFT}"}),
        Answer(416),
    ],
)
def test_answer_that_is_not_the_rest_is_never_joined_to_what_was_held(tmp_path, wrong):
    with serve({NAME: GOOD}, [broken(**ONE), wrong]) as archive:
        archive.told = ONE
        assert bring(archive.url, tmp_path)[1] == GOOD
    assert archive.ranges == [ANEW, AGAIN, ANEW]


def test_rest_of_another_date_is_never_joined_to_what_was_held(tmp_path):
    changed = part(LEFT, OTHER.ljust(len(GOOD))[LEFT:], len(GOOD), **LATER)
    with serve({NAME: GOOD}, [broken(**DATED), changed]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD
    assert len(archive.asked) == 3


def test_part_that_nobody_wished_for_is_no_hour(tmp_path):
    unasked = part(0, GOOD[:LEFT], len(GOOD))
    with (
        serve(first=[unasked] * 9) as archive,
        pytest.raises(ServiceError, match="another part of the file than was asked for"),
    ):
        bring(archive.url, tmp_path)
    assert archive.ranges == [ANEW] * 3


def test_rest_that_comes_in_several_parts_is_joined(tmp_path):
    parts = [part(LEFT, GOOD[LEFT:60], len(GOOD)), part(60, GOOD[60:], len(GOOD))]
    with serve(first=[broken(**ONE), *parts]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD
    assert archive.ranges == [ANEW, AGAIN, ("bytes=60-", '"one"')]


def checksums(content: bytes) -> list[dict[str, str]]:
    md5, sha = (
        base64.b64encode(hashlib.new(n, content).digest()).decode() for n in ("md5", "sha256")
    )
    return [
        {"x-goog-hash": f"crc32c=n03x6A==,md5={md5}"},
        {"Content-MD5": md5},
        {"Repr-Digest": f"sha-256=:{sha}:"},
        {"Digest": f"SHA-256={sha}"},
        {"Digest": f"md5={md5}"},
    ]


@pytest.mark.parametrize("number", range(5))
def test_hour_of_another_checksum_is_brought_again(tmp_path, number):
    right, wrong = checksums(GOOD)[number], checksums(OTHER)[number]
    with serve(
        {NAME: GOOD}, [Answer(body=GOOD, headers=wrong), Answer(body=OTHER, headers=right)]
    ) as archive:
        archive.told = right
        download, content = bring(archive.url, tmp_path)
    assert (len(archive.asked), content, download.is_proven) == (3, GOOD, True)


def test_checksum_that_stays_wrong_is_named_and_nothing_is_kept(tmp_path):
    with (
        serve(first=[Answer(body=GOOD, headers=checksums(OTHER)[0])] * 9) as archive,
        pytest.raises(ChecksumError) as error,
    ):
        bring(archive.url, tmp_path, raw=tmp_path / "raw")
    assert str(error.value) == (
        f"{archive.url}/{NAME}.json.gz has another md5 than its server says"
    )
    assert (len(archive.asked), [*(tmp_path / "raw").iterdir()]) == (3, [])


@pytest.mark.parametrize(
    "told", [{"Content-MD5": "rubbish"}, {"Content-MD5": "AAAA"}, {"Digest": "sha-256=?"}]
)
def test_checksum_that_is_none_says_nothing(tmp_path, told):
    with serve(first=[Answer(body=GOOD, headers=told)]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD


def test_checksum_is_of_the_whole_file_where_it_came_in_parts(tmp_path):
    told = ONE | checksums(GOOD)[1]
    with serve({NAME: GOOD[:LEFT].ljust(len(GOOD))}, [broken(**told)]) as archive:
        archive.told = told
        with pytest.raises(ChecksumError):
            bring(archive.url, tmp_path)
    assert archive.ranges == [ANEW, AGAIN, ANEW]


def test_server_that_promises_more_than_it_sends_is_an_outage(tmp_path):
    with (
        serve(first=[Answer(body=GOOD, cut=9)] * 9) as archive,
        pytest.raises(ServiceError, match=r"5\.json\.gz: peer closed"),
    ):
        bring(archive.url, tmp_path)
    assert len(archive.asked) == 3


def test_server_that_sends_more_than_it_promises_is_found_by_its_checksum(tmp_path):
    cut = Answer(body=GOOD, cut=-9, headers=checksums(GOOD)[0])
    with serve({NAME: GOOD}, [cut]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD
    assert len(archive.asked) == 2


@pytest.mark.parametrize(
    ("constant", "bound", "words"),
    [
        ("SECONDS", httpx.Timeout(0.3), "ReadTimeout"),
        ("LEAST_SECONDS", 0.4, "fewer than 500,000 bytes came within 0.4 seconds"),
    ],
)
def test_stalling_server_is_left_and_asked_for_the_rest(
    tmp_path, monkeypatch, constant, bound, words
):
    monkeypatch.setattr(downloads, constant, bound)
    stalled = Answer(body=GOOD, headers=ONE, quick=LEFT, drip=30)
    with serve({NAME: GOOD}, [stalled]) as archive:
        archive.told = ONE
        assert bring(archive.url, tmp_path)[1] == GOOD
        assert archive.ranges == [ANEW, AGAIN]
        archive.first += [stalled] * 9
        with pytest.raises(ServiceError, match=words):
            bring(archive.url, tmp_path)


def test_dripping_server_is_left_however_much_came_at_first(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LEAST_SECONDS", 0.5)
    monkeypatch.setattr(downloads, "LEAST_BYTES", 100)
    dripping = Answer(body=bytes(100_000), quick=99_000, drip=0.05)
    began = time.monotonic()
    with (
        serve(first=[dripping] * 9) as archive,
        pytest.raises(ServiceError, match="100 bytes came"),
    ):
        bring(archive.url, tmp_path)
    assert len(archive.asked) == 3
    assert time.monotonic() - began < 20


def test_slow_download_goes_on_as_long_as_enough_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LEAST_SECONDS", 1.0)
    monkeypatch.setattr(downloads, "LEAST_BYTES", 10)
    slow = Answer(body=GOOD, quick=len(GOOD) - 60, drip=0.03)  # 1.8 seconds
    with serve(first=[slow]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD


def test_archive_that_says_later_is_asked_by_nobody_until_then(tmp_path):
    async def asked(url: str) -> list[float]:
        settings = Settings(root=tmp_path, archive_url=url)
        async with Downloads.open(settings) as opened:
            began = time.monotonic()
            await opened.bring(HOUR, tmp_path / "one")
            refused = asyncio.create_task(opened.bring(HOUR, tmp_path / "two"))
            await asyncio.sleep(0.3)
            others = [opened.bring(HOUR, tmp_path / f"{n}") for n in range(3)]
            await asyncio.gather(refused, *others)
            return time.monotonic() - began

    with serve({NAME: GOOD}) as archive, stamina.set_testing(testing=True, attempts=3):
        archive.first += [Answer(body=GOOD), Answer(429, headers={"Retry-After": "2"})]
        assert asyncio.run(asked(archive.url)) > 2
    assert len(archive.asked) == 6
