import polars as pl

from forge.criteria import decide, tolerant


def fates(rows, criteria):
    decided = decide(pl.LazyFrame(rows), criteria).collect()
    return decided.select("fate", "reasons", "unknown").rows()


def test_row_that_meets_every_criterion_is_kept():
    assert fates({"stars": [7]}, {"is_known": pl.col("stars") > 5}) == [("kept", [], [])]


def test_row_is_rejected_with_all_criteria_it_missed():
    criteria = {"is_known": pl.col("stars") > 5, "is_odd": pl.col("stars") % 2 == 1}
    assert fates({"stars": [4]}, criteria) == [("rejected", ["is_known", "is_odd"], [])]


def test_unknown_criterion_rejects_by_its_name():
    rows = {"stars": pl.Series([None], dtype=pl.Int64)}
    assert fates(rows, {"is_known": pl.col("stars") > 5}) == [
        ("rejected", ["is_known:unknown"], [])
    ]


def test_tolerant_criterion_keeps_what_is_unknown_and_says_so():
    rows = {"stars": pl.Series([None], dtype=pl.Int64)}
    assert fates(rows, {"is_known": tolerant(pl.col("stars") > 5)}) == [("kept", [], ["is_known"])]


def test_tolerant_criterion_still_rejects_what_is_known_to_miss_it():
    assert fates({"stars": [1]}, {"is_known": tolerant(pl.col("stars") > 5)}) == [
        ("rejected", ["is_known"], [])
    ]


def test_failure_is_the_only_reason_of_its_row():
    rows = {"stars": [1], "kind": ["data"], "reason": ["merge_not_found"]}
    assert fates(rows, {"is_known": pl.col("stars") > 5}) == [("rejected", ["merge_not_found"], [])]


def test_open_row_is_neither_kept_nor_rejected():
    rows = {"stars": [9], "kind": ["open"], "reason": ["timed_out"]}
    assert fates(rows, {"is_known": pl.col("stars") > 5}) == [("open", ["timed_out"], [])]


def test_row_beyond_a_bound_is_deferred_by_its_name():
    rows = {"stars": [9], "bound": ["sample"]}
    assert fates(rows, {"is_known": pl.col("stars") > 5}) == [("deferred", ["sample"], [])]
