"""Grades of good and bad patches by the exported row alone."""

from collections.abc import Iterator

import judging
import pytest
from judging import FAIL_TO_PASS, GOLD, PASS_TO_PASS, Judge
from projects import patch_of

from forge.errors import InputError
from forge.eval_script import END, START
from forge.grading import grade, graded, judge, read_report


@pytest.fixture(scope="module")
def judge_of_sums(docker_engine, tmp_path_factory) -> Iterator[Judge]:  # noqa: ARG001 - skips without it
    with judging.judge_of_sums(tmp_path_factory.mktemp("grading")) as judge:
        yield judge


def test_gold_patch_is_resolved(judge_of_sums):
    report = judge_of_sums.grade(GOLD)
    assert (report.is_resolved, report.failed, report.broken) == (True, (), ())
    assert report.statuses == dict.fromkeys(PASS_TO_PASS + FAIL_TO_PASS, "PASS")


def test_nothing_done_is_not_resolved(judge_of_sums):
    report = judge_of_sums.grade({})
    assert (report.is_resolved, report.failed, report.broken) == (False, tuple(FAIL_TO_PASS), ())
    log = judge_of_sums.docker.artifacts.path(report.log).read_text()
    assert "assert 0 == 2" in log


def test_patch_that_breaks_what_worked_is_not_resolved(judge_of_sums):
    report = judge_of_sums.grade({"sums.py": "def add(a, b):\n    return 2\n"})
    assert (report.is_resolved, report.failed, report.broken) == (False, (), tuple(PASS_TO_PASS))


def test_patch_with_shifted_context_is_applied_as_harnesses_do(judge_of_sums):
    patch = patch_of(judge_of_sums.project, GOLD).replace(" def add(a, b):", " def add(a,b):")
    report = judge_of_sums.runner.run(graded(judge_of_sums.docker, judge_of_sums.row, patch))
    assert report.is_applied
    assert report.is_resolved


def test_patch_of_another_repository_does_not_apply(judge_of_sums):
    patch = patch_of(judge_of_sums.project, GOLD).replace("sums.py", "other.py")
    report = judge_of_sums.runner.run(graded(judge_of_sums.docker, judge_of_sums.row, patch))
    assert (report.is_applied, report.is_resolved) == (False, False)
    assert report.failed == tuple(FAIL_TO_PASS)


def test_image_that_is_gone_is_built_again_from_the_rows_recipe(judge_of_sums):
    recipe = judge_of_sums.project.recipe(environment={"PYTHONPATH": "/testbed", "AGAIN": "1"})
    report = judge_of_sums.grade(GOLD, image="sweforge/gone:1", recipe=recipe.text)
    assert report.is_resolved


def test_image_that_is_gone_without_a_recipe_is_named(judge_of_sums):
    with pytest.raises(InputError) as error:
        judge_of_sums.grade(GOLD, image="sweforge/gone:1")
    assert str(error.value) == (
        "ada__sums-1: the image sweforge/gone:1 is gone, and the row holds no recipe\n"
        "pull the image, or grade a row of a forge table, which holds one"
    )


def test_grade_of_one_row_needs_no_open_service(judge_of_sums):
    settings = judge_of_sums.docker.settings
    row = judge_of_sums.row
    assert grade(row, patch_of(judge_of_sums.project, GOLD), settings).is_resolved


def test_row_of_a_foreign_log_parser_is_refused(judge_of_sums):
    with pytest.raises(InputError, match="forge reads no logs of 'parse_log_maven'"):
        judge_of_sums.grade(GOLD, log_parser="parse_log_maven")


@pytest.mark.parametrize(
    ("log", "statuses"),
    [
        (f"{START}\n--- PASS: a (0.00s)\n--- FAIL: b (0.00s)\n{END}", {"a": "PASS", "b": "FAIL"}),
        (f"--- PASS: early (0.00s)\n{START}\n{END}\n--- PASS: late (0.00s)", {}),
        (f"{START}\n--- PASS: never ended (0.00s)\n", {}),
        (f"{START}\n--- PASS: a (b) - [c] (1.25s)\nPASS\nok\n{END}", {"a (b) - [c]": "PASS"}),
        (f"{START}\n--- PASS: a (0.00s)\n--- FAIL: a (0.00s)\n{END}", {"a": "FAIL"}),
    ],
)
def test_report_is_read_between_its_markers_alone(log, statuses):
    assert read_report(log) == statuses


def test_absent_and_skipped_tests_did_not_pass():
    statuses = {"a": "PASS", "b": "SKIP", "c": "FAIL"}
    assert judge(statuses, ["a", "b"], ["a", "c", "d"]) == (("b",), ("c", "d"))
