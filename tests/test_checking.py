"""What a check says of grades, of results that are there already, and of strangers' recipes."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest
from checked_row import ROW

from forge.artifacts import Artifacts
from forge.check_results import results
from forge.checking import Difference, Tasks, differences
from forge.effect import Failure
from forge.errors import InputError, LockError
from forge.exported import task_of
from forge.grading import Report
from forge.images import image_of
from forge.services.docker import Docker
from forge.settings import Settings

TASK = task_of(ROW, "row")
RED, GREEN = {"new": "FAIL", "old": "PASS"}, {"new": "PASS", "old": "PASS"}
KEPT = {
    "instance_id": "ada__sums-1",
    "row_sha": TASK.sha,
    "outcome": "holds",
    "checked_at": datetime(2026, 3, 1, 12),
    "seconds": 1.5,
    "image": "sweforge/gone:1",
    "platform": "linux/amd64",
    "differences": [],
}


def report(statuses: dict[str, str], *, is_applied: bool = True) -> Report:
    passes = all(statuses.get(name) == "PASS" for name in ("new", "old"))
    return Report(
        instance_id="ada__sums-1",
        is_resolved=passes,
        is_applied=is_applied,
        is_timed_out=False,
        limit=None,
        failed=(),
        broken=(),
        statuses=statuses,
        seconds=1.0,
        log="log",
        report="report",
    )


@pytest.mark.parametrize(
    ("nothing", "gold", "expected"),
    [
        (RED, GREEN, []),
        ({"old": "PASS"}, GREEN, []),
        (GREEN, GREEN, [Difference("nothing", "new", "FAIL", "PASS")]),
        (RED | {"new": "SKIP"}, GREEN, [Difference("nothing", "new", "FAIL", "SKIP")]),
        ({"new": "FAIL"}, GREEN, [Difference("nothing", "old", "PASS", "ABSENT")]),
        (RED, RED, [Difference("gold", "new", "PASS", "FAIL")]),
        (RED, {"new": "PASS", "old": "SKIP"}, [Difference("gold", "old", "PASS", "SKIP")]),
    ],
)
def test_differences_name_side_test_and_both_statuses(nothing, gold, expected):
    assert differences(TASK, report(nothing), report(gold)) == expected


def test_gold_patch_that_does_not_apply_is_one_difference():
    found = differences(TASK, report(RED), report({}, is_applied=False))
    assert found == [Difference("gold", None, "applied", "not applied")]


@pytest.mark.parametrize("statuses", [GREEN, {"old": "PASS"}])
def test_task_that_lists_no_test_to_turn_green_does_not_hold(statuses):
    task = task_of(ROW | {"FAIL_TO_PASS": []}, "row")
    gold = replace(report(statuses), is_resolved=True)
    found = differences(task, replace(gold, is_resolved=False), gold)
    assert found == [Difference("nothing", None, "a listed test that fails", "none is listed")]


def test_task_without_lists_whose_script_prints_nothing_does_not_hold():
    task = task_of(ROW | {"FAIL_TO_PASS": [], "PASS_TO_PASS": []}, "row")
    assert differences(task, report({}), report({})) == [
        Difference("nothing", None, "a listed test that fails", "none is listed"),
        Difference("gold", None, "resolved", "not resolved"),
    ]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_results_are_read_again_as_they_were_written(tmp_path, suffix):
    path = tmp_path / f"checked.{suffix}"
    one = Difference("gold", None, "applied", "not\u2028applied")._asdict()
    with results(path) as held:
        held.put(KEPT)
        held.put(KEPT | {"instance_id": "ada__sums-2", "outcome": "differs", "differences": [one]})
        rows = held.rows
    with results(path) as again:
        assert again.rows == rows
        assert again.settled(TASK)["checked_at"] == datetime(2026, 3, 1, 12)


def test_row_that_changed_or_was_unchecked_is_not_settled(tmp_path):
    with results(tmp_path / "checked.jsonl") as held:
        held.put(KEPT)
        assert held.settled(task_of(ROW | {"eval_script": "false"}, "row")) is None
        held.put(KEPT | {"outcome": "unchecked"})
        assert held.settled(TASK) is None


def test_file_of_something_else_is_never_written_over_and_leaves_no_logs(tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    with pytest.raises(InputError, match="this one stays as it is"), results(path) as held:
        held.put(KEPT)
    assert json.loads(path.read_text()) == ROW
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("column", ["seconds", "outcome", "row_sha"])
def test_results_without_what_each_check_says_are_something_else(tmp_path, column):
    with results(tmp_path / "checked.jsonl") as held:
        held.put(KEPT)
    row = json.loads((tmp_path / "checked.jsonl").read_text())
    (tmp_path / "checked.jsonl").write_text(json.dumps(row | {column: None}) + "\n")
    with pytest.raises(InputError, match="something else"):
        results(tmp_path / "checked.jsonl").__enter__()


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_results_are_those_of_the_very_file_whatever_its_name_means_to_a_shell(tmp_path, suffix):
    with results(tmp_path / f"c1.{suffix}") as held:
        held.put(KEPT)
    with results(tmp_path / f"c[1].{suffix}") as held:
        held.put(KEPT | {"instance_id": "ada__sums-2"})
    with results(tmp_path / f"c[1].{suffix}") as again:
        assert [*again.rows] == ["ada__sums-2"]


def test_logs_that_a_check_left_stay(tmp_path):
    with results(tmp_path / "c.jsonl") as held:
        log = held.artifacts.path(held.artifacts.put(b"said"))
    with results(tmp_path / "c.jsonl"):
        pass
    assert log.read_bytes() == b"said"


def test_results_are_written_by_one_check_at_a_time(tmp_path):
    with results(tmp_path / "c.jsonl"), pytest.raises(LockError, match="another check"):
        results(tmp_path / "c.jsonl").__enter__()


def test_task_that_is_there_twice_is_refused_with_its_row():
    rows = pl.LazyFrame([ROW, ROW])
    with pytest.raises(InputError, match="t, row 2: ada__sums-1 is there twice"):
        list(Tasks(rows, "t", {"ada__sums-1"}))


@pytest.mark.parametrize(
    ("patch", "words"),
    [(None, "is missing or null"), ("", "string should have at least 1 character")],
)
def test_row_without_its_gold_patch_is_no_task_to_check(patch, words):
    rows = pl.LazyFrame([ROW, ROW | {"instance_id": "b", "patch": patch}])
    with pytest.raises(InputError, match=f"^t, row 2, column patch: {words}\n"):
        list(Tasks(rows, "t", {"ada__sums-1", "b"}))


RECIPE = {
    "language": "python",
    "repo": "ada/sums",
    "base_commit": 40 * "a",
    "image": "debian:bookworm-slim",
    "probe": "true",
    "test": "true",
    "results": "junit",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_commit": "../../../escaped"}, "no commit: '../../../escaped'"),
        ({"base_commit": "--upload-pack=x"}, "no commit: '--upload-pack=x'"),
        ({"repo": "../sums"}, "no owner/name: '../sums'"),
        ({"language": "../python"}, "forge knows no language '../python'"),
        ({"image": "../containers/x"}, "'../containers/x' names no image"),
        ({"surprise": "x"}, "Extra inputs are not permitted"),
    ],
)
@pytest.mark.usefixtures("docker_engine")
def test_recipe_that_would_reach_beyond_a_container_is_not_built(tmp_path, change, words):
    async def found() -> object:
        async with Docker.open(Settings(root=tmp_path), Artifacts(tmp_path)) as docker:
            return await image_of(
                docker, task_of(ROW | {"recipe": json.dumps(RECIPE | change)}, "")
            )

    told = asyncio.run(found())
    assert isinstance(told, Failure)
    assert told.reason == "recipe_unreadable"
    assert words in str(told.detail)
