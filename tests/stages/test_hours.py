from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina
from archives import Answer, Loopback, issue, packed, push, serve, trimmed

from forge.build import Options, build
from forge.errors import ServiceError, UsageError
from forge.selection import Selection
from forge.settings import Settings
from forge.stages.hours import Hours, hours
from forge.store import Store

NOW = datetime(2026, 4, 1)
GOOD = packed(trimmed(), push())


def run_build(
    archive: Loopback, root: Path, *window: int, month: str = "2026-03", keep: tuple[str, ...] = ()
) -> None:
    selection = Selection(month, window=window or None, keep=keep)
    settings = Settings(root=root, archive_url=archive.url)
    with stamina.set_testing(testing=True, attempts=2):
        list(build([hours], selection, settings, Options(), now=NOW, progress=lambda *_: None))


def rows(root: Path, *names: str) -> list[tuple[Any, ...]]:
    table = Store(root, "2026-03").scan("hours", Hours)
    return table.filter(pl.col("status") != "pending").select(*names).collect().rows()


def fates(root: Path) -> list[tuple[Any, ...]]:
    path = Store(root, "2026-03").rejected_folder("hours") / "part.parquet"
    return pl.read_parquet(path).select(pl.col("hour").dt.hour(), "fate", "reasons").rows()


def test_every_hour_of_the_month_has_a_row_and_only_the_window_is_fetched(tmp_path: Path) -> None:
    with serve({"2026-03-01-1": GOOD, "2026-03-02-0": GOOD}) as archive:
        run_build(archive, tmp_path, 1, 24)
    assert sorted(archive.asked) == ["2026-03-01-1.json.gz", "2026-03-02-0.json.gz"]
    assert rows(tmp_path, "hour", "status", "lines", "merges") == [
        (datetime(2026, 3, 1, 1), "ok", 2, 1),
        (datetime(2026, 3, 2, 0), "ok", 2, 1),
    ]
    everything = Store(tmp_path, "2026-03").scan("hours", Hours).collect()
    assert everything.height == 31 * 24


def test_hours_held_stay_when_the_window_moves_on(tmp_path: Path) -> None:
    with serve({f"2026-03-01-{n}": GOOD for n in (1, 2)}) as archive:
        run_build(archive, tmp_path, 1)
        run_build(archive, tmp_path, 2)
    assert archive.asked == ["2026-03-01-1.json.gz", "2026-03-01-2.json.gz"]
    assert [hour.hour for (hour,) in rows(tmp_path, "hour")] == [1, 2]


def test_issues_that_are_to_be_kept_are_read_once_and_stay(tmp_path: Path) -> None:
    told = ("pull_request_events", "issue_events")
    with serve({f"2026-03-01-{n}": packed(trimmed(), issue()) for n in (1, 2)}) as archive:
        run_build(archive, tmp_path, 1)
        assert rows(tmp_path, *told) == [(1, None)]
        run_build(archive, tmp_path, 1, keep=("issues",))
        run_build(archive, tmp_path, 1, 2)
        run_build(archive, tmp_path, 1, 2)
    assert [name[11] for name in archive.asked] == ["1", "1", "2"]
    assert rows(tmp_path, *told) == [(1, 1), (1, None)]


def test_hours_held_without_issues_stay_when_issues_of_others_are_kept(tmp_path: Path) -> None:
    with serve({f"2026-03-01-{n}": packed(trimmed(), issue()) for n in (1, 2)}) as archive:
        run_build(archive, tmp_path, 1, 2)
        run_build(archive, tmp_path, 1, keep=("issues",))
    assert rows(tmp_path, "merges", "issue_events") == [(1, 1), (1, None)]
    assert len(archive.asked) == 3


def test_missing_corrupt_and_good_hours_are_told_apart(tmp_path: Path) -> None:
    with serve({"2026-03-01-1": GOOD, "2026-03-01-3": GOOD[:-1]}) as archive:
        run_build(archive, tmp_path, 1, 2, 3)
        run_build(archive, tmp_path, 1, 2, 3)
    assert len(archive.asked) == 3
    assert rows(tmp_path, "status", "merges", "detail") == [
        ("ok", 1, None),
        ("missing", None, None),
        ("corrupt", 1, f"gzip is cut off at byte {len(GOOD) - 1}"),
    ]


def test_hour_that_is_not_published_yet_is_asked_for_again(tmp_path: Path) -> None:
    young = Answer(404, headers={"Date": "Sun, 01 Mar 2026 02:10:00 GMT"})
    with serve(first=[young]) as archive:
        run_build(archive, tmp_path, 1)
        table = (
            Store(tmp_path, "2026-03").scan("hours", Hours).filter(pl.col("hour").dt.hour() == 1)
        )
        assert table.select("status", "detail").head(1).collect().rows() == [
            ("pending", "2026-03-01-1 is not published yet")
        ]
        archive.files["2026-03-01-1"] = GOOD
        run_build(archive, tmp_path, 1)
    assert rows(tmp_path, "status") == [("ok",)]


def test_outage_keeps_what_was_read_and_asks_for_the_rest_later(tmp_path: Path) -> None:
    with serve({"2026-03-01-1": GOOD}) as archive:
        run_build(archive, tmp_path, 1)
        archive.first = [Answer(503)] * 2
        with pytest.raises(ServiceError, match="status 503"):
            run_build(archive, tmp_path, 1, 2)
        assert fates(tmp_path) == [(2, "open", ["service_down"])]
        archive.files["2026-03-01-2"] = GOOD
        run_build(archive, tmp_path, 1, 2)
    assert rows(tmp_path, "status") == [("ok",), ("ok",)]
    assert archive.asked.count("2026-03-01-1.json.gz") == 1


def test_hour_of_before_2015_is_rejected(shared: Path, tmp_path: Path) -> None:
    old = (shared / "data/gharchive/timeline/2014-02-15-0.json.gz").read_bytes()
    with serve({"2026-03-01-1": GOOD, "2026-03-01-2": old}) as archive:
        run_build(archive, tmp_path, 1, 2)
    assert rows(tmp_path, "status") == [("ok",)]
    assert fates(tmp_path) == [(2, "rejected", ["timeline_format"])]


def test_month_that_has_not_begun_is_refused(tmp_path: Path) -> None:
    with serve() as archive, pytest.raises(UsageError) as error:
        run_build(archive, tmp_path, month="2026-05")
    assert str(error.value) == (
        "2026-05 has not begun: it is 2026-04-01 00:00 UTC\nname a month of the past"
    )
    assert archive.asked == []


def test_hour_with_hardly_a_pull_request_keeps_its_row_and_says_so(tmp_path: Path) -> None:
    good = packed(*[trimmed()] * 80, *[push()] * 920)
    thin = packed(trimmed(), *[push()] * 1199)
    with serve({"2026-03-01-1": good, "2026-03-01-2": thin}) as archive:
        run_build(archive, tmp_path, 1, 2, 3)
    assert rows(tmp_path, "status", "merges", "is_thin", "detail") == [
        ("ok", 80, False, None),
        ("ok", 1, True, "1 of 1,200 lines are of pull requests, 0.08 %, where 4 to 9 % is normal"),
        ("missing", None, None, None),
    ]


def test_cut_off_hour_of_hardly_a_line_says_both(tmp_path: Path) -> None:
    good = packed(*[trimmed()] * 80, *[push()] * 920)
    with serve({"2026-03-01-1": good, "2026-03-01-2": GOOD[:-1]}) as archive:
        run_build(archive, tmp_path, 1, 2)
    broken = f"gzip is cut off at byte {len(GOOD) - 1}"
    short = "2 lines, where a busy hour of this month holds 1,000"
    assert rows(tmp_path, "status", "is_thin", "detail")[1] == (
        ("corrupt", True, f"{broken}; {short}")
    )
