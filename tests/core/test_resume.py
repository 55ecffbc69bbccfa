import dataframely as dy
import polars as pl
import pytest
from toys import (
    Doubles,
    Numbers,
    clear_mood,
    doubles,
    log,
    made,
    numbers,
    rejected,
    rows,
    run_build,
    set_mood,
)

from forge.columns import KEY, Decision
from forge.criteria import decide
from forge.errors import InputError, ServiceError
from forge.stage import Decided, stage


def test_second_build_asks_nothing_and_makes_nothing(tmp_path):
    run_build(tmp_path)
    assert log(tmp_path) == [1, 2, 3, 4, 5]
    assert made(run_build(tmp_path)) == []
    assert log(tmp_path) == []


def test_lost_table_is_made_again_from_the_memo(tmp_path):
    run_build(tmp_path)
    log(tmp_path)
    (tmp_path / "doubles/month=2026-03/part.parquet").unlink()
    assert made(run_build(tmp_path)) == ["doubles"]
    assert log(tmp_path) == []


def test_outage_commits_what_was_answered_and_names_what_is_down(tmp_path):
    set_mood(tmp_path, "down")
    with pytest.raises(ServiceError, match="the oracle sleeps"):
        run_build(tmp_path)
    assert rejected(tmp_path) == [(n, "open", ["service_down"]) for n in range(1, 6)]


def test_outage_in_the_middle_is_asked_again_and_only_what_is_open(tmp_path):
    run_build(tmp_path, sample=3)
    log(tmp_path)
    set_mood(tmp_path, "down")
    with pytest.raises(ServiceError):
        run_build(tmp_path, sample=6)
    assert log(tmp_path) == [4, 5, 6]
    assert [row["n"] for row in rows(tmp_path)] == [1, 2, 3]
    clear_mood(tmp_path, "down")
    run_build(tmp_path, sample=6)
    assert log(tmp_path) == [4, 5, 6]
    assert [row["n"] for row in rows(tmp_path)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["data", "policy", "environment", "model"])
def test_failure_that_is_an_answer_rejects_its_row_and_is_not_asked_again(tmp_path, kind):
    set_mood(tmp_path, 3, kind)
    run_build(tmp_path)
    assert rejected(tmp_path) == [(3, "rejected", ["moody"])]
    log(tmp_path)
    assert made(run_build(tmp_path)) == []
    assert made(run_build(tmp_path, force={"doubles"})) == ["doubles"]
    assert log(tmp_path) == []


@pytest.mark.parametrize("kind", ["data", "policy", "environment", "model", "infra"])
def test_retry_asks_a_kind_of_failure_again_and_nothing_else(tmp_path, kind):
    set_mood(tmp_path, 3, kind)
    run_build(tmp_path)
    log(tmp_path)
    clear_mood(tmp_path, 3)
    run_build(tmp_path, retry=frozenset({kind}))
    assert log(tmp_path) == [3]
    assert rejected(tmp_path) == []


def test_failure_that_is_asked_again_in_vain_is_still_that_failure(tmp_path):
    set_mood(tmp_path, 3, "data")
    run_build(tmp_path)
    run_build(tmp_path, retry=frozenset({"data"}))
    assert log(tmp_path) == [1, 2, 3, 3, 4, 5]
    assert rejected(tmp_path) == [(3, "rejected", ["moody"])]


def test_infra_failure_is_open_three_times_and_then_rejected(tmp_path):
    set_mood(tmp_path, 3, "infra")
    fates = []
    for _ in range(4):
        run_build(tmp_path)
        fates.append((rejected(tmp_path), log(tmp_path)))
    is_open, is_rejected = [(3, "open", ["moody"])], [(3, "rejected", ["moody"])]
    assert fates == [
        (is_open, [1, 2, 3, 4, 5]),
        (is_open, [3]),
        (is_rejected, [3]),
        (is_rejected, []),
    ]


class Sums(Numbers, Decision):
    """One row per number with a double."""

    total = dy.Int64(description="n and its double")


@stage
def sums(numbers: dy.LazyFrame[Numbers], doubles: dy.LazyFrame[Doubles]) -> Decided[Sums]:
    doubled = numbers.join(doubles.select("n", "twice"), on="n", how="left")
    rows = doubled.with_columns(total=pl.col("n") + pl.col("twice"))
    return rows.pipe(decide, {"has_double": pl.col("total").is_not_null()})


def test_row_is_open_and_not_rejected_where_another_table_has_to_ask_of_it_again(tmp_path):
    chosen = [numbers, doubles, sums]
    set_mood(tmp_path, 3, "infra")
    set_mood(tmp_path, 4, "data")
    run_build(tmp_path, chosen)
    refused = (4, "rejected", ["has_double"])
    assert rejected(tmp_path, "sums") == [(3, "open", ["doubles_open"]), refused]
    clear_mood(tmp_path, 3)
    run_build(tmp_path, chosen)
    assert rejected(tmp_path, "sums") == [refused]
    assert [row["total"] for row in rows(tmp_path, sums)] == [3, 6, 9, 15]


class Parities(dy.Schema):
    is_even = dy.Bool(metadata=KEY, description="whether numbers leave nothing when halved")
    unknown = Decision.unknown


@stage
def parities(sums: dy.LazyFrame[Sums]) -> Decided[Parities]:
    return sums.select(is_even=pl.col("n") % 2 == 0).unique().pipe(decide, {})


def test_rows_of_another_grain_are_made_of_those_that_are_not_open(tmp_path):
    set_mood(tmp_path, 3, "infra")
    run_build(tmp_path, [numbers, doubles, sums, parities], sample=3)
    assert [row["is_even"] for row in rows(tmp_path, parities)] == [False, True]


def test_pending_question_is_asked_by_every_build_until_it_is_known(tmp_path):
    set_mood(tmp_path, 3, "pending")
    run_build(tmp_path)
    log(tmp_path)
    run_build(tmp_path)
    assert log(tmp_path) == [3]
    clear_mood(tmp_path, 3)
    run_build(tmp_path)
    log(tmp_path)
    assert made(run_build(tmp_path)) == []
    assert log(tmp_path) == []


def test_threshold_makes_its_stage_and_what_follows_again_without_a_question(tmp_path):
    run_build(tmp_path)
    log(tmp_path)
    limits = {"doubles": {"least": 3}}
    assert made(run_build(tmp_path, limits=limits)) == ["doubles", "halves"]
    assert log(tmp_path) == []
    assert rejected(tmp_path) == [(1, "rejected", ["is_large"]), (2, "rejected", ["is_large"])]


def test_threshold_that_changes_no_row_stops_at_its_stage(tmp_path):
    run_build(tmp_path)
    assert made(run_build(tmp_path, limits={"doubles": {"least": 1}})) == ["doubles"]


def test_more_input_asks_only_what_is_new(tmp_path):
    run_build(tmp_path)
    log(tmp_path)
    assert made(run_build(tmp_path, sample=7)) == ["numbers", "doubles", "halves"]
    assert log(tmp_path) == [6, 7]


def test_duplicates_planted_in_a_memo_multiply_nothing(tmp_path):
    run_build(tmp_path)
    for part in (tmp_path / "memo/double").glob("part-*.parquet"):
        part.with_name("part-planted.parquet").write_bytes(part.read_bytes())
    run_build(tmp_path, force={"doubles"})
    assert [row["n"] for row in rows(tmp_path)] == [1, 2, 3, 4, 5]


def test_answer_whose_artifact_is_gone_is_asked_again(tmp_path):
    run_build(tmp_path)
    log(tmp_path)
    proof = next(row["proof"] for row in rows(tmp_path) if row["n"] == 4)
    (tmp_path / "memo/artifacts" / proof[:2] / proof).unlink()
    run_build(tmp_path, force={"doubles"})
    assert log(tmp_path) == [4]


def test_half_a_line_of_a_killed_journal_loses_only_that_answer(tmp_path):
    run_build(tmp_path)
    memo = tmp_path / "memo/double"
    (memo / "journal-1-dead.jsonl").write_bytes(b'{"key":"00","version":1,"asked_at":"2026-04-')
    run_build(tmp_path, force={"doubles"})
    assert not list(memo.glob("journal-*"))
    assert len(rows(tmp_path)) == 5


def test_emptied_artifact_is_asked_again(tmp_path):
    run_build(tmp_path)
    log(tmp_path)
    proof = next(row["proof"] for row in rows(tmp_path) if row["n"] == 4)
    (tmp_path / "memo/artifacts" / proof[:2] / proof).write_bytes(b"")
    run_build(tmp_path, force={"doubles"})
    assert log(tmp_path) == [4]


def test_damaged_part_of_a_memo_is_named(tmp_path):
    run_build(tmp_path)
    (part,) = (tmp_path / "memo/double").glob("part-*.parquet")
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(InputError, match=f"{part.name} was damaged: it is no whole Parquet file"):
        run_build(tmp_path, force={"doubles"})
