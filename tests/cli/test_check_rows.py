"""What `forge check` says of rows and results before it asks an engine; here is none."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from checked_row import ROW

from forge.check_results import results
from forge.exported import task_of

CHECK = ("check", "--tasks", "tasks.jsonl", "-o", "checked/c.jsonl")


@pytest.fixture
def write(home):
    """Write rows like the one above."""
    (home / "checked").mkdir()

    def written(*changes: dict[str, object]) -> None:
        lines = [json.dumps(ROW | change) + "\n" for change in changes]
        (home / "tasks.jsonl").write_text("".join(lines))

    return written


def settle(home: Path, *changes: dict[str, object], **told: object) -> None:
    """Results that say of these rows that they were checked in March."""
    with results(home / "checked/c.jsonl") as held:
        for day, change in enumerate(changes, 1):
            task = task_of(ROW | change, "row")
            row = {"instance_id": task.instance_id, "row_sha": task.sha, "outcome": "holds"}
            row |= {"checked_at": datetime(2026, 3, day), "seconds": 1.5, "image": task.image}
            held.put(row | {"platform": "linux/amd64"} | told)


@pytest.mark.parametrize(
    "names", [[None], [None, None], [None, "ada__sums-1"], [7], [""], ["", "ada__sums-1"]]
)
def test_row_that_names_no_task_is_refused(home, write, forge_says, names):
    write(*({"instance_id": name} for name in names))
    ended = forge_says(*CHECK)
    assert ended.code == 3
    assert ended.err.startswith("forge: tasks.jsonl, row 1, column instance_id: ")
    assert [*(home / "checked").iterdir()] == []


def test_file_without_rows_is_refused(write, forge_says):
    write({"instance_id": "x"})
    table = forge_says("sql", "select 'x' as instance_id where false", "-o", "none.parquet")
    assert table.code == 0
    ended = forge_says("check", "--tasks", "none.parquet", "-o", "c.jsonl")
    assert ended == (
        3,
        "",
        "forge: no task in none.parquet\nname a file or a month that holds some\n",
    )


def test_check_that_finds_no_engine_leaves_no_folder_of_logs(home, write, forge_says):
    write({})
    assert forge_says(*CHECK).code == 6
    assert [*(home / "checked").iterdir()] == []


def test_what_was_checked_before_is_told_with_its_day_and_checked_again_when_asked(
    home, write, forge_says
):
    changes = {}, {"instance_id": "ada__sums-2"}
    write(*changes)
    settle(home, *changes)
    ended = forge_says(*CHECK)
    assert (ended.code, ended.out.splitlines()[-1]) == (
        0,
        "2 hold, 2 of them checked before, since 2026-03-01; --again checks them once more",
    )
    assert json.loads(forge_says(*CHECK, "--json").out)["checked_before"] == 2
    assert forge_says(*CHECK, "--again").code == 6


def test_log_of_a_difference_is_named_from_where_the_command_runs(home, write, forge_says):
    write({})
    with results(home / "checked/c.jsonl") as held:
        log = held.artifacts.put(b"said")
    settle(home, {}, outcome="differs", gold_log=log, gold_report=log)
    ended = forge_says(*CHECK)
    (named,) = (line for line in ended.out.splitlines() if line.startswith("    log: "))
    assert (home / named.removeprefix("    log: ")).read_bytes() == b"said"


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--tasks", "tasks.jsonl", "-o", "."), 3, "forge: . is a folder"),
        (("--tasks", "tasks.jsonl", "-o", ""), 2, "Error: Invalid value for '-o'"),
        (("--tasks", "", "-o", "c.jsonl"), 2, "Error: Invalid value for '--tasks': is empty"),
        (
            ("--tasks", "tasks.jsonl", "--month", "", "-o", "c.jsonl"),
            2,
            "forge: say one of --month or --tasks",
        ),
    ],
)
def test_flags_that_name_nothing_are_refused(write, forge_says, flags, code, words):
    write({})
    ended = forge_says("check", *flags)
    assert ended.code == code
    assert words in ended.err
