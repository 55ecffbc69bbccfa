import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from forge.fingerprint import source_of
from forge.inside.report import canonical, cut_test, line, original

CASE = '<testcase classname="tests.test_a" name="{}" file="tests/test_a.py">{}</testcase>'


def report(out: Path, *arguments: str, reader: str = "junit") -> subprocess.CompletedProcess[str]:
    """Run the reader and the report as eval.sh does: by their text, alone."""
    texts = {
        "reader.py": f"forge.results.{reader}",
        "report.py": "forge.inside.report",
        "forge/results/cases.py": "forge.results.cases",
    }
    for name, module in texts.items():
        (out / "bin" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / "bin" / name).write_text(source_of(module), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-B", str(out / "bin" / "report.py"), str(out)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def result_file(out: Path, *cases: str) -> Path:
    file = out / "result" / "result"
    file.parent.mkdir()
    file.write_text(f"<testsuite>{''.join(cases)}</testsuite>", encoding="utf-8")
    return file


def test_every_test_is_one_line_and_one_letter(tmp_path):
    result_file(
        tmp_path,
        CASE.format("passes[é - (1)]", ""),
        CASE.format("fails", "<failure/>"),
        CASE.format("skips", '<skipped type="pytest.skip"/>'),
        CASE.format("xfails", '<skipped type="pytest.xfail"/>'),
        CASE.format("errs", "<error/>"),
    )
    done = report(tmp_path, "false", "tests/test_a.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "--- PASS: tests/test_a.py::passes[é - (1)] (0.00s)",
        "--- FAIL: tests/test_a.py::fails (0.00s)",
        "--- SKIP: tests/test_a.py::skips (0.00s)",
        "--- PASS: tests/test_a.py::xfails (0.00s)",
        "--- FAIL: tests/test_a.py::errs (0.00s)",
    ]
    letters = json.loads((tmp_path / "letters.json").read_text())["tests"]
    assert [letter for _, letter, _ in letters] == ["P", "F", "S", "X", "E"]


def test_first_target_without_a_result_was_cut_by_the_limit(tmp_path):
    result_file(tmp_path, CASE.format("one", ""))
    (tmp_path / "collected").write_text(
        "tests/other.py::t\ntests/test_a.py::one\ntests/test_a.py::two\ntests/test_a.py::three\n"
    )
    done = report(tmp_path, "true", "tests/test_a.py")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == ["--- FAIL: tests/test_a.py::two (0.00s)"]
    assert json.loads((tmp_path / "letters.json").read_text())["tests"][1][:2] == [
        "tests/test_a.py::two",
        "T",
    ]


def test_runner_that_writes_no_result_reports_nothing_and_fails(tmp_path):
    (tmp_path / "result").mkdir()
    done = report(tmp_path, "false")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No such file" in json.loads((tmp_path / "letters.json").read_text())["problem"]


def test_link_or_pipe_in_place_of_the_result_is_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("<testsuite/>")
    result = tmp_path / "result" / "result"
    result.parent.mkdir()
    result.symlink_to(secret)
    assert report(tmp_path, "false").returncode == 1
    result.unlink()
    os.mkfifo(result)
    assert report(tmp_path, "false").returncode == 1


@pytest.mark.parametrize(
    "name",
    [
        "a.py::t[line\nbreak]",
        "a.py::t[ blank]",
        "a.py::t ",
        '"quoted"',
        "a.py::t[\x1b[31m]",
        "a.py::t[>>>>> End Test Output]",
        "a.py::t[\u2028]",
    ],
)
def test_awkward_id_is_one_line_and_comes_back(name):
    assert original(canonical(name)) == name
    assert len(line(canonical(name), "P").splitlines()) == 1
    assert ">>>>>" not in canonical(name)


def test_plain_id_stays_as_it_is():
    assert canonical("tests/a b.py::T::t[5m, \\n] - (x)") == "tests/a b.py::T::t[5m, \\n] - (x)"


def test_cut_test_is_sought_in_the_order_of_the_targets():
    collected = ["a/x.py::t", "b/y.py::t", "b/y.py::u"]
    assert cut_test([], collected, ["b/y.py", "a/x.py"]) == ["b/y.py::t"]
    assert cut_test(["b/y.py::t"], collected, ["b"]) == ["b/y.py::u"]
    assert cut_test([], collected, []) == ["a/x.py::t"]
    assert cut_test(collected, collected, []) == []


@pytest.mark.parametrize(("is_timed_out", "letter"), [("true", "T"), ("false", "F")])
def test_what_a_reader_says_ran_at_the_end_is_cut_only_if_the_time_was_up(
    tmp_path, is_timed_out, letter
):
    (tmp_path / "result").mkdir()
    event = {"Action": "run", "Package": "doc", "Test": "TestB"}
    (tmp_path / "result" / "result").write_text(json.dumps(event))
    (tmp_path / "collected").write_text("doc::TestA\ndoc::TestB\n")
    report(tmp_path, is_timed_out, "doc", reader="go_test")
    found = json.loads((tmp_path / "letters.json").read_text())
    assert found["tests"] == [["doc::TestB", letter, 0.0]]


@pytest.mark.parametrize(
    "module",
    [
        *("forge.results.junit", "forge.results.go_test", "forge.results.record"),
        *("forge.results.cases", "forge.inside.report"),
        *("forge.inside.restore", "forge.inside.base"),
    ],
)
def test_text_that_goes_into_images_is_understood_by_old_pythons(module):
    ast.parse(source_of(module), feature_version=(3, 6))
    imported = re.findall(r"^(?:from|import) ([\w.]+)", source_of(module), re.MULTILINE)
    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign <= {"forge.results.cases"}
