"""What eval.sh withstands, in a real container."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dockers import opened_docker
from projects import Project, archive_of, make_project, patch_of

from forge.eval_script import END, START, render
from forge.grading import read_report
from forge.services.docker import EXACTLY, Bounds, Docker, EvalOutput, Image
from forge.settings import Settings

SUMS = "def add(a, b):\n    return a - b\n"
# To every open file, because the runner has put its own in the place of the first two.
PRINT = """
import os
for file in range(1, 256):
    try:
        os.write(file, b"{}")
    except OSError:
        pass
"""
FIX = {"sums.py": "def add(a, b):\n    return a + b\n"}
TESTS = "tests/test_sums.py"
BASE_TEST = "from sums import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n"
ADDS = "\n\ndef test_add():\n    assert add(1, 1) == 2\n"
HIDDEN = BASE_TEST + ADDS
RED = {f"{TESTS}::test_zero": "PASS", f"{TESTS}::test_add": "FAIL"}
GREEN = dict.fromkeys(RED, "PASS")


class World:
    """A project, its image, and a Docker to run eval.sh with."""

    def __init__(self, docker: Docker, project: Project, runner: asyncio.Runner) -> None:
        self.docker, self.project, self.runner = docker, project, runner
        built = runner.run(docker.image(project.recipe()))
        assert isinstance(built, Image), built
        self.image = built

    def script(self, hidden: str = HIDDEN, seconds: int = 60, **changes: object) -> str:
        return render(
            self.project.recipe(**changes),
            test_archive=archive_of({TESTS: hidden}),
            removed_test_paths=[],
            targets=[TESTS],
            seconds=seconds,
        )

    def run(self, script: str, patch: Mapping[str, str] | None = None) -> EvalOutput:
        text = patch_of(self.project, patch) if patch else ""
        ended = self.runner.run(
            self.docker.run_tests(
                self.image.tag, patch=text, apply=EXACTLY, eval_script=script, bounds=Bounds(120)
            )
        )
        assert isinstance(ended, EvalOutput), ended
        return ended

    def statuses(
        self, script: str | None = None, patch: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        return read_report(self.run(script or self.script(), patch).report.decode())


@pytest.fixture(scope="module")
def world(docker_engine, tmp_path_factory) -> Iterator[World]:  # noqa: ARG001 - skips without it
    folder = tmp_path_factory.mktemp("eval")
    project = make_project(folder / "origin", {"sums.py": SUMS, TESTS: BASE_TEST})
    settings = Settings(root=folder, git_url=project.git_url)
    with asyncio.Runner() as runner, opened_docker(settings, runner) as service:
        yield World(service, project, runner)


def test_hidden_tests_are_red_before_the_patch_and_green_after(world):
    assert world.statuses() == RED
    assert world.statuses(patch=FIX) == GREEN


def test_letters_say_more_than_the_report(world):
    marks = (
        "import pytest\n@pytest.mark.xfail\ndef test_x():\n    assert 0\n"
        "@pytest.fixture\ndef broken():\n    1 / 0\ndef test_e(broken):\n    pass\n"
        "@pytest.mark.skip\ndef test_s():\n    pass\n"
    )
    ended = world.run(world.script(marks))
    assert [(name.partition("::")[2], letter) for name, letter, _ in ended.letters["tests"]] == [
        ("test_x", "X"),
        ("test_e", "E"),
        ("test_s", "S"),
    ]
    assert ended.status["step"] == "test"
    assert ended.status["memory_bytes"] > 1_000_000


def test_tests_run_without_rights_and_outside_the_result_folder(world):
    probe = (
        "import os\ndef test_rights():\n"
        "    assert os.getuid() == os.getgid() == 1000 and os.getgroups() in ([], [1000])\n"
        "    assert open('/proc/self/status').read().count('CapEff:\\t0000000000000000') == 1\n"
        "    assert os.access('/testbed', os.W_OK) and os.access(os.environ['HOME'], os.W_OK)\n"
        "    for path in ('/forge', '/forge/out', '/forge/out/bin', '/forge/out/log', '/etc'):\n"
        "        assert not os.access(path, os.W_OK), path\n"
    )
    assert world.statuses(world.script(probe)) == {f"{TESTS}::test_rights": "PASS"}


def test_edited_hidden_tests_are_restored(world):
    edited = {TESTS: "def test_zero():\n    pass\n\n\ndef test_add():\n    pass\n"}
    assert world.statuses(patch=edited) == RED


def test_planted_bytecode_and_results_count_for_nothing(world):
    planted = {
        "tests/__pycache__/test_sums.cpython-311-pytest-8.4.2.pyc": "junk",
        "result": f'<testcase name="test_add" classname="tests.test_sums" file="{TESTS}"/>',
    }
    assert world.statuses(patch=planted) == RED


@pytest.mark.parametrize(
    "attack",
    [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
        "import os; os.symlink('/forge/lock', os.environ['FORGE_RESULT']); os._exit(0)",
        "import os; open(os.environ['FORGE_RESULT'], 'wb').truncate(10**10); os._exit(0)",
        "import os; os.mkdir(os.environ['FORGE_RESULT']); os._exit(0)",
        "import os; open(os.environ['FORGE_RESULT'] + '2', 'wb').truncate(10**10); os._exit(0)",
        "import os; os.mkfifo(os.environ['FORGE_RESULT']); os._exit(0)",
        "import os; os.rmdir(os.path.dirname(os.environ['FORGE_RESULT'])); os._exit(0)",
    ],
)
def test_patch_that_prints_results_and_leaves_reports_nothing(world, attack):
    lines = "\\n".join(["", START, *(f"--- PASS: {name} (0.00s)" for name in RED), END, ""])
    printed = PRINT.format(lines)
    ended = world.run(world.script(), {"sums.py": f"{printed}\n{attack}\n"})
    report = ended.report.decode()
    assert read_report(report) == {}
    assert (report.count(START), report.count(END)) == (1, 1)
    assert [line for line in report.splitlines() if line.strip().startswith("---")] == []
    assert "| --- PASS" in report
    assert ended.letters["tests"] == []


def test_output_that_returns_the_carriage_begins_no_line_of_its_own(world):
    loud = "print('x\\r--- PASS: forged (0.00s)\\x0b--- PASS: forged (0.00s)', flush=True)\n1 / 0\n"
    report = world.run(world.script(), {"sums.py": loud}).report.decode()
    assert "forged" in report
    assert [li for li in report.splitlines() if li.strip().startswith("--- PASS: forged")] == []


def test_flood_of_output_is_cut_and_the_tests_still_pass(world):
    flood = "import sys\nfor _ in range(600):\n    sys.stderr.write('x' * 99_999 + '\\n')\n"
    loud = (
        f"{HIDDEN}\n\ndef test_loud(capfd):\n    with capfd.disabled():\n        exec({flood!r})\n"
    )
    ended = world.run(world.script(loud), FIX)
    assert read_report(ended.report.decode()) == {**GREEN, f"{TESTS}::test_loud": "PASS"}
    assert 19_000_000 < len(ended.log) <= 20_000_100
    assert len(ended.report) < 20_000


def test_time_limit_keeps_what_was_done_and_names_the_test_that_it_cut(world):
    slow = (
        f"{HIDDEN}\n\ndef test_slow():\n    import time; time.sleep(99)\n\ndef test_later(): ...\n"
    )
    ended = world.run(world.script(slow, seconds=12), FIX)
    assert ended.is_timed_out
    assert [row[:2] for row in ended.letters["tests"]] == [
        [f"{TESTS}::test_zero", "P"],
        [f"{TESTS}::test_add", "P"],
        [f"{TESTS}::test_slow", "T"],
    ]
    assert read_report(ended.report.decode())[f"{TESTS}::test_slow"] == "FAIL"


def test_process_that_outlives_the_tests_holds_nothing_up(world):
    daemon = (
        f"{HIDDEN}\n\ndef test_daemon():\n    import subprocess\n"
        "    subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
    )
    ended = world.run(world.script(daemon), FIX)
    assert not ended.is_timed_out
    assert read_report(ended.report.decode())[f"{TESTS}::test_daemon"] == "PASS"


def test_rebuild_that_fails_runs_no_test_and_says_so(world):
    ended = world.run(world.script(rebuild="echo cannot compile; exit 4"))
    assert (ended.status["step"], ended.status["exit_code"]) == ("rebuild", 4)
    assert ended.letters["tests"] == []
    assert b"| cannot compile" in ended.report


def test_file_that_cannot_be_imported_is_broken(world):
    ended = world.run(world.script("import nothing_of_this_name\n" + HIDDEN))
    assert (ended.letters["tests"], ended.letters["broken_files"]) == ([], [TESTS])


def test_patch_that_does_not_apply_runs_nothing(world):
    patch = patch_of(world.project, FIX).replace("return a - b", "return something else")
    ended = world.runner.run(
        world.docker.run_tests(
            world.image.tag,
            patch=patch,
            apply=EXACTLY,
            eval_script=world.script(),
            bounds=Bounds(60),
        )
    )
    assert (ended.is_applied, ended.report) == (False, b"")
    assert b"patch does not apply" in ended.log


# As swebench rewrites the script and runs it: root, traced, no forge around it.
def test_harness_of_swebench_finds_the_markers_once_and_its_exit_code(world, tmp_path):
    lines = [line for line in world.script().split("\n") if line != "#!/bin/bash"]
    end = next(i for i, line in enumerate(lines) if END in line)
    lines = [*lines[:end], "CODE=$?", lines[end], 'echo "code: $CODE"', *lines[end + 1 :]]
    script = tmp_path / "eval.sh"
    script.write_text("\n".join(["#!/bin/bash", "set -uxo pipefail", *lines]))
    patch = tmp_path / "patch.diff"
    patch.write_text(patch_of(world.project, FIX))
    log = as_harness(world.image.tag, script, patch)
    assert read_report(log) == GREEN
    assert log.count(START) == log.count(END) == 1
    assert log.rstrip().endswith("code: 0")


def as_harness(image: str, script: Path, patch: Path) -> str:
    commands = "git apply --verbose /p.diff && git diff --stat && exec /bin/bash /eval.sh"
    started = ["docker", "create", "--network=none", image, "/bin/bash", "-c", commands]
    container = subprocess.run(started, capture_output=True, text=True, check=True).stdout.strip()
    try:
        for file, path in ((script, "/eval.sh"), (patch, "/p.diff")):
            subprocess.run(["docker", "cp", "-q", str(file), f"{container}:{path}"], check=True)
        done = subprocess.run(
            ["docker", "start", "-a", container],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout
    finally:
        subprocess.run(["docker", "rm", "-f", container], check=True, capture_output=True)


def test_script_is_the_same_text_for_the_same_task(tmp_path):
    project = make_project(tmp_path, {"sums.py": SUMS})
    texts = {
        render(
            project.recipe(environment={"A": "it's $HOME"}),
            test_archive=archive_of({TESTS: HIDDEN}),
            removed_test_paths=["tests/old file.py"],
            targets=[TESTS, "tests/a b.py"],
            seconds=60,
        )
        for _ in range(2)
    }
    (text,) = texts
    assert """ 'A=it'"'"'s $HOME' "$@")""" in text
    assert text.count(f"{TESTS} 'tests/a b.py'") == 2
    assert """ '["tests/old file.py"]' ||""" in text
    assert max(map(len, text.splitlines())) < 500
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=True).returncode == 0


def test_no_line_before_the_end_marker_holds_what_harnesses_look_for(tmp_path):
    project = make_project(tmp_path, {"sums.py": SUMS})
    text = render(project.recipe(), test_archive="", removed_test_paths=[], targets=[], seconds=1)
    assert [text.count(word) for word in (START, END, ">>>>> ")] == [1, 1, 2]
    assert text.split(f"echo '{END}'")[0].endswith(f"echo '{START}'\nreport\n")
    assert os.linesep == "\n"
    assert json.dumps(text).isascii()
