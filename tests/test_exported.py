"""Rows that somebody else wrote: what is no good is named by its file, row and column."""

import json

import polars as pl
import pytest

from forge.errors import InputError
from forge.exported import read_tasks, rows_of, task_of

ROW = {
    "instance_id": "ada__sums-1",
    "image": "sweforge/ada__sums:c0ffee",
    "eval_script": "true",
    "log_parser": "parse_log_gotest",
    "FAIL_TO_PASS": '["a.py::t"]',
    "PASS_TO_PASS": "[]",
    "patch": "",
}


def tasks_in(path) -> list[object]:
    return [task_of(row, where) for where, row in rows_of(read_tasks(path), str(path))]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("image", "../containers/x", "'../containers/x' names no image"),
        ("image", "ada/sums:1\n", "'ada/sums:1\\n' names no image"),
        ("image", "ada//sums", "'ada//sums' names no image"),
        ("image", None, "is missing or null"),
        ("image_digest", "latest", "string should match pattern '^sha256:[0-9a-f]{64}$'"),
        ("eval_script", "", "string should have at least 1 character"),
        (
            "log_parser",
            "parse_log_maven",
            "forge reads no logs of 'parse_log_maven', but those of parse_log_gotest",
        ),
        ("FAIL_TO_PASS", "[" * 100_000, "nested too deep"),
        ("FAIL_TO_PASS", '["a', "unterminated string starting at: line 1 column 2 (char 1)"),
        ("FAIL_TO_PASS", '{"a": 1}', "input should be a valid tuple"),
        ("PASS_TO_PASS", "[1]", "input should be a valid string"),
        ("PASS_TO_PASS", '["\\ud800"]', "holds a lone surrogate, which is no text"),
        ("recipe", "[]", "is no JSON object"),
    ],
)
def test_bad_column_is_named_with_its_file_and_row(tmp_path, column, value, words):
    path = tmp_path / "tasks.jsonl"
    lines = [json.dumps(row) for row in (ROW, ROW | {column: value})]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as refused:
        tasks_in(path)
    assert str(refused.value).splitlines()[0] == f"{path}, row 2, column {column}: {words}"


@pytest.mark.parametrize(
    "name",
    [
        "python:3.11-slim",
        "localhost:5000/team/ada__sums@sha256:" + 64 * "a",
        "[::1]:5000/sums:1",
        "sha256:" + 64 * "0",
    ],
)
def test_names_that_an_engine_knows_are_taken(name):
    assert task_of(ROW | {"image": name}, "row").image == name


def test_row_of_a_table_and_its_export_are_the_same_task():
    of_table = {name: told for name, told in ROW.items() if name not in {"patch", "FAIL_TO_PASS"}}
    table = of_table | {"fail_to_pass": ["a.py::t"], "gold_patch": ""}
    assert task_of(table, "row").sha == task_of(ROW, "row").sha


def test_whatever_a_check_depends_on_makes_another_task():
    shas = {task_of(ROW | {"recipe": None}, "row").sha}
    changes = [
        {"image": "ada/sums:2"}, {"eval_script": "false"}, {"patch": "x"}, {"recipe": "{}"},
        {"PASS_TO_PASS": '["b"]'}, {"FAIL_TO_PASS": '["b"]'}, {"platform": "linux/arm64"},
        {"image_digest": "sha256:" + 64 * "a"},
    ]  # fmt: skip
    shas |= {task_of(ROW | change, "row").sha for change in changes}
    assert len(shas) == 1 + len(changes)


def test_text_that_python_alone_can_hold_is_refused():
    with pytest.raises(InputError, match="column patch: holds a lone surrogate"):
        task_of(ROW | {"patch": "\ud800"}, "row")


def test_name_of_an_image_that_never_ends_is_not_quoted_whole():
    with pytest.raises(InputError) as refused:
        task_of(ROW | {"image": "x y" * 50_000}, "row")
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("broken", ["{broken", "[1, 2]", '{"instance_id": "ada', "\udcff"])
def test_line_that_is_no_json_object_makes_a_file_unreadable_and_is_named(tmp_path, broken):
    path = tmp_path / "tasks.jsonl"
    text = f"{json.dumps(ROW)}\n\n{broken}\n"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(
        InputError, match=r"tasks\.jsonl cannot be read: line 3 is no JSON object\n"
    ):
        tasks_in(path)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_very_file_is_read_whatever_its_name_means_to_a_shell(tmp_path, suffix):
    writers = {"parquet": pl.DataFrame.write_parquet, "jsonl": pl.DataFrame.write_ndjson}
    for name in ("a1", "a[1]"):
        rows = pl.DataFrame([ROW | {"instance_id": name}])
        writers[suffix](rows, tmp_path / f"{name}.{suffix}")
    (task,) = tasks_in(tmp_path / f"a[1].{suffix}")
    assert task.instance_id == "a[1]"


def test_column_may_be_null_in_most_rows(tmp_path):
    path = tmp_path / "tasks.jsonl"
    rows = [ROW | {"recipe": None}] * 300 + [ROW | {"recipe": "{}"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert tasks_in(path)[-1].recipe == "{}"


def test_parquet_that_was_cut_short_is_unreadable(tmp_path):
    path = tmp_path / "tasks.parquet"
    pl.DataFrame([ROW]).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        tasks_in(path)
