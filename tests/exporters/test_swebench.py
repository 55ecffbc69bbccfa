import json
import re
from datetime import datetime

import polars as pl
import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from forge.errors import ContractError, InputError
from forge.exported import task_of
from forge.exporters.swebench import export
from forge.inside.report import canonical, line, original
from forge.stages.tasks import Tasks

TASK = {
    "repository_id": 7,
    "number": 1,
    "instance_id": "grace__shouting-1",
    "repo": "grace/shouting",
    "base_commit": "c0ffee",
    "gold_patch": "diff --git a/é b/é\r\n",
    "test_patch": "",
    "problem_statement": "one\u2028two\u0085three\n",
    "hints_text": None,
    "created_at": datetime(2026, 3, 2, 12, 30, 1, 5),
    "version": "1.0",
    "fail_to_pass": ["tests/test_a.py::t[5m] - a b", 't["é\\]'],
    "pass_to_pass": [],
    "image": "sweforge/grace__shouting:c0ffee",
    "eval_script": "#!/bin/bash\n",
    "log_parser": "parse_log_gotest",
    "eval_type": "pass_and_fail",
    "licence": "MIT",
    "stars": None,
    "unknown": ["stars"],
}


def tasks(**changed):
    return pl.LazyFrame([TASK | changed], schema_overrides={"pass_to_pass": pl.List(pl.String)})


def read(path):
    if path.suffix == ".parquet":
        return pl.read_parquet(path).to_dicts()
    return [json.loads(text) for text in path.read_text("ascii").splitlines()]


def test_row_of_the_tasks_table_carries_all_that_a_check_needs(tmp_path):
    told = {"log_parser": ["parse_log_gotest"], "image": ["ada/sums:1"], "eval_script": ["true"]}
    told |= {"recipe": ["{}"], "image_digest": ["sha256:" + 64 * "a"], "platform": ["linux/amd64"]}
    told |= {"fail_to_pass": [["a"]], "pass_to_pass": [[]], "lock": ["b==1\n"]}
    told |= {"gold_patch": ["+a\n"], "instance_id": ["ada__sums-1"]}
    export(Tasks.sample(1, overrides=told).lazy(), tmp_path / "tasks.jsonl")
    [row] = read(tmp_path / "tasks.jsonl")
    task = task_of(row, "row")
    assert (task.image, task.eval_script, task.patch) == ("ada/sums:1", "true", "+a\n")
    assert (task.recipe, task.platform, row["lock"]) == ("{}", "linux/amd64", "b==1\n")
    assert (task.image_digest, task.fail_to_pass) == ("sha256:" + 64 * "a", ("a",))


@pytest.fixture(params=["parquet", "jsonl"])
def path(request, tmp_path):
    return tmp_path / f"tasks.{request.param}"


def test_row_holds_the_columns_of_swebench_and_then_those_of_forge(path):
    assert export(tasks(), path) == 1
    assert " ".join(read(path)[0]) == (
        "repo instance_id base_commit patch test_patch problem_statement hints_text created_at "
        "version FAIL_TO_PASS PASS_TO_PASS environment_setup_commit "
        "image eval_script log_parser eval_type repository_id number licence stars"
    )


def test_values_are_written_as_swebench_writes_them(path):
    export(tasks(), path)
    [row] = read(path)
    assert json.loads(row["FAIL_TO_PASS"]) == ["tests/test_a.py::t[5m] - a b", 't["é\\]']
    assert json.loads(row["PASS_TO_PASS"]) == []
    assert row["created_at"] == "2026-03-02T12:30:01Z"
    assert row["environment_setup_commit"] == "c0ffee"
    assert row["hints_text"] == ""
    assert row["patch"] == "diff --git a/é b/é\r\n"


def test_row_is_one_line_of_ascii_whatever_its_texts_hold(tmp_path):
    export(tasks(), tmp_path / "tasks.jsonl")
    [row] = read(tmp_path / "tasks.jsonl")
    assert row["problem_statement"] == "one\u2028two\u0085three\n"


def test_both_formats_hold_equal_rows(tmp_path):
    for name in ("tasks.parquet", "tasks.jsonl"):
        export(pl.concat([tasks(), tasks(number=2)]), tmp_path / name)
    assert read(tmp_path / "tasks.parquet") == read(tmp_path / "tasks.jsonl")


def test_file_without_tasks_still_says_its_columns(tmp_path):
    assert export(tasks().head(0), tmp_path / "tasks.parquet") == 0
    assert "FAIL_TO_PASS" in pl.read_parquet_schema(tmp_path / "tasks.parquet")


def test_other_suffix_is_refused_with_those_that_are_possible(tmp_path):
    with pytest.raises(InputError) as refused:
        export(tasks(), tmp_path / "tasks.csv")
    assert str(refused.value) == (
        "tasks.csv: SWE-bench rows are written as .parquet or .jsonl\n"
        "name the file tasks.parquet, for example"
    )


def test_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        export(tasks(), tmp_path / "nowhere" / "tasks.jsonl")


def test_place_that_cannot_be_written_is_refused_and_no_draft_stays(path):
    path.mkdir()
    with pytest.raises(InputError, match="is a folder\nname a file in it"):
        export(tasks(), path)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a >>>>> End Test Output", ""])
def test_id_that_breaks_its_line_is_a_bug_and_leaves_the_earlier_file(path, name):
    export(tasks(), path)
    before = path.read_bytes()
    with pytest.raises(ContractError, match="does not survive"):
        export(tasks(pass_to_pass=[name]), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def parse_log_gotest(log):
    """What swebench 5.0.2 has under this name."""
    lines = [text.strip() for text in log.split("\n")]
    found = [re.match(r"^--- (PASS|FAIL|SKIP): (.+) \((.+)\)$", text) for text in lines]
    return {match[2]: match[1] for match in found if match}


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from("PXSFE"))
def test_every_id_passes_through_the_log_parser_unchanged(name, letter):
    printed = line(canonical(name), letter).encode().decode()
    read_back = printed.replace("\r\n", "\n").replace("\r", "\n")
    assert list(parse_log_gotest(f"| noise\n{read_back}\n")) == [canonical(name)]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_load_again_as_they_were(path, text):
    ids = [canonical(f"tests/test_a.py::t[{text}]")]
    words = {"problem_statement": text, "gold_patch": f"+{text}\n", "fail_to_pass": ids}
    export(tasks(**words), path)
    [row] = read(path)
    assert (row["problem_statement"], row["patch"]) == (text, f"+{text}\n")
    assert [original(name) for name in json.loads(row["FAIL_TO_PASS"])] == [
        f"tests/test_a.py::t[{text}]"
    ]
