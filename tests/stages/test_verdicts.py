from datetime import datetime

import polars as pl
import pytest

from forge.columns import dtypes
from forge.stages.attempts import Attempts
from forge.stages.environments import Environments
from forge.stages.patches import Patches
from forge.stages.recipes import Recipes
from forge.stages.statements import Statements
from forge.stages.verdicts import Limits, Verdicts, verdicts

KEY = {"repository_id": 1, "number": 7}
ONE, TWO = "tests/test_a.py::test_one", "tests/test_a.py::test_two"
RECIPES = [KEY | {"rank": rank, "recipe_sha": f"r{rank}"} for rank in (1, 2)]
BUILT = [{"recipe_sha": "r1", "is_built": True}]
RAN = {
    "recipe_sha": "r1",
    "broken_files": [],
    "is_timed_out": False,
    "seconds": 2.5,
    "seconds_limit": 600,
    "memory_bytes": 90,
    "processes": 12,
    "result": "9f",
    "ran_at": datetime(2026, 4, 1),
}


def attempts(before, after, numbers=(1, 2, 3), **facts):
    """The same attempts on each side by letters by id, numbered; facts are of the afters."""
    sides = [("before", before, {}), ("after", after, facts)]
    return [
        KEY | RAN | more | {"side": side, "attempt": n, "tests": listed(tests)}
        for side, tests, more in sides
        for n in numbers
    ]


def listed(tests):
    return [{"id": name, "letter": letter, "seconds": 0.1} for name, letter in tests.items()]


def decided(rows, recipes=RECIPES, environments=BUILT, **limits):
    lf = verdicts.function(
        pl.LazyFrame([KEY], schema=dtypes(Statements)),
        pl.LazyFrame([KEY | {"test_paths": ["tests/test_a.py"]}], schema=dtypes(Patches)),
        pl.LazyFrame(recipes, schema=dtypes(Recipes)),
        pl.LazyFrame(environments, schema=dtypes(Environments)),
        pl.LazyFrame(rows, schema=dtypes(Attempts)),
        limits=Limits(**limits),
    )
    return lf.collect().row(0, named=True)


def reasons(rows, **kwargs):
    return decided(rows, **kwargs)["reasons"]


GOOD = attempts({ONE: "F", TWO: "P"}, {ONE: "P", TWO: "P"})


def test_candidate_whose_test_turns_green_is_kept_with_its_lists():
    row = decided(GOOD)
    assert (row["fate"], row["reasons"]) == ("kept", [])
    assert row["fail_to_pass"] == [{"id": ONE, "kind": "failed"}]
    assert row["pass_to_pass"] == [TWO]


def test_kept_row_says_what_its_attempts_cost_and_when_the_last_one_ended():
    row = decided(GOOD)
    assert (row["attempts_before"], row["attempts_after"], row["recipe_sha"]) == (3, 3, "r1")
    assert (row["seconds_after"], row["memory_bytes"], row["processes"]) == (2.5, 90, 12)
    assert row["verified_at"] == datetime(2026, 4, 1)


def test_columns_of_the_schema_are_all_there():
    assert set(Verdicts.column_names()) <= set(decided(GOOD))


def test_candidate_without_a_recipe_has_no_other_reason():
    assert reasons([], recipes=[], environments=[]) == ["has_recipe"]


def test_candidate_without_an_environment_says_what_stopped_its_best_recipe():
    stopped = [
        {"recipe_sha": "r2", "is_built": False, "reason": "probe_failed"},
        {"recipe_sha": "r1", "is_built": False, "reason": "install_failed"},
    ]
    row = decided([], environments=stopped)
    assert (row["reasons"], row["detail"]) == (["has_environment"], "install_failed")


def test_second_recipe_is_environment_enough():
    tried = [{"recipe_sha": "r1", "is_built": False}, {"recipe_sha": "r2", "is_built": True}]
    assert reasons(GOOD, environments=tried) == []


@pytest.mark.parametrize("rows", [[], GOOD[:3], GOOD[3:]])
def test_candidate_without_attempts_on_both_sides_is_rejected(rows):
    assert reasons(rows) == ["has_attempts"]


def test_tests_that_pass_before_are_the_only_reason():
    assert reasons(attempts({ONE: "P"}, {ONE: "P"})) == ["has_failures_before"]


def test_gold_patch_that_turns_nothing_green_is_rejected():
    assert reasons(attempts({ONE: "F"}, {ONE: "F"})) == ["has_fail_to_pass"]


def test_flaky_tests_alone_are_rejected_as_flaky():
    rows = attempts({ONE: "F"}, {ONE: "P"}, [1, 2]) + attempts({ONE: "P"}, {ONE: "P"}, [3])
    assert reasons(rows) == ["has_fail_to_pass", "is_not_flaky"]


def test_flaky_test_that_was_to_stay_green_is_left_out_and_named():
    before = {ONE: "F", TWO: "P"}
    rows = attempts(before, {ONE: "P", TWO: "P"}, [1, 2])
    row = decided(rows + attempts(before, {ONE: "P", TWO: "F"}, [3]))
    assert (row["fate"], row["flaky"], row["pass_to_pass"]) == ("kept", 1, [])
    assert row["flaky_tests"] == [TWO]


@pytest.mark.parametrize(("before", "after"), [("FFF", "PPF"), ("FPF", "PPP")])
def test_flaky_test_that_was_to_turn_green_drops_the_candidate(before, after):
    numbered = zip([1, 2, 3], before, after, strict=True)
    rows = [
        row for n, b, a in numbered for row in attempts({ONE: "F", TWO: b}, {ONE: "P", TWO: a}, [n])
    ]
    row = decided(rows)
    assert (row["fate"], row["reasons"], row["flaky_tests"]) == (
        "rejected",
        ["is_not_flaky"],
        [TWO],
    )


def test_time_of_nearly_all_attempts_is_told_with_the_longest():
    before = {ONE: "F"}
    rows = [
        row | {"seconds": seconds}
        for seconds in range(1, 31)
        for row in attempts(before, {ONE: "P"}, [seconds])
    ]
    row = decided(rows)
    assert (row["seconds_p95"], row["seconds_after"]) == (29.0, 30.0)


def test_attempts_in_another_order_count_in_no_list_and_no_cost():
    other = KEY | RAN | {"side": "reversed", "attempt": 1, "tests": listed({ONE: "F", "b::t": "P"})}
    row = decided([*GOOD, other | {"seconds": 500.0}])
    assert (row["fate"], row["attempts_after"], row["seconds_after"]) == ("kept", 3, 2.5)
    assert (row["is_order_dependent"], row["order_dependent_tests"]) == (True, [ONE])
    assert (row["is_worker_dependent"], row["listed_tests"]) == (None, 2)


def test_nothing_listed_on_either_side_is_rejected():
    assert reasons(attempts({}, {})) == ["has_listed_tests"]


def test_touched_test_file_that_breaks_after_is_rejected():
    rows = attempts({ONE: "F"}, {ONE: "P"}, broken_files=["tests/test_a.py"])
    assert reasons(rows) == ["is_collected_after"]


def test_runner_that_dies_after_is_rejected():
    rows = attempts({ONE: "F"}, {}, result=None)
    assert reasons(rows) == ["is_collected_after", "has_fail_to_pass"]


def test_time_that_runs_out_after_is_rejected():
    rows = attempts({ONE: "F", TWO: "F"}, {ONE: "P", TWO: "T"}, is_timed_out=True)
    assert reasons(rows) == ["is_in_time_after"]


COLLAPSE = [
    row | ({"broken_files": ["tests/test_a.py"]} if row["side"] == "before" else {})
    for row in attempts({}, {ONE: "P"})
]


def test_candidate_that_fails_by_collapse_only_is_rejected():
    assert reasons(COLLAPSE) == ["is_more_than_collapse"]


def test_collapse_alone_is_kept_where_the_limit_allows_it():
    row = decided(COLLAPSE, collapse_only=True)
    assert (row["fate"], row["fails_by_collapse_only"]) == ("kept", True)


def test_would_be_task_with_too_few_attempts_is_rejected():
    assert reasons(attempts({ONE: "F"}, {ONE: "P"}, [1, 2])) == ["is_repeated"]


def test_hopeless_candidate_is_not_blamed_for_few_attempts():
    assert reasons(attempts({ONE: "P"}, {ONE: "P"}, [1])) == ["has_failures_before"]


def test_task_without_pass_to_pass_is_kept_unless_the_limit_asks_for_some():
    rows = attempts({ONE: "F"}, {ONE: "P"})
    assert reasons(rows) == []
    assert reasons(rows, pass_to_pass=1) == ["has_pass_to_pass"]


LACKING = [RECIPES[0] | {"surroundings": ["services: redis:7"]}]


def test_tests_that_fail_on_both_sides_beside_a_service_are_told_to_need_it():
    rows = attempts({ONE: "E", TWO: "P"}, {ONE: "E", TWO: "P"})
    assert reasons(rows, recipes=LACKING) == ["has_fail_to_pass", "needs_services"]
    assert reasons(rows) == ["has_fail_to_pass"]


def test_service_that_other_tests_need_stops_no_candidate_whose_own_turn_green():
    rows = attempts({ONE: "F", TWO: "E"}, {ONE: "P", TWO: "E"})
    assert reasons(rows, recipes=LACKING) == []
