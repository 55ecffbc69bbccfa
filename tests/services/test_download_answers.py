"""What an archive says in the place of an hour."""

import pytest
from archives import Answer, serve
from bringing import GOOD, NAME, bring

from forge.errors import InputError, ServiceError

ENDLESS = "9" * 5000  # more than Python makes a number of


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(503),
        Answer(500, b"<html>"),
        Answer(429, headers={"Retry-After": "0"}),
        Answer(503, headers={"Retry-After": "Sun, 01 Mar 2026 05:00:00 GMT"}),
        Answer(200, GOOD[:40], cut=100),
    ],
)
def test_passing_trouble_is_asked_again(tmp_path, trouble):
    with serve({NAME: GOOD}, first=[trouble, trouble]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD
    assert len(archive.asked) == 3


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(416, headers={"Content-Range": f"bytes */{ENDLESS}"}),
        Answer(206, GOOD[40:], {"Content-Range": f"bytes {ENDLESS}-9/9"}),
        Answer(206, GOOD[40:], {"Content-Range": f"bytes 40-9/{ENDLESS}"}),
    ],
)
def test_place_of_endless_digits_is_asked_again(tmp_path, trouble):
    begun = Answer(200, GOOD[:40], {"ETag": '"one"'}, cut=100)
    with serve({NAME: GOOD}, first=[begun, trouble]) as archive:
        assert bring(archive.url, tmp_path)[1] == GOOD


def test_lasting_trouble_is_an_outage_after_as_many_tries_as_are_allowed(tmp_path):
    with serve(first=[Answer(503)] * 9) as archive, pytest.raises(ServiceError) as error:
        bring(archive.url, tmp_path)
    assert len(archive.asked) == 3
    assert "2026-03-01-5.json.gz: status 503\nset FORGE_ARCHIVE_URL" in str(error.value)


def test_refusal_is_an_outage_at_once(tmp_path):
    with serve(first=[Answer(403)]) as archive, pytest.raises(ServiceError, match="status 403"):
        bring(archive.url, tmp_path)
    assert len(archive.asked) == 1


def test_archive_that_nobody_serves_is_an_outage(tmp_path):
    with serve() as archive:
        pass
    with pytest.raises(ServiceError, match="does not answer: http://127"):
        bring(archive.url, tmp_path)


@pytest.mark.parametrize("address", ["ftp://example.org/hours", "hours", "http://"])
def test_address_that_is_none_is_refused(tmp_path, address):
    with pytest.raises(InputError, match="set FORGE_ARCHIVE_URL"):
        bring(address, tmp_path)


def test_redirect_is_followed(tmp_path):
    with serve({NAME: GOOD}) as other, serve() as archive:
        archive.first += [Answer(302, headers={"Location": f"{other.url}/{NAME}.json.gz"})]
        assert bring(archive.url, tmp_path)[1] == GOOD


def test_redirect_to_a_login_is_an_outage_and_no_file(tmp_path):
    page = Answer(body=b"\n<!doctype html><title>Please log in</title>")
    away = Answer(302, headers={"Location": "/login"})
    with (
        serve(first=[away, page]) as archive,
        pytest.raises(ServiceError, match="is a web page, no gzip file"),
    ):
        bring(archive.url, tmp_path, raw=tmp_path / "raw")
    assert [*(tmp_path / "raw").iterdir()] == []
