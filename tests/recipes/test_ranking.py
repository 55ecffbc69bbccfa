"""Which of a candidate's drafts become recipes, and what is told of the others."""

import polars as pl

from forge.recipes.ranking import best, lacking


def tried(*rows: tuple[int | None, str, str | None, str | None, str | None]) -> pl.LazyFrame:
    """Drafts of one pull request: rank, reader, sha of the recipe, kind and reason of a failure."""
    schema = {"rank": pl.Int64, "reader": pl.String, "recipe_sha": pl.String}
    failure = {"kind": pl.String, "reason": pl.String}
    frame = pl.LazyFrame(rows, schema={**schema, **failure}, orient="row")
    return frame.with_columns(
        repository_id=7, number=1, draft=pl.col("reader"), detail=pl.format("words of {}", "reason")
    )


def told(frame: pl.LazyFrame, ranks: int) -> list[tuple[object, ...]]:
    return best(frame, ranks).select("rank", "reader").collect().rows()


def passed_over(frame: pl.LazyFrame) -> list[tuple[str, str]]:
    (listed, *_) = best(frame, 3).collect()["passed_over"].to_list()
    return [(one["reader"], one["reason"]) for one in listed]


def test_draft_that_equals_a_better_one_once_locked_gives_way_to_the_next():
    frame = tried(
        (1, "tox", "a", None, None), (2, "nox", "a", None, None), (3, "make", "b", None, None)
    )
    assert told(frame, 2) == [(1, "tox"), (2, "make")]
    assert passed_over(frame) == [("nox", "equals_a_better_one")]


def test_draft_without_a_lock_gives_way_and_is_told_with_its_reason():
    failure = ("environment", "lock_unsatisfiable")
    frame = tried((1, "tox", "a", *failure), (2, "nox", "b", None, None))
    assert told(frame, 2) == [(1, "nox")]
    assert passed_over(frame) == [("tox", "lock_unsatisfiable")]


def test_no_more_recipes_than_ranks_are_tried():
    frame = tried((1, "tox", "a", None, None), (2, "nox", "b", None, None))
    assert told(frame, 1) == [(1, "tox")]


def test_candidate_whose_drafts_all_failed_is_one_row_that_names_them_all():
    failure = ("environment", "lock_unsatisfiable")
    frame = tried((1, "tox", "a", *failure), (2, "nox", "b", "environment", "lock_failed"))
    (row,) = best(frame, 3).collect().to_dicts()
    assert (row["rank"], row["reason"]) == (None, "lock_unsatisfiable")
    assert row["detail"] == "words of lock_unsatisfiable\ntox: lock_unsatisfiable\nnox: lock_failed"


def test_candidate_waits_while_one_of_its_drafts_is_open():
    frame = tried((1, "tox", "a", None, None), (2, "nox", "b", "open", "index_unreachable"))
    (row,) = best(frame, 3).collect().to_dicts()
    assert (row["rank"], row["kind"]) == (None, "open")


def test_spare_drafts_are_wanted_where_distinct_recipes_are_fewer_than_ranks():
    frame = tried((1, "tox", "a", None, None), (2, "nox", "a", None, None))
    assert lacking(frame, 2).collect()["number"].to_list() == [1]
    assert lacking(frame, 1).collect().is_empty()
    failed = tried((1, "tox", "a", "environment", "lock_failed"))
    assert lacking(failed, 1).collect()["number"].to_list() == [1]
