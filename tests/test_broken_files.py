"""Tests that do not load are U, whatever their runner calls them."""

import polars as pl
import pytest

from forge.truth import letters

SCHEMA = {
    "repository_id": pl.Int64,
    "number": pl.Int64,
    "side": pl.String,
    "attempt": pl.Int64,
    "tests": pl.List(pl.Struct({"id": pl.String, "letter": pl.String})),
    "broken_files": pl.List(pl.String),
    "is_timed_out": pl.Boolean,
    "result": pl.String,
}


def letter_before(name: str, broken: str) -> str:
    """The letter that a test has before, where it is listed after alone."""
    rows = [
        (1, 7, "before", 1, [], [broken], False, "9f"),
        (1, 7, "after", 1, [{"id": name, "letter": "P"}], [], False, "9f"),
    ]
    found = letters(pl.LazyFrame(rows, schema=SCHEMA, orient="row"))
    return found.filter(pl.col("side") == "before").select("letter").collect().item()


@pytest.mark.parametrize(
    ("name", "broken", "letter"),
    [
        ("tests/test_a.py::test_x[b (c.d)]", "tests/test_a.py", "U"),
        ("tests/test_a.py::test_x[b (c.d)]", "c/d", "A"),
        ("test_x (tests.test_a.Case)", "tests/test_a", "U"),
        ("test_x (tests.test_a.Case.test_x)", "tests/test_a", "U"),
        ("test_x (tests.test_a.Case.test_x)", "tests", "U"),
        ("test_x (tests.test_a.Case.test_x)", "tests/test_b", "A"),
        ("sympy/core/tests/test_a.py:test_x", "sympy/core/tests/test_a.py", "U"),
        ("sympy/core/tests/test_a.py:test_x", "sympy/core/tests/test_b.py", "A"),
        ("readme.txt", "tests/test_a", "A"),
    ],
)
def test_test_of_a_module_that_did_not_load_is_uncollected_and_others_are_absent(
    name, broken, letter
):
    assert letter_before(name, broken) == letter
