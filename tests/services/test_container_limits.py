"""Foreign code that takes all that it can get, in each place where foreign code runs."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import bombs
import pytest
from limited import (
    BOUNDS,
    LITTLE,
    OVERTIME,
    PASSES,
    SECONDS,
    SHORT,
    TESTS,
    Answer,
    World,
)

import forge
from forge.eval_script import LOG_BYTES
from forge.processes import process_label
from forge.services.docker_containers import Program, ended, stop_on_limit
from forge.services.docker_engine import PROCESS, Unanswered
from forge.services.docker_scripts import TELL_LIMITS
from forge.services.docker_tiers import tag_of
from forge.stages.attempts import run_tests

OWN = f"{PROCESS}={process_label()}"
BUILDS = {
    "sleeps": "sleep 600",
    "one file": bombs.FILLS["one file"],
    "a thread bomb": bombs.FORKS["a thread bomb"],
    "its own memory": "exec /forge/bin/python3 -c 'bytearray(10**9)'",
    "prints": "head -c 70M /dev/zero",
    "kills all that it may": bombs.ENDS["kills all that it may"],
    "overwrites its builder": bombs.OVERWRITES_ITS_BUILDER,
}
PROBES = {
    "waits for a daemon": bombs.STAYS["waits for a daemon that holds its output"],
    "many files": bombs.FILLS["many files"],
    "prints": "head -c 70M /dev/zero",
    "lists": "echo tests/test_sums.py::test_add",
}
LONG = {**bombs.FILLS, **bombs.FORKS, **bombs.ENDS, "passes": PASSES}
BRIEF = {**bombs.STAYS, **bombs.EATS}
PASSED = {
    "time": bombs.STAYS,
    "disk": bombs.FILLS,
    "process": bombs.FORKS,
    "memory": bombs.EATS,
}


async def all_answers(world: World) -> dict[tuple[str, str], Answer]:
    questions = {
        **{("build", name): world.build(script) for name, script in BUILDS.items()},
        **{("probe", name): world.probe(script) for name, script in PROBES.items()},
        **{("tests", name): world.tests(script, BOUNDS) for name, script in LONG.items()},
        **{("tests", name): world.tests(script, SHORT) for name, script in BRIEF.items()},
    }
    answers = await asyncio.gather(*map(world.timed, questions.values()))
    return dict(zip(questions, answers, strict=True))


@pytest.fixture(scope="module")
def answers(world, runner) -> Mapping[tuple[str, str], Answer]:
    return runner.run(all_answers(world))


@pytest.mark.parametrize(("limit", "name"), [(n, name) for n in PASSED for name in PASSED[n]])
def test_tests_past_a_limit_are_ended_and_the_limit_is_named(answers, limit, name):
    answer = answers["tests", name]
    assert answer.value.limit.reason == f"{limit}_limit"
    assert answer.value.letters == {} or limit == "memory"
    assert answer.seconds < OVERTIME + SECONDS


@pytest.mark.parametrize("name", bombs.ENDS)
def test_tests_that_end_by_themselves_leave_nothing_running(answers, name):
    answer = answers["tests", name]
    assert (answer.value.limit, answer.value.letters["tests"]) == (None, [])
    assert answer.seconds < OVERTIME


def test_honest_tests_are_answered_while_others_take_what_they_can(answers):
    assert answers["tests", "passes"].value.letters["tests"] == [[f"{TESTS}::test_add", "P", 0.0]]
    assert answers["probe", "lists"].value.files == {"listed": b"tests/test_sums.py::test_add\n"}


def test_log_is_cut_and_says_how_much_it_lacks(answers):
    log = answers["tests", "prints a gigabyte"].value.log
    _, _, note = log.rpartition(b"\n[output_limit: ")
    assert note == f"{1000 * 2**20 - LOG_BYTES} more bytes]\n".encode()
    assert len(log) < LOG_BYTES + 100


@pytest.mark.parametrize(
    ("place", "name", "reason"),
    [
        ("build", "sleeps", "time_limit"),
        ("build", "one file", "disk_limit"),
        ("build", "a thread bomb", "process_limit"),
        ("build", "its own memory", "memory_limit"),
        ("build", "prints", "output_limit"),
        ("build", "kills all that it may", "install_failed"),
        ("build", "overwrites its builder", "install_failed"),
        ("probe", "waits for a daemon", "time_limit"),
        ("probe", "many files", "disk_limit"),
        ("probe", "prints", "output_limit"),
    ],
)
def test_builds_and_probes_past_a_limit_are_ended_and_the_limit_is_named(
    answers, place, name, reason
):
    answer = answers[place, name]
    assert answer.value.reason == reason
    assert answer.seconds < LITTLE["build_seconds"] + OVERTIME


def test_limit_tells_its_number_and_the_last_words(answers):
    detail = answers["build", "sleeps"].value.detail
    assert detail.startswith("it ran longer than 16 seconds\n=== checkout\n=== install\n")


@pytest.mark.usefixtures("answers")
def test_nothing_is_left_of_what_was_ended(world, docker_engine):
    assert (
        docker_engine.containers.list(all=True, filters={"label": OWN}, ignore_removed=True) == []
    )
    images = [tag_of(world.recipe(install=install)) for install in BUILDS.values()]
    assert [tag for tag in images if docker_engine.images.list(tag)] == []


def test_attempt_and_grade_name_the_limit(world, runner, tmp_path):
    fills = world.script(bombs.FILLS["one file"])
    attempt = run_tests.function(
        world.docker,
        recipe=world.recipe().text,
        eval_script=fills,
        gold_patch=None,
        seconds_limit=600,
        memory_limit=BOUNDS.memory_bytes,
        processes=BOUNDS.processes,
        cpus=1,
        disk_limit=BOUNDS.disk_bytes,
        attempt=1,
    )
    failure = runner.run(attempt)
    assert (failure.kind, failure.reason) == ("infra", "disk_limit")
    words = "disk_limit: it wrote more than 100,000,000 bytes to disk"
    assert words in graded(tmp_path, {"image": world.image, "eval_script": fills})


def graded(folder: Path, row: Mapping[str, str]) -> str:
    ids = {"fail_to_pass": [f"{TESTS}::test_add"], "pass_to_pass": []}
    task = {"instance_id": "a__b-1", "log_parser": "parse_log_gotest"} | row | ids
    (folder / "tasks.jsonl").write_text(json.dumps(task), encoding="utf-8")
    flags = ["--tasks", "tasks.jsonl", "a__b-1", "--nothing"]
    command = [sys.executable, "-m", "forge", "grade", *flags]
    surroundings = os.environ | {
        "FORGE_CONTAINER_DISK_BYTES": str(BOUNDS.disk_bytes),
        "PYTHONPATH": str(Path(forge.__file__).parent.parent),
    }
    done = subprocess.run(
        command, check=False, cwd=folder, env=surroundings, capture_output=True, text=True
    )
    assert done.returncode == 9, done.stderr
    return done.stdout


def test_processes_that_were_refused_are_told_where_the_program_ends_by_itself(world, runner):
    bomb = f"{TELL_LIMITS}\nfor i in $(seq 99); do sleep 2 & done 2>&1; wait; exit 3"
    program = Program(
        world.image,
        ("/bin/bash", "-c", f"exec >/root/log 2>&1\n{bomb}"),
        collect={"/root/log": 10**6},
        bounds=BOUNDS,
    )

    async def run() -> None:
        async with ended(world.docker.engine, program) as (_, end):
            stop_on_limit(end, end.files["/root/log"], BOUNDS)

    with pytest.raises(Unanswered, match="process_limit: it started more than 64 processes"):
        runner.run(run())
