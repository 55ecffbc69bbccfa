import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gold import Lists, compared, cut

ROOT = Path(__file__).resolve().parent.parent
ROW = {
    "instance_id": "a__b-5",
    "repo": "a/b",
    "base_commit": "0" * 40,
    "patch": "diff --git a/x b/x\n",
    "test_patch": "diff --git a/t b/t\n",
    "problem_statement": "Count to two, please",
    "created_at": "2021-10-13T11:35:29Z",
    "FAIL_TO_PASS": json.dumps(["t.py::a", "t.py::b"]),
    "PASS_TO_PASS": "[]",
}


def lists(failed: str, passed: str) -> Lists:
    return Lists(frozenset(failed.split(", ")), frozenset(passed.split(", ")))


@pytest.mark.parametrize(
    ("ours", "known", "spelt"),
    [
        ("t.py::a[x y]", [], "t.py::a[x"),
        ("t.py::a[x y]", ["t.py::a[x y]"], "t.py::a[x y]"),
        ("test_x (mod.Case)", [], "test_x (mod.Case)"),
        ("test_x (mod.Case)", ["test_x"], "test_x (mod.Case)"),
    ],
)
def test_our_id_is_cut_at_the_first_blank_where_pytest_made_it(ours, known, spelt):
    assert cut(ours, known) == spelt


def test_lists_that_differ_in_one_test_are_not_equal_and_say_how_far_they_agree():
    judged = compared(
        lists("t.py::a, t.py::b", "t.py::c, t.py::d, t.py::e"),
        lists("t.py::a", "t.py::b, t.py::c, t.py::d"),
    )
    assert (judged.is_equal, judged.ours, judged.gold, judged.jaccard) == (False, 2, 1, 0.5)


@pytest.mark.parametrize(
    ("ours", "gold"),
    [
        (("t.py::a[x 1]", "t.py::a[x 2], t.py::b"), ("t.py::a[x", "t.py::b")),
        (("t.py::a[x 1], t.py::b", "t.py::a[x 2]"), ("t.py::b", "t.py::a[x")),
    ],
)
def test_id_that_tests_of_both_lists_share_counts_where_gold_has_it(ours, gold):
    judged = compared(lists(*ours), lists(*gold))
    assert (judged.is_equal, judged.jaccard) == (True, 1.0)


def gold(folder: Path, row: dict[str, object], *flags: str) -> subprocess.CompletedProcess[str]:
    file = folder / "mine.jsonl"
    file.write_text(json.dumps(row) + "\n")
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gold", str(file), *flags],
        cwd=ROOT,
        env={**os.environ, "FORGE_ROOT": str(folder / "root"), "FORGE_MEMO": f"{file}/memo"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_rows_that_were_never_built_are_listed_with_the_reason(tmp_path):
    done = gold(tmp_path, ROW, "--look")
    assert done.stdout.splitlines()[2:] == [
        "| a__b-5 | 0 of 2 |  | nothing was built |  |  |",
        "",
        "0 of 1 have the true FAIL_TO_PASS",
    ], done.stderr


@pytest.mark.parametrize(("least", "code"), [("0", 0), ("1", 1)])
def test_fewer_equal_rows_than_wanted_are_a_failure(tmp_path, least, code):
    assert gold(tmp_path, ROW, "--look", "--least", least).returncode == code


def test_build_that_fails_is_told_by_the_exit_code_after_what_stands(tmp_path):
    done = gold(tmp_path, ROW)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        3,
        "0 of 1 have the true FAIL_TO_PASS",
    )


def test_file_of_something_else_is_told_without_a_traceback(tmp_path):
    done = gold(tmp_path, {"instance_id": "a__b-5"}, "--look")
    told = f"{tmp_path}/mine.jsonl has no column repo\nname a SWE-bench file\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", told)
