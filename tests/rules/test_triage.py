import polars as pl
import pytest

from forge.rules.triage import level, minutes

SMALL = {"code_files": 1, "added_lines": 3, "removed_lines": 2, "test_lines": 0}


def estimated(title="Fix it", body=None, **counts):
    """Minutes and level of one change."""
    row = {"title": title, "body": body} | SMALL | counts
    schema = {"title": pl.String, "body": pl.String}
    rows = pl.LazyFrame([row], schema_overrides=schema).with_columns(spent=minutes())
    return rows.select("spent", level(pl.col("spent"))).collect().row(0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((1, 3, 2, 8), "easy"), ((1, 7, 3, 15), "medium"), ((2, 28, 9, 25), "hard")],
)
def test_levels_are_where_people_draw_them_for_changes_of_common_sizes(counts, expected):
    assert estimated(**dict(zip(SMALL, counts, strict=True)))[1] == expected


@pytest.mark.parametrize(
    "more",
    [{"added_lines": 4}, {"removed_lines": 3}, {"code_files": 2}, {"test_lines": 5}],
    ids=str,
)
def test_more_of_anything_takes_longer(more):
    assert estimated(**more)[0] > estimated()[0]


def test_what_goes_takes_less_than_what_comes():
    assert (
        estimated(added_lines=2, removed_lines=40)[0]
        < estimated(added_lines=40, removed_lines=2)[0]
    )


def test_same_lines_in_more_places_take_longer():
    assert estimated(code_files=5, added_lines=20)[0] > estimated(code_files=1, added_lines=20)[0]


@pytest.mark.parametrize(
    "title", ["Fix typo in the message", "Rename the flag", "Add missing import"]
)
def test_slips_take_less(title):
    assert estimated(title)[0] < estimated("Round half to even")[0]


@pytest.mark.parametrize(
    ("title", "body"),
    [("Fix a race condition in the pool", None), ("Fix it", "The queue deadlocks: concurrency.")],
)
def test_what_is_hard_to_see_takes_more(title, body):
    assert estimated(title, body)[0] > estimated("Round half to even", "It rounds up.")[0]


def test_words_of_both_kinds_move_nothing():
    assert estimated("Rewrite the error message")[0] == estimated("Round half to even")[0]


def test_many_words_move_no_more_than_one_and_never_past_much_more_code():
    one, many = estimated("Refactor")[0], estimated("Refactor, rewrite and redesign")[0]
    assert one == many
    assert (
        estimated("Refactor and rewrite and redesign", added_lines=3)[0]
        < estimated(added_lines=30)[0]
    )


def test_without_words_size_alone_counts():
    assert estimated(None, None)[0] == estimated("Round half to even")[0]


@pytest.mark.parametrize(
    ("spent", "expected"),
    [(14.9, "easy"), (15.0, "medium"), (59.9, "medium"), (60.0, "hard"), (None, None)],
)
def test_level_is_by_the_minutes(spent, expected):
    rows = pl.DataFrame({"spent": [spent]}, schema={"spent": pl.Float64})
    assert rows.select(level(pl.col("spent"))).item() == expected
