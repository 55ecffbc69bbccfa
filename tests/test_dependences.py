"""Tests that pass in their own order and not in another, by what attempts say."""

import pytest
from test_truth import attempt, found, frame

ONE, TWO, RED = (f"tests/test_a.py::test_{name}" for name in ("one", "two", "red"))
BEFORE = attempt("before", {ONE: "F", TWO: "P", RED: "F"})
AFTER = attempt("after", {ONE: "P", TWO: "P", RED: "F"})
GREEN = {ONE: "P", TWO: "P", RED: "F"}
FLAGS = (
    *("is_order_dependent", "order_dependent_tests"),
    *("is_worker_dependent", "worker_dependent_tests"),
)
UNKNOWN = (None, [])


def flags(*others):
    row = found(frame(BEFORE, AFTER, *others))
    assert (len(row["fail_to_pass"]), row["pass_to_pass"], row["flaky"]) == (1, [TWO], 0)
    assert (row["attempts_before"], row["attempts_after"]) == (1, 1)
    return tuple(row[name] for name in FLAGS)


def test_nothing_is_known_of_what_was_not_asked():
    assert flags() == (*UNKNOWN, *UNKNOWN)


def test_listed_test_that_fails_in_the_opposite_order_depends_on_it():
    assert flags(attempt("reversed", {ONE: "P", TWO: "F", RED: "F"}))[:2] == (True, [TWO])


def test_order_does_not_matter_where_all_listed_tests_pass_reversed():
    assert flags(attempt("reversed", GREEN))[:2] == (False, [])


@pytest.mark.parametrize("letter", ["F", "E", "S"])
def test_test_that_does_not_pass_beside_the_other_half_depends_on_it(letter):
    halves = attempt("parallel", {ONE: letter}), attempt("parallel", {TWO: "P"}, 2)
    assert flags(*halves)[2:] == (True, [ONE])


def test_one_half_alone_proves_no_independence():
    assert flags(attempt("parallel", {ONE: "P"}))[2:] == UNKNOWN
    assert flags(attempt("parallel", {ONE: "F"}))[2:] == (True, [ONE])


def test_both_halves_green_prove_independence():
    halves = attempt("parallel", {ONE: "P"}), attempt("parallel", {TWO: "X"}, 2)
    assert flags(*halves)[2:] == (False, [])


@pytest.mark.parametrize(
    "facts", [{"tests": []}, {"result": None}, {"is_timed_out": True}], ids=str
)
def test_run_that_found_no_test_or_was_cut_says_nothing(facts):
    assert flags(attempt("reversed", {ONE: "F"}) | facts)[:2] == UNKNOWN


def test_test_that_the_runner_did_not_find_by_its_name_says_nothing():
    assert flags(attempt("reversed", {ONE: "P"}))[:2] == (False, [])
