import json
from pathlib import Path

import handmade
import polars as pl
import pytest

from forge.exporters.swebench import export


def write_tasks(home, **more) -> None:
    row = {
        "instance_id": "a__b-1",
        "image": "sweforge/a__b:1",
        "eval_script": "true",
        "log_parser": "parse_log_maven",
        "patch": "diff",
        "FAIL_TO_PASS": "[]",
        "PASS_TO_PASS": "[]",
    }
    (home / "tasks.jsonl").write_text(json.dumps(row | more) + "\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("x", "--gold"),
            (
                "say one of --month or --tasks\n"
                "such as: forge grade --month 2026-03 owner__name-12 --gold"
            ),
        ),
        (
            ("x", "--month", "2026-03"),
            (
                "say one of --patch or --gold or --nothing\n"
                "such as: forge grade --month 2026-03 owner__name-12 --gold"
            ),
        ),
        (
            ("x", "--month", "2026-03", "--gold", "--nothing"),
            (
                "say one of --patch or --gold or --nothing\n"
                "such as: forge grade --month 2026-03 owner__name-12 --gold"
            ),
        ),
    ],
)
@pytest.mark.usefixtures("month")
def test_contradictory_flags_are_refused(forge_says, arguments, message):
    assert forge_says("grade", *arguments) == (2, "", f"forge: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("lantern__tidy-2", "--month", "2026-03", "--gold"),
            "no task lantern__tidy-2 in the tasks of 2026-03 in data\nit holds lantern__tidy-1",
        ),
        (
            ("a__b-2", "--tasks", "tasks.jsonl", "--gold"),
            "no task a__b-2 in tasks.jsonl\nit holds a__b-1",
        ),
        (
            ("a__b-1", "--tasks", "tasks.csv", "--gold"),
            "tasks.csv: tasks are read from .parquet or .jsonl\nname such a file",
        ),
        (
            ("a__b-1", "--tasks", "other.parquet", "--gold"),
            "other.parquet has no column instance_id\nname an exported file",
        ),
        (
            ("a__b-1", "--tasks", "tasks.jsonl", "--patch", "no.diff"),
            "no.diff cannot be read: No such file or directory\nname a patch",
        ),
    ],
)
def test_what_cannot_be_graded_is_named(month, forge_says, arguments, message):
    write_tasks(month)
    pl.DataFrame({"x": [1]}).write_parquet(month / "other.parquet")
    assert forge_says("grade", *arguments) == (3, "", f"forge: {message}\n")


def test_row_that_names_no_task_is_refused_whichever_is_graded(month, forge_says):
    write_tasks(month, instance_id=None)
    ended = forge_says("grade", "None", "--tasks", "tasks.jsonl", "--gold")
    assert ended.code == 3
    assert ended.err.startswith(
        "forge: tasks.jsonl, row 1, column instance_id: is missing or null\n"
    )


def test_grade_without_an_engine_says_so(month, forge_says):
    write_tasks(month, log_parser="parse_log_gotest")
    ended = forge_says("grade", "a__b-1", "--tasks", "tasks.jsonl", "--gold")
    assert ended.code == 6
    assert ended.err.startswith(
        "forge: no Docker engine answers at unix:///nowhere/docker.sock: No such file or directory"
    )


@pytest.fixture(scope="module")
def tasks(tmp_path_factory, docker_engine):
    """An exported file of tasks whose image is on this machine."""
    folder = tmp_path_factory.mktemp("tasks")
    rows = handmade.make(folder / "repository", docker_engine)
    export(rows, folder / "tasks.parquet")
    return folder / "tasks.parquet"


@pytest.fixture
def grades(tasks, forge_says, monkeypatch):
    """Grade the ordinary task of that file."""
    monkeypatch.delenv("DOCKER_HOST")
    name = f"grace__shouting-{len(handmade.AWKWARD)}"
    return lambda *flags: forge_says("grade", name, "--tasks", str(tasks), *flags)


def test_gold_patch_is_resolved(grades):
    ended = grades("--gold")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "grace__shouting-9: resolved"
    assert lines[1].startswith("2 tests in ")
    assert all(Path(line.split(": ")[1]).is_file() for line in lines[2:])


def test_nothing_done_exits_with_9_and_names_what_should_pass(grades):
    ended = grades("--nothing")
    assert (ended.code, ended.err) == (9, "forge: grace__shouting-9 is not resolved\n")
    assert ended.out.splitlines()[:3] == [
        "grace__shouting-9: not resolved",
        "1 should pass now and do not:",
        "    tests/deep/er/test_plain.py::test_shouts[ordinary]",
    ]


def test_patch_of_ones_own_is_graded_in_json(grades, home):
    patch = "--- a/shouting.py\n+++ b/shouting.py\n@@ -1,2 +1,2 @@\n def shout(text):\n"
    (home / "mine.diff").write_text(
        f'{patch}-    return text.lower() + "!"\n+    return text.upper()\n'
    )
    ended = grades("--patch", "mine.diff", "--json")
    told = json.loads(ended.out)
    assert ended.code == 9
    assert (told["is_applied"], told["is_resolved"]) == (True, False)
    assert told["broken"] == ["tests/deep/er/test_plain.py::test_keeps_its_mark[ordinary]"]
