import dataframely as dy
import polars as pl
import pytest
from toys import NOW, STAGES, Numbers, numbers, run_build, set_mood

from forge.build import Options, build
from forge.errors import InputError
from forge.plan import Planned
from forge.report import Level, Reason, funnel, months, status, summary
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import stage
from forge.store import Store
from forge.story import read_name


def test_open_rows_are_counted_apart_from_rejected_ones(tmp_path):
    set_mood(tmp_path, 3, "infra")
    set_mood(tmp_path, 4, "data")
    run_build(tmp_path, limits={"doubles": {"least": 2}})
    level = funnel(Store(tmp_path, "2026-03"), STAGES)[1]
    assert level == Level(
        "doubles",
        is_built=True,
        rows_in=5,
        kept=2,
        rejected=2,
        open=1,
        deferred=0,
        reasons=[
            Reason("rejected", "is_large", 1),
            Reason("open", "moody", 1),
            Reason("rejected", "moody", 1),
        ],
    )


class Tries(Numbers):
    reason = dy.String(nullable=True, description="why not")


@stage
def tries(numbers: dy.LazyFrame[Numbers]) -> dy.LazyFrame[Tries]:
    told = pl.when(pl.col("n") > 3).then(pl.lit("install_failed"))
    return numbers.with_columns(reason=told).pipe(Tries.cast)


def test_rows_that_tell_a_reason_of_their_own_are_counted_by_it(tmp_path):
    settings = Settings(root=tmp_path)
    list(
        build(
            [numbers, tries],
            Selection("2026-03"),
            settings,
            Options(),
            now=NOW,
            progress=lambda *_: None,
        )
    )
    level = funnel(Store(tmp_path, "2026-03"), [numbers, tries])[1]
    assert level.reasons == [Reason("kept", "reason install_failed", 2)]


def test_open_rows_make_a_table_stale_and_what_follows_depend_on_it(tmp_path):
    set_mood(tmp_path, 3, "infra")
    run_build(tmp_path)
    states = status(Store(tmp_path, "2026-03"), STAGES, Selection("2026-03"), Options())
    assert [(state.table, state.state, state.why) for state in states] == [
        ("numbers", "fresh", []),
        ("doubles", "stale", ["1 open"]),
        ("halves", "depends", ["on doubles"]),
    ]


def test_reasons_of_many_parts_are_told_once_with_their_number():
    parts = [
        Planned("attempts", "bucket-01", ["2 open", "statements changed"]),
        Planned("attempts", "bucket-02", ["statements changed"]),
    ]
    assert summary(parts) == ["2 open (1 of 2 parts)", "statements changed"]


def test_months_and_pools_are_found_by_their_folders(tmp_path):
    for name in ("merges/month=2026-03", "tasks/month=pool-mine", "memo/double"):
        (tmp_path / name).mkdir(parents=True)
    assert months(tmp_path) == ["2026-03", "pool-mine"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b#1", ("a/b", 1)),
        ("a-b/c.d_e#22", ("a-b/c.d_e", 22)),
        ("https://github.com/a/b/pull/7#issuecomment-1", ("a/b", 7)),
        ("a__b__c-12", ("a/b__c", 12)),
    ],
)
def test_names_of_pull_requests_are_read(text, name):
    assert read_name(text) == name


@pytest.mark.parametrize("text", ["a/b", "a/b#0", "a/b#x", "#1", ""])
def test_names_of_nothing_are_refused(text):
    with pytest.raises(InputError, match="not a pull request"):
        read_name(text)
