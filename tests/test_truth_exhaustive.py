"""Every two letters before and every two after, against section 7 of the design, read literally."""

from itertools import product

import polars as pl
import pytest
from test_truth import TEST, attempt, frame

from forge.truth import cells, findings

# Rows: class before. Columns: class after, as the design writes them; F stands for F, E, U and T.
AFTER = ["P", "X", "S", "F", "A", "~"]
DESIGN = {
    "P": ["PASS_TO_PASS", "PASS_TO_PASS", "pass_to_skip", "pass_to_fail", "removed", "flaky"],
    "X": ["PASS_TO_PASS", "PASS_TO_PASS", "other", "pass_to_fail", "removed", "flaky"],
    "S": ["skip_to_pass", "other", "other", "other", "other", "flaky"],
    "F": [
        *("FAIL_TO_PASS", "fail_to_expected_failure", "fail_to_skip", "fail_to_fail", "removed"),
        "flaky",
    ],
    "A": ["FAIL_TO_PASS", "fail_to_expected_failure", "fail_to_skip", "other", "other", "flaky"],
    "T": ["FAIL_TO_PASS", "other", "other", "other", "other", "flaky"],
    "~": ["flaky", "flaky", "flaky", "flaky", "other", "flaky"],
}
LETTERS = "PXSFEUAT"
PAIRS = [*product(product(LETTERS, repeat=2), repeat=2)]


def class_of(letters: tuple[str, ...]) -> str:
    distinct = set(letters)
    if distinct <= {"F", "E", "U"}:
        return "F"
    return letters[0] if len(distinct) == 1 else "~"


def column(after: str) -> int:
    return AFTER.index("F" if after == "T" else after)


def cell(befores: tuple[str, ...], afters: tuple[str, ...]) -> str:
    return DESIGN[class_of(befores)][column(class_of(afters))].lower()


def may_turn_green(befores: tuple[str, ...], afters: tuple[str, ...]) -> bool:
    return any(cell((b,), (a,)) == "fail_to_pass" for b in befores for a in afters)


def one(side: str, letter: str, number: int, candidate: int) -> dict[str, object]:
    tests = {} if letter in "UA" else {TEST: letter}
    broken = ["tests/test_a.py"] if letter == "U" else []
    return attempt(side, tests, number, broken_files=broken) | {"number": candidate}


@pytest.fixture(scope="module")
def attempts() -> pl.LazyFrame:
    rows = (
        one(side, letter, attempt, candidate)
        for candidate, pair in enumerate(PAIRS)
        for side, letters in zip(("before", "after"), pair, strict=True)
        for attempt, letter in enumerate(letters, 1)
    )
    return frame(*rows)


def is_listed(befores: tuple[str, ...], afters: tuple[str, ...]) -> bool:
    return not {*befores, *afters} <= {"U", "A"}


def test_every_cell_is_that_of_the_design(attempts):
    found = dict(cells(attempts).select("number", "cell").collect().iter_rows())
    expected = {n: cell(*pair) for n, pair in enumerate(PAIRS) if is_listed(*pair)}
    wrong = {"".join(sum(PAIRS[n], ())): (found.get(n), c) for n, c in expected.items()
             if found.get(n) != c}  # fmt: skip
    assert wrong == {}
    assert found.keys() == expected.keys()


def test_flaky_test_that_some_pair_of_attempts_makes_a_fail_to_pass_is_named_as_such(attempts):
    rows = findings(attempts, NO_PATCHES).collect()
    found = {n for n, tests in rows.select("number", "flaky_fail_to_pass").iter_rows() if tests}
    flaky = {n for n, pair in enumerate(PAIRS) if is_listed(*pair) and cell(*pair) == "flaky"}
    assert found == {n for n in flaky if may_turn_green(*PAIRS[n])}
    named = {n for n, tests in rows.select("number", "flaky_tests").iter_rows() if tests == [TEST]}
    assert named == flaky


def test_test_that_flakes_is_in_neither_list(attempts):
    rows = findings(attempts, NO_PATCHES).filter(pl.col("flaky") > 0).collect()
    assert rows.select("fail_to_pass", "pass_to_pass").unique().rows() == [([], [])]


NO_PATCHES = pl.LazyFrame(
    schema={"repository_id": pl.Int64, "number": pl.Int64, "test_paths": pl.List(pl.String)}
)
