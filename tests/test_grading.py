"""Grades of good and bad patches by the exported row alone."""

import asyncio
from collections.abc import Iterator

import pytest
from naive import naive_grade
from projects import Project, archive_of, make_project, patch_of

from forge.artifacts import Artifacts
from forge.errors import InputError
from forge.eval_script import END, START, render
from forge.grading import Report, grade, graded, judge, read_report
from forge.services.docker import Docker, Image
from forge.settings import Settings

SUMS = "def add(a, b):\n    return a - b\n"
TESTS = "tests/test_sums.py"
HIDDEN = (
    "from sums import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n\n\n"
    "def test_add():\n    assert add(1, 1) == 2\n"
)
OLD = "def test_old(): ...\n"
FAIL_TO_PASS, PASS_TO_PASS = [f"{TESTS}::test_add"], [f"{TESTS}::test_zero"]
PRINTED = "\n".join(f"--- PASS: {name} (0.00s)" for name in FAIL_TO_PASS + PASS_TO_PASS)
RESULT = '<testcase classname="tests.test_sums" name="test_add"/>'

# To every open file, because the runner has put its own in the place of the first two.
PRINT_AND_EXIT = f"""
import os
for file in range(1, 256):
    try:
        os.write(file, b'''\\n{PRINTED}\\n''')
    except OSError:
        pass
os._exit(0)
"""
GOLD = {"sums.py": "def add(a, b):\n    return a + b\n"}
ATTACKS = {
    "print and exit": {"sums.py": PRINT_AND_EXIT},
    "print and exit before the tests": {"conftest.py": PRINT_AND_EXIT},
    "plant a result file": {"result.xml": RESULT, "conftest.py": "import os\nos._exit(0)\n"},
    "edit the tests": {TESTS: "def test_zero(): ...\ndef test_add(): ...\n"},
}


class Judge:
    """A task's exported row, and two graders for it."""

    def __init__(self, docker: Docker, project: Project, runner: asyncio.Runner) -> None:
        self.docker, self.project, self.runner = docker, project, runner
        recipe = project.recipe()
        image = runner.run(docker.image(recipe))
        assert isinstance(image, Image), image
        self.row = {
            "instance_id": "ada__sums-1",
            "image": image.tag,
            "eval_script": render(
                recipe,
                test_archive=archive_of({TESTS: HIDDEN}),
                removed_test_paths=[],
                targets=[TESTS],
                seconds=60,
            ),
            "log_parser": "parse_log_gotest",
            "FAIL_TO_PASS": FAIL_TO_PASS,
            "PASS_TO_PASS": PASS_TO_PASS,
        }

    def grade(self, files: dict[str, str], **changes: object) -> Report:
        patch = patch_of(self.project, files) if files else ""
        return self.runner.run(graded(self.docker, self.row | changes, patch))

    def naive_grade(self, files: dict[str, str]) -> bool:
        patch = patch_of(self.project, files) if files else ""
        return self.runner.run(
            naive_grade(
                self.docker,
                self.row["image"],
                patch=patch,
                test=TESTS,
                hidden=HIDDEN,
                fail_to_pass=FAIL_TO_PASS,
            )
        )


@pytest.fixture(scope="module")
def judge_of_sums(docker_engine, tmp_path_factory) -> Iterator[Judge]:  # noqa: ARG001 - skips without it
    folder = tmp_path_factory.mktemp("grading")
    project = make_project(folder / "origin", {"sums.py": SUMS, "tests/test_old.py": OLD})
    settings = Settings(root=folder, git_url=project.git_url)
    service = Docker.open(settings, Artifacts(folder / "artifacts"))
    with asyncio.Runner() as runner:
        runner.run(service.__aenter__())
        yield Judge(service, project, runner)
        runner.run(service.__aexit__())


def test_gold_patch_is_resolved_by_both_graders(judge_of_sums):
    report = judge_of_sums.grade(GOLD)
    assert (report.is_resolved, report.failed, report.broken) == (True, (), ())
    assert report.statuses == dict.fromkeys(PASS_TO_PASS + FAIL_TO_PASS, "PASS")
    assert judge_of_sums.naive_grade(GOLD)


def test_nothing_done_is_resolved_by_neither(judge_of_sums):
    report = judge_of_sums.grade({})
    assert (report.is_resolved, report.failed, report.broken) == (False, tuple(FAIL_TO_PASS), ())
    assert not judge_of_sums.naive_grade({})
    log = judge_of_sums.docker.artifacts.path(report.log).read_text()
    assert "assert 0 == 2" in log


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_that_fools_a_naive_grader_resolves_nothing(judge_of_sums, attack):
    assert judge_of_sums.naive_grade(ATTACKS[attack])
    assert not judge_of_sums.grade(ATTACKS[attack]).is_resolved


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
