import pytest

from forge.freshness import changes, unfinished
from forge.store import PartRecord


def record(ingredients, inputs=None, **counts) -> PartRecord:
    return PartRecord(
        str(ingredients), inputs or {}, "", 0, 0, 0, ingredients=ingredients, **counts
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ({"limit stars": "10"}, {"limit stars": "20"}, "limit stars: 10 is now 20"),
        ({"flag sample": "null"}, {"flag sample": "0.01"}, "flag sample: null is now 0.01"),
        ({"flag named": "a" * 64}, {"flag named": "b" * 64}, "flag named changed"),
        ({"source forge.truth": "a"}, {"source forge.truth": "b"}, "code changed: forge.truth"),
        (
            {"source a": "1", "source b": "1", "source c": "1", "source d": "1"},
            {"source a": "2", "source b": "2", "source c": "2"},
            "code changed: a, b and 2 more",
        ),
        ({}, {"sql splits": "b"}, "sql splits changed"),
        ({"limit gone": "1"}, {}, "limit gone changed"),
    ],
)
def test_what_changed_is_named(old, new, reason):
    same = {"limit kept": "1"}
    assert changes(record(old | same), record(new | same)) == [reason]


def test_changed_inputs_are_named_once_per_table():
    old = {"merges/part": "a", "attempts/bucket-01": "a", "attempts/bucket-02": "a"}
    new = {"merges/part": "a", "attempts/bucket-01": "b", "attempts/bucket-03": "a"}
    assert changes(record({}, old), record({}, new)) == ["attempts changed"]


def test_part_of_before_ingredients_were_recorded_was_made_by_an_older_forge():
    old = PartRecord("of old", {}, "", 0, 0, 0)
    assert changes(old, record({"limit stars": "10"})) == ["made by an older forge"]


def test_open_and_pending_rows_and_failures_to_retry_are_unfinished():
    left = record({}, open=3, failures={"pending": 2, "data": 4, "policy": 1})
    assert unfinished(left, frozenset({"data", "model"})) == ["3 open", "2 pending", "--retry data"]
