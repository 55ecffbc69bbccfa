"""`forge fetch` as a user runs it: whole, killed, on a full disk, before a build offline."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import stamina
from archives import Answer, packed, push, serve, trimmed
from disasters import resize, small_disk

HOURS = {f"2026-03-01-{hour}": packed(trimmed(number=hour + 1), push()) for hour in range(4)}
MORNING = ("fetch", "--month", "2026-03", "--hours", "0-3")
OLD = {"Date": "Sun, 12 Apr 2026 06:00:00 GMT"}
YOUNG = {"Date": "Sun, 01 Mar 2026 02:30:00 GMT"}
ONE = {"ETag": '"one"'}


@pytest.fixture(autouse=True)
def _no_waiting():
    with stamina.set_testing(testing=True, attempts=2):
        yield


@pytest.fixture
def archive(monkeypatch):
    with serve(dict(HOURS)) as archive:
        monkeypatch.setenv("FORGE_ARCHIVE_URL", archive.url)
        yield archive


def forge(*words: str, **settings: str) -> subprocess.Popen[str]:
    """A process of its own, with all stages."""
    return subprocess.Popen(
        [sys.executable, "-m", "forge", *words],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def files(*names: str) -> dict[str, bytes]:
    return {f"{name}.json.gz": HOURS[name] for name in names}


def summary(ended) -> str:
    """The last line, without what differs from run to run."""
    assert ended.err == ""
    return pl.select(
        pl.lit(ended.out.splitlines()[-1]).str.replace(r"in [\d.]+ s", "in SECONDS")
    ).item()


def test_hours_are_downloaded_into_the_root_and_then_left_alone(archive, home, forge_says):
    assert sum(map(len, HOURS.values())) == 1283
    assert summary(forge_says(*MORNING)) == (
        "4 of 4 hours in data/raw: 4 new, 1.3 kB in SECONDS; 0 missing, 0 pending, 0 failed"
    )
    assert held(home / "data/raw") == files(*HOURS)
    assert summary(forge_says(*MORNING)) == (
        "4 of 4 hours in data/raw: 0 new, 0 B in SECONDS; 0 missing, 0 pending, 0 failed"
    )
    assert len(archive.asked) == 4


@pytest.mark.parametrize("way", ["flag", "setting"])
def test_folder_is_named_by_flag_or_setting(archive, home, forge_says, monkeypatch, way):
    assert archive
    if way == "setting":
        monkeypatch.setenv("FORGE_RAW", "hours")
    flag = ["--raw", "hours"] if way == "flag" else []
    assert forge_says(*MORNING, *flag).code == 0
    assert held(home / "hours") == files(*HOURS)


@pytest.mark.parametrize("raw", [(), ("--raw", "hours")])
def test_build_asks_the_archive_nothing_for_fetched_hours(home, forge_says, monkeypatch, raw):
    with serve(dict(HOURS)) as archive:
        monkeypatch.setenv("FORGE_ARCHIVE_URL", archive.url)
        forge_says(*MORNING, *raw)
    build = ["build", "--month", "2026-03", "--hours", "0-3", "--to", "merges", *raw]
    ended = forge(*build)
    out, err = ended.communicate()
    assert (ended.returncode, err) == (0, ""), out
    hours = pl.read_parquet(home / "data/hours/month=2026-03/part.parquet")
    assert hours.filter(status="ok").height == 4
    assert pl.read_parquet(home / "data/merges/month=2026-03/part.parquet").height == 4


def test_build_keeps_what_it_downloads_where_a_folder_is_named(archive, home):
    assert archive
    build = forge("build", "--month", "2026-03", "--hours", "0-1", "--to", "hours", "--raw", "x")
    build.communicate()
    assert held(home / "x") == files("2026-03-01-0", "2026-03-01-1")


def test_absent_hours_are_named_as_missing_or_pending(archive, home, forge_says, monkeypatch):
    monkeypatch.setenv("FORGE_DOWNLOADS", "1")
    archive.first += [*[Answer(404, headers=OLD)] * 2, Answer(404, headers=YOUNG)]
    assert summary(told := forge_says(*MORNING)).endswith("2 missing, 1 pending, 0 failed")
    assert told.out.splitlines()[:-1] == [
        "missing  2026-03-01-0 to 2026-03-01-1, 2 hours",
        "pending  2026-03-01-2",
    ]
    notes = {f"2026-03-01-{hour}.missing": b"" for hour in (0, 1)}
    assert held(home / "data/raw") == files("2026-03-01-3") | notes


def test_hours_that_follow_each_other_are_named_on_one_line(archive, forge_says):
    archive.files.clear()
    archive.first += [Answer(404, headers=OLD)] * 5
    told = forge_says("fetch", "--month", "2026-03", "--hours", "22-25,30")
    assert told.out.splitlines()[:2] == [
        "missing  2026-03-01-22 to 2026-03-02-1, 4 hours",
        "missing  2026-03-02-6",
    ]


def test_json_names_every_hour(archive, forge_says, monkeypatch):
    monkeypatch.setenv("FORGE_DOWNLOADS", "1")
    archive.first += [Answer(404, headers=OLD)]
    told = json.loads(forge_says(*MORNING, "--json").out)
    assert (told["hours"], told["files"], told["downloaded"]) == (4, 3, 3)
    assert told["bytes"] == 1283 - len(HOURS["2026-03-01-0"])
    assert (told["missing"], told["pending"], told["failed"]) == (["2026-03-01-0"], [], [])
    assert told["folder"] == "data/raw"


def test_archive_that_is_down_is_left_soon_and_exits_as_a_service_that_is_down(archive, forge_says):
    archive.first += [Answer(503)] * 1000
    told = forge_says("fetch", "--month", "2026-03")
    assert told.code == 4
    assert "forge: the archive does not answer: http://127" in told.err
    assert "status 503\nset FORGE_ARCHIVE_URL" in told.err
    assert len(archive.asked) <= 2 * (20 + 8)


def test_one_hour_that_fails_stops_no_other_and_exits_as_a_service_that_is_down(
    archive, home, forge_says
):
    archive.first += [Answer(403)]
    told = forge_says(*MORNING)
    assert (told.code, len(held(home / "data/raw"))) == (4, 3)
    assert told.out.startswith("failed   2026-03-01-")
    assert forge_says(*MORNING).code == 0
    assert held(home / "data/raw") == files(*HOURS)


@pytest.mark.parametrize(
    ("kill", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)]
)
def test_killed_fetch_run_again_asks_only_for_the_rest(archive, home, kill, code):
    content = HOURS["2026-03-01-0"]
    archive.told = ONE
    archive.first += [Answer(body=content, headers=ONE, quick=100, drip=60)]
    words = ("fetch", "--month", "2026-03", "--hours", "0")
    first = forge(*words)
    part = home / "data/raw/2026-03-01-0.json.gz.part"
    while not (part.exists() and part.stat().st_size == 100):
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(kill)
    _, err = first.communicate()
    assert (first.returncode, "Traceback" in err) == (code, False)
    assert list(held(home / "data/raw")) != ["2026-03-01-0.json.gz"]
    again = forge(*words)
    assert (again.communicate()[1], again.returncode) == ("", 0)
    assert archive.ranges == [(None, None), ("bytes=100-", '"one"')]
    assert held(home / "data/raw") == files("2026-03-01-0")


def test_killed_build_run_again_asks_only_for_the_rest_of_a_kept_hour(archive, home):
    archive.told = ONE
    archive.first += [Answer(body=HOURS["2026-03-01-0"], headers=ONE, quick=100, drip=60)]
    build = ("build", "--month", "2026-03", "--hours", "0", "--to", "hours", "--raw", "x")
    first = forge(*build)
    part = home / "x/2026-03-01-0.json.gz.part"
    while not (part.exists() and part.stat().st_size == 100):
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    again = forge(*build)
    assert (again.communicate()[1], again.returncode) == ("", 0)
    assert archive.ranges == [(None, None), ("bytes=100-", '"one"')]
    assert held(home / "x") == files("2026-03-01-0")


def test_full_disk_is_named_and_the_download_goes_on_when_there_is_room(archive, home, forge_says):
    archive.told = ONE
    archive.files["2026-03-01-0"] = os.urandom(200_000)
    words = ("fetch", "--month", "2026-03", "--hours", "0", "--raw", str(home / "disk"))
    with small_disk(home / "disk", 100) as disk:
        told = forge_says(*words)
        assert (told.code, told.err.splitlines()[0]) == (7, f"forge: no space left under {disk}")
        resize(disk, 1000)
        assert forge_says(*words).code == 0
        assert held(disk) == {"2026-03-01-0.json.gz": archive.files["2026-03-01-0"]}
    assert archive.ranges[1] != (None, None)


def test_folder_that_is_a_file_is_named(archive, home, forge_says):
    assert archive
    (home / "hours").touch()
    told = forge_says(*MORNING, "--raw", "hours")
    assert (told.code, told.err.splitlines()[1]) == (3, "choose a folder with FORGE_RAW")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "2026-3"), "no such month: '2026-3'"),
        (("--month", "2014-12"), "Timeline format"),
        (("--month", "2026-03", "--hours", "744"), "2026-03 has no hour 744"),
        (("--month", "pool-mine"), "no such month: 'pool-mine'"),
    ],
)
def test_month_or_hour_that_cannot_be_is_refused(forge_says, words, said):
    told = forge_says("fetch", *words)
    assert (told.code, said in told.err) == (2, True)
