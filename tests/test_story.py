import dataframely as dy
import polars as pl
import toys

from forge.build import Options, build
from forge.columns import KEY, Decision, PullRequestKey, dtypes
from forge.criteria import Criteria, decide
from forge.missed import Missed
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Decided, stage
from forge.story import stories


class Merges(PullRequestKey):
    repo = dy.String(description="owner/name")


class Firsts(PullRequestKey, Decision):
    """One row per first pull request of a repository."""


class Notes(PullRequestKey):
    """One row per note, which most pull requests do not have."""

    note = dy.Int64(metadata=KEY, description="number of the note")


def criteria() -> Criteria:
    return {"is_first": pl.col("place") == 0, "is_even": pl.col("number") % 2 == 0}


@stage
def merges() -> dy.LazyFrame[Merges]:
    rows = {"repository_id": [1, 1], "number": [2, 3], "repo": ["a/b", "a/b"]}
    return pl.LazyFrame(rows).pipe(Merges.cast)


@stage
def notes(merges: dy.LazyFrame[Merges]) -> dy.LazyFrame[Notes]:  # noqa: ARG001 - its upstream
    return pl.LazyFrame(schema=dtypes(Notes)).pipe(Notes.cast)


@stage
def firsts(merges: dy.LazyFrame[Merges]) -> Decided[Firsts]:
    place = pl.int_range(pl.len()).over("repository_id", order_by="number")
    return merges.with_columns(place=place).pipe(decide, criteria())


def test_values_that_hang_on_other_rows_are_left_out(tmp_path):
    settings, chosen = Settings(root=tmp_path), [merges, firsts]
    month = Selection("2026-03")
    list(build(chosen, month, settings, Options(), now=toys.NOW, progress=lambda *_: None))
    (story,) = stories(settings, chosen, "a/b#3", None)
    assert story.chapters[1].missed == [
        Missed("is_first", {}, "place == 0"),
        Missed("is_even", {"number": 3}, "(number % 2) == 0"),
    ]


def test_table_that_may_hold_no_row_of_it_ends_no_story(tmp_path):
    settings, month = Settings(root=tmp_path), Selection("2026-03")
    list(build([merges, notes], month, settings, Options(), now=toys.NOW, progress=lambda *_: None))
    (story,) = stories(settings, [merges, notes, firsts], "a/b#2", None)
    assert story.end == "ends after merges: firsts was not built for it yet"
