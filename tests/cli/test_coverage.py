"""The real stages over a loopback archive, as far as `hours` and `merges`."""

import json
import subprocess
import sys
from collections.abc import Iterator

import polars as pl
import pytest
from archives import Loopback, packed, push, serve, trimmed

from forge.store import Store

GOOD = packed(*[trimmed()] * 60, *[trimmed("opened")] * 20, *[push()] * 920)
HALF = packed(*[trimmed()] * 30, *[push()] * 470)
EMPTY = packed(trimmed(), *[push()] * 8)
UNREADABLE = b"\x1f\x8b no gzip"
FEW_MERGES = packed(trimmed(), *[push()] * 999)
BUILD = ("build", "--month", "2025-10", "--to", "merges")


@pytest.fixture(autouse=True)
def _toy_stages():
    """The stages are forge's own here."""


@pytest.fixture
def archive(monkeypatch) -> Iterator[Loopback]:
    """An archive whose files a test names; nothing is there yet."""
    with serve() as archive:
        monkeypatch.setenv("FORGE_ARCHIVE_URL", archive.url)
        yield archive


def fill(archive: Loopback, days: dict[int, list[bytes]], month: str = "2025-10") -> None:
    """Days of 24 hours each: the files are repeated until the day is full."""
    archive.files = {
        f"{month}-{day:02}-{hour}": files[hour % len(files)]
        for day, files in days.items()
        for hour in range(24)
    }


EMPTY_DAYS = """\
the archive of 2025-10 is thin: 2025-10-02 to 2025-10-03
  of 96 hours read 48 are thin, 0 missing or unreadable
  thin hours hold 9 lines, others 1,000 (medians)
before more is paid for it, there is also
  --month YYYY-MM         another month, such as 2025-11 to 2026-04 of GH Archive
  --source search         GitHub's own search of its hours
  --source git ADDRESS    the history of one repository, without any archive
  --pool FILE             pull requests that you name, owner/name#12 a line
  FORGE_ARCHIVE_URL=URL   another archive
  --hours FIRST-LAST      more of its hours; what is read stands
forge status --month 2025-10 shows it by hour
"""


def test_build_warns_of_empty_days_at_every_run(archive, forge_says):
    fill(archive, {1: [GOOD], 2: [EMPTY], 3: [EMPTY], 4: [GOOD]})
    ended = forge_says(*BUILD, "--hours", "0-95", "--sample", "1%")
    assert (ended.code, ended.err) == (0, EMPTY_DAYS)
    assert [line.split()[0] for line in ended.out.splitlines()] == ["hours", "merges"]
    assert forge_says(*BUILD, "--hours", "0-95", "--sample", "1%").err == EMPTY_DAYS


def test_warning_comes_before_merges_are_made(archive, home):
    fill(archive, {1: [FEW_MERGES]})
    told = subprocess.run(
        [sys.executable, "-m", "forge", *BUILD, "--hours", "0-23"],
        cwd=home, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    begun = [line.split()[0] for line in told.stdout.splitlines()]
    assert begun.index("hours") < begun.index("the") < begun.index("merges")


def test_build_warns_of_a_month_whose_pull_requests_thinned_out(archive, forge_says):
    fill(archive, {1: [FEW_MERGES], 2: [FEW_MERGES]}, "2026-09")
    ended = forge_says("build", "--month", "2026-09", "--to", "merges", "--hours", "0-47")
    assert ended.err.splitlines()[:3] == [
        "the archive of 2026-09 is thin: 2026-09-01 to 2026-09-02",
        "  48 of 48,000 lines are of pull requests: 0.1 %, where 4 to 9 % is normal",
        "  of 48 hours read 48 are thin, 0 missing or unreadable",
    ]
    other = "another archive: https://gharchive.open-digger.cn has hours since 2026-09-06"
    assert f"  FORGE_ARCHIVE_URL=URL   {other}" in ended.err.splitlines()


def test_build_warns_of_hours_that_the_archive_has_not_got_or_only_in_ruins(archive, forge_says):
    fill(archive, {1: [GOOD], 3: [GOOD, GOOD, GOOD, UNREADABLE]})
    ended = forge_says(*BUILD, "--hours", "0-71")
    assert ended.err.splitlines()[:2] == [
        "the archive of 2025-10 is thin: 2025-10-02 to 2025-10-03",
        "  of 72 hours read 0 are thin, 30 missing or unreadable",
    ]


def test_dry_run_warns_once_hours_stand(archive, forge_says):
    fill(archive, {1: [FEW_MERGES]})
    dry = (*BUILD, "--hours", "0-23", "--dry-run")
    assert forge_says(*dry).err == ""
    forge_says(*BUILD, "--hours", "0-23")
    assert forge_says(*dry).err.startswith("the archive of 2025-10 is thin: 2025-10-01\n")


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_warning_leaves_json_whole(archive, forge_says, more):
    fill(archive, {1: [FEW_MERGES]})
    forge_says(*BUILD, "--hours", "0-23")
    ended = forge_says(*BUILD, "--hours", "0-23", "--json", *more)
    told = json.loads(ended.out)
    parts = told["parts"] if more else told
    assert [part["table"] for part in parts] == ["hours", "merges"]
    assert ended.err.startswith("the archive of 2025-10 is thin")


def test_whole_archive_of_busy_and_quiet_hours_gives_no_warning(archive, forge_says):
    fill(archive, {1: [GOOD, HALF], 2: [GOOD, HALF]})
    del archive.files["2025-10-01-3"]
    assert forge_says(*BUILD, "--hours", "0-47").err == ""


def test_thin_is_what_the_limits_say(archive, forge_says):
    fill(archive, {1: [GOOD, HALF]})
    chosen = ("--hours", "0-23", "--limit", "hours.lines_percent=60")
    assert "12 are thin" in forge_says(*BUILD, *chosen).err
    more = ("--limit", "hours.gap_percent=50")
    assert forge_says(*BUILD, *chosen, *more).err == ""


STATUS = """
archive     0     6     12    18          lines  pull requests     merges
2025-10-01  █▄x▄█▄█▄█▄█▄█▄█▄█▄█▄█▄█▄     17,000          1,240      1,020
2025-10-02  ~~~~~~~~~~~~~~~~~~~~~~~~        216             24         24
2025-10-03  █▄█▄!...................      4,000            300        240
▁▂▃▄▅▆▇█ to 1,000 lines  ~ thin  x missing  ! corrupt  . pending  ? open
"""


def test_status_shows_what_the_archive_holds_by_hour(archive, forge_says):
    fill(archive, {1: [GOOD, HALF], 2: [EMPTY], 3: [GOOD, HALF]})
    del archive.files["2025-10-01-2"]
    archive.files["2025-10-03-4"] = GOOD[:-1]
    forge_says(*BUILD, "--hours", "0-52")
    for words in ((), ("--month", "2025-10")):
        ended = forge_says("status", *words)
        assert STATUS in ended.out
    assert max(map(len, STATUS.splitlines())) <= 80


def test_status_of_several_months_says_which_is_thin_and_why(archive, forge_says):
    fill(archive, {1: [FEW_MERGES]})
    forge_says(*BUILD, "--hours", "0-23")
    fill(archive, {1: [GOOD]}, "2025-09")
    forge_says("build", "--month", "2025-09", "--to", "merges", "--hours", "0-23")
    why = "24 of 24,000 lines are of pull requests: 0.1 %, where 4 to 9 % is normal"
    september, october = forge_says("status").out.splitlines()[:2]
    assert (september.endswith(" merges"), october.partition("; thin")[2]) == (
        (True, f" archive: {why}")
    )


def test_json_of_status_has_every_hour(archive, forge_says):
    fill(archive, {1: [GOOD]})
    forge_says(*BUILD, "--hours", "0-23")
    told = json.loads(forge_says("status", "--json").out)
    assert len(told["hours"]["2025-10"]) == 744
    assert told["hours"]["2025-10"][0] == {
        "hour": "2025-10-01T00:00:00", "status": "ok", "lines": 1000, "bad_lines": 0,
        "pull_request_events": 80, "merges": 60, "is_thin": False, "detail": None,
    }  # fmt: skip
    assert told["shortages"] == {"2025-10": []}


BY_DAY = """day         hours  thin  missing  lines  pull_requests  percent  merges
----------  -----  ----  -------  -----  -------------  -------  ------
2025-10-01     23     0        1  23000           1840      8.0    1380
2025-10-02     24    24        0    216             24    11.11      24
"""
BY_HOUR = """hour                 status   lines  pull_requests  percent  merges  is_thin
-------------------  -------  -----  -------------  -------  ------  -------
2025-10-01 23:00:00  ok        1000             80      8.0      60  false
2025-10-02 00:00:00  ok           9              1    11.11       1  true
"""


def test_saved_queries_show_what_the_archive_holds_by_day_and_by_hour(archive, forge_says):
    fill(archive, {1: [GOOD], 2: [EMPTY]})
    del archive.files["2025-10-01-2"]
    forge_says(*BUILD, "--hours", "0-47")
    assert forge_says("sql", "-f", "coverage").out == BY_DAY
    hours = forge_says("sql", "-f", "coverage_by_hour").out.splitlines()
    assert (hours[:2] + hours[25:27], len(hours)) == (BY_HOUR.splitlines(), 2 + 48)


NOTHING_READ = """day,hours,thin,missing,lines,pull_requests,percent,merges
2025-10-01,24,0,0,0,0,,0
2025-10-02,0,0,24,,,,
"""


def test_days_without_a_line_have_no_share_of_pull_requests(archive, forge_says):
    fill(archive, {1: [UNREADABLE]})
    forge_says(*BUILD, "--hours", "0-47")
    assert forge_says("sql", "-f", "coverage", "--format", "csv").out == NOTHING_READ
    hours = forge_says("sql", "-f", "coverage_by_hour", "--format", "csv").out
    assert "nan" not in hours.lower()


def test_status_of_a_table_from_before_thin_was_known_still_shows_its_hours(
    archive, home, forge_says
):
    fill(archive, {1: [GOOD]})
    forge_says(*BUILD, "--hours", "0-23")
    store = Store(home / "data", "2025-10")
    path = store.folder("hours") / "part.parquet"
    pl.read_parquet(path).drop("is_thin").write_parquet(path)
    manifest, written = store.manifest("hours"), path.stat()
    record = manifest.parts["part"]
    record.bytes, record.written_ns = written.st_size, written.st_mtime_ns
    store.write_manifest("hours", manifest)
    assert f"2025-10-01  {'█' * 24}" in forge_says("status").out
