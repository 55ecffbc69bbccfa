import json

import polars as pl
import pytest


def write_tasks(home, **more) -> None:
    row = {"instance_id": "a__b-1", "log_parser": "parse_log_maven", "patch": "diff"}
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


def test_grade_without_an_engine_says_so(month, forge_says):
    write_tasks(month, log_parser="parse_log_gotest")
    ended = forge_says("grade", "a__b-1", "--tasks", "tasks.jsonl", "--gold")
    assert ended.code == 6
    assert ended.err.startswith(
        "forge: no Docker engine answers at unix:///nowhere/docker.sock: No such file or directory"
    )
