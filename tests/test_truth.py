from itertools import product

import polars as pl
import pytest

from forge.truth import cells, classes, findings, letters, promising, table

SCHEMA = {
    "repository_id": pl.Int64,
    "number": pl.Int64,
    "side": pl.String,
    "attempt": pl.Int64,
    "tests": pl.List(pl.Struct({"id": pl.String, "letter": pl.String, "seconds": pl.Float64})),
    "broken_files": pl.List(pl.String),
    "is_timed_out": pl.Boolean,
    "seconds": pl.Float64,
    "seconds_limit": pl.Int64,
    "result": pl.String,
}
TEST = "tests/test_a.py::test_one"
WHOLE = {"broken_files": [], "is_timed_out": False, "seconds": 10.0, "result": "9f"}


def attempt(side, tests, number=1, **facts):
    """An attempt of pull request 7 of repository 1; `tests` are letters by id."""
    listed = [{"id": name, "letter": letter, "seconds": 0.1} for name, letter in tests.items()]
    key = {"repository_id": 1, "number": 7, "side": side, "attempt": number, "seconds_limit": 600}
    return key | {"tests": listed} | WHOLE | facts


def attempts(before, after):
    """Attempts of each side by their letter for one test; `-` lists another test only."""
    sides = [("before", before), ("after", after)]
    return frame(
        *(one(side, letter, n) for side, letters in sides for n, letter in enumerate(letters, 1))
    )


def one(side, letter, number):
    if letter == "U":
        return attempt(side, {}, number, broken_files=["tests/test_a.py"])
    return attempt(
        side, {"tests/test_b.py::test_two": "P"} if letter == "-" else {TEST: letter}, number
    )


def frame(*rows):
    return pl.LazyFrame(rows, schema=SCHEMA)


def patches(*test_paths):
    return pl.LazyFrame({"repository_id": [1], "number": [7], "test_paths": [list(test_paths)]})


def of_test(lf, *columns):
    return lf.filter(pl.col("id") == TEST).select(columns).collect().row(0)


# Design, section 7: class before, class after, cell, kind.
TRUTH = [
    ("P", "P", "pass_to_pass", None),
    ("P", "X", "pass_to_pass", None),
    ("P", "S", "pass_to_skip", None),
    ("P", "F", "pass_to_fail", None),
    ("P", "E", "pass_to_fail", None),
    ("P", "U", "pass_to_fail", None),
    ("P", "T", "pass_to_fail", None),
    ("P", "-", "removed", None),
    ("P", "PF", "flaky", None),
    ("X", "P", "pass_to_pass", "was_expected_failure"),
    ("X", "X", "pass_to_pass", None),
    ("X", "S", "other", None),
    ("X", "F", "pass_to_fail", None),
    ("X", "-", "removed", None),
    ("X", "PF", "flaky", None),
    ("S", "P", "skip_to_pass", None),
    ("S", "X", "other", None),
    ("S", "S", "other", None),
    ("S", "F", "other", None),
    ("S", "-", "other", None),
    ("S", "PF", "flaky", None),
    ("F", "P", "fail_to_pass", "failed"),
    ("F", "X", "fail_to_expected_failure", None),
    ("F", "S", "fail_to_skip", None),
    ("F", "F", "fail_to_fail", None),
    ("F", "-", "removed", None),
    ("F", "PF", "flaky", None),
    ("E", "P", "fail_to_pass", "failed"),
    ("E", "X", "fail_to_expected_failure", None),
    ("E", "S", "fail_to_skip", None),
    ("E", "F", "fail_to_fail", None),
    ("E", "-", "removed", None),
    ("E", "PF", "flaky", None),
    ("U", "P", "fail_to_pass", "uncollected"),
    ("U", "X", "fail_to_expected_failure", None),
    ("U", "S", "fail_to_skip", None),
    ("U", "F", "fail_to_fail", None),
    ("U", "PF", "flaky", None),
    ("-", "P", "fail_to_pass", "absent"),
    ("-", "X", "fail_to_expected_failure", None),
    ("-", "S", "fail_to_skip", None),
    ("-", "F", "other", None),
    ("-", "T", "other", None),
    ("-", "PF", "flaky", None),
    ("T", "P", "fail_to_pass", "hangs"),
    ("T", "X", "other", None),
    ("T", "S", "other", None),
    ("T", "F", "other", None),
    ("T", "-", "other", None),
    ("T", "PF", "flaky", None),
    ("PF", "P", "flaky", None),
    ("PF", "X", "flaky", None),
    ("PF", "S", "flaky", None),
    ("PF", "F", "flaky", None),
    ("PF", "-", "other", None),
    ("PF", "PF", "flaky", None),
]


@pytest.mark.parametrize(("before", "after", "cell", "kind"), TRUTH)
def test_cell_of_the_truth_table(before, after, cell, kind):
    assert of_test(cells(attempts(before, after)), "cell", "kind") == (cell, kind)


@pytest.mark.parametrize(("before", "cell"), [("U", "removed"), ("A", "other")])
def test_cell_of_an_id_that_no_attempt_lists_stands_in_the_table_alone(before, cell):
    row = (pl.col("before") == before) & (pl.col("after") == "A")
    assert table().filter(row).select("cell").collect().item() == cell
    assert cells(attempts("U", "U")).collect().is_empty()


def test_table_has_a_cell_for_every_pair_of_classes():
    pairs = table().select("before", "after").unique().collect().rows()
    assert sorted(pairs) == sorted(product("PXSFUAT~", repeat=2))


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("FE", "F"),
        ("FU", "F"),
        ("EU", "F"),
        ("EE", "F"),
        ("UU", "U"),
        ("TT", "T"),
        ("TF", "~"),
        ("TU", "~"),
        ("XP", "~"),
        ("SP", "~"),
        ("PU", "~"),
        ("P-", "~"),
        ("F-", "~"),
        ("U-", "~"),
    ],
)
def test_class_of_a_side(letters, expected):
    assert of_test(classes(attempts(letters, "P")), "before") == (expected,)


def test_side_without_attempts_has_no_class_and_its_tests_no_cell():
    lf = attempts("", "P")
    assert of_test(classes(lf), "before", "after") == (None, "P")
    assert of_test(cells(lf), "cell") == (None,)


def before_letter(**facts):
    lf = frame(attempt("before", {}, **facts), attempt("after", {TEST: "P"}))
    return letters(lf).filter(pl.col("side") == "before").collect()["letter"].item()


def test_test_that_a_whole_attempt_does_not_list_is_absent():
    assert before_letter() == "A"


def test_runner_that_wrote_no_result_died_before_every_test():
    assert before_letter(result=None) == "U"


def test_runner_that_the_limit_cut_died_before_the_tests_it_does_not_list():
    assert before_letter(is_timed_out=True) == "U"


@pytest.mark.parametrize("broken", [".", "tests", "tests/test_a.py"])
def test_file_is_broken_with_the_folders_above_it(broken):
    assert before_letter(broken_files=[broken]) == "U"
    assert before_letter(broken_files=[f"{broken}_"]) == "A"


def test_id_with_odd_characters_belongs_to_its_file_too():
    odd = r'"\"tests\"/test_a.py::test_one[a\nb]"'
    lf = frame(
        attempt("before", {}, broken_files=['"tests"/test_a.py']), attempt("after", {odd: "P"})
    )
    assert cells(lf).collect()["kind"].to_list() == ["uncollected"]


def test_attempts_of_another_pull_request_say_nothing():
    other = attempt("before", {TEST: "F"}) | {"number": 8}
    lf = cells(frame(other, attempt("after", {TEST: "P"}))).filter(pl.col("number") == 7)
    assert of_test(lf, "before") == (None,)


@pytest.mark.parametrize(("seconds", "cell"), [(299.0, "fail_to_pass"), (300.0, "other")])
def test_hanging_test_is_fixed_only_where_after_takes_less_than_half_the_limit(seconds, cell):
    lf = frame(
        attempt("before", {TEST: "T"}, is_timed_out=True, seconds=600.0),
        attempt("after", {TEST: "P"}, seconds=seconds),
    )
    assert of_test(cells(lf), "cell") == (cell,)


def test_one_slow_after_is_enough_to_doubt_a_hang():
    lf = frame(
        attempt("before", {TEST: "T"}, is_timed_out=True, seconds=600.0),
        attempt("after", {TEST: "P"}),
        attempt("after", {TEST: "P"}, 2, seconds=400.0),
    )
    assert of_test(cells(lf), "cell", "kind") == ("other", None)


def found(lf, *test_paths):
    return findings(lf, patches(*test_paths)).collect().row(0, named=True)


def test_findings_list_tests_in_order_with_their_kinds():
    lf = frame(
        attempt("before", {"b::2": "F", "b::1": "E", "c::1": "P", "d::1": "X"}),
        attempt("after", {"b::2": "P", "b::1": "P", "c::1": "P", "d::1": "P", "a::1": "P"}),
    )
    row = found(lf)
    assert [(t["id"], t["kind"]) for t in row["fail_to_pass"]] == [
        ("a::1", "absent"),
        ("b::1", "failed"),
        ("b::2", "failed"),
    ]
    assert row["pass_to_pass"] == ["c::1", "d::1"]
    assert row["expected_failures"] == ["d::1"]


def test_findings_count_every_other_cell():
    row = found(attempts("PF", "PP"))
    assert (row["flaky"], row["fail_to_fail"], row["attempts_before"]) == (1, 0, 2)


def test_pull_request_without_any_listed_test_has_empty_findings():
    row = found(frame(attempt("before", {}), attempt("after", {})))
    assert (row["fail_to_pass"], row["pass_to_pass"], row["other"]) == ([], [], 0)


@pytest.mark.parametrize(("before", "is_collapse"), [("U", True), ("F", False), ("P", False)])
def test_task_whose_tests_are_all_uncollected_fails_by_collapse_only(before, is_collapse):
    assert found(attempts(before, "P"))["fails_by_collapse_only"] is is_collapse


def is_promising(lf, *test_paths):
    return promising(lf, patches(*test_paths)).collect().rows() == [(1, 7)]


def test_pull_request_with_a_test_turned_green_is_promising():
    assert is_promising(attempts("F", "P"), "tests/test_a.py")


def test_pull_request_without_a_test_turned_green_is_not_promising():
    assert not is_promising(attempts("P", "P"))


def test_pull_request_with_attempts_on_one_side_only_is_not_promising():
    assert not is_promising(attempts("", "P"))


def test_collapse_alone_is_promising_so_that_its_criterion_can_be_switched():
    assert is_promising(attempts("U", "P"))


def gold(**facts):
    other = {"tests/test_b.py::test_two": "P"}
    return frame(attempt("before", other | {TEST: "F"}), attempt("after", {TEST: "P"}, **facts))


def test_gold_patch_under_which_a_touched_test_file_breaks_is_not_promising():
    assert not is_promising(gold(broken_files=["tests/test_b.py"]), "tests/test_b.py")


def test_broken_test_file_that_nobody_touched_does_no_harm():
    assert is_promising(gold(broken_files=["tests/test_b.py"]), "tests/test_a.py")


def test_gold_patch_that_runs_out_of_time_is_not_promising():
    assert not is_promising(gold(is_timed_out=True))


def test_gold_patch_under_which_the_runner_dies_once_is_not_promising():
    dead = attempt("after", {}, 2, result=None)
    lf = frame(attempt("before", {TEST: "F"}), attempt("after", {TEST: "P"}), dead)
    assert found(lf)["has_broken_after"]
