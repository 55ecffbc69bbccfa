"""Foreign code that takes all that it can get, in each place where foreign code runs."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bombs
import pytest
from projects import Project, archive_of, make_project

import forge
from forge import leftovers
from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.eval_script import LOG_BYTES, render
from forge.processes import process_label
from forge.recipes import Recipe
from forge.services.docker import EXACTLY, Bounds, Docker, EvalOutput, Image, Ran
from forge.services.docker_containers import Program, ended, stop_on_limit
from forge.services.docker_engine import PROCESS, Unanswered
from forge.services.docker_images import tag_of
from forge.services.docker_scripts import TELL_LIMITS
from forge.settings import Settings
from forge.stages.attempts import run_tests

SECONDS, AT_ONCE = 8, 8
OVERTIME = 60
"""Seconds that an engine may need beside a limit to start, to kill and to remove, when busy."""
LITTLE = {
    "build_seconds": 2 * SECONDS,
    "container_memory_bytes": 300_000_000,
    "container_disk_bytes": 100_000_000,
}
BOUNDS = Bounds(OVERTIME, memory_bytes=80_000_000, processes=64, cpus=1, disk_bytes=100_000_000)
SHORT = replace(BOUNDS, seconds=SECONDS)
TESTS = "tests/test_sums.py"
HIDDEN = "def test_add():\n    assert 1 + 1 == 2\n"
PASSES = """echo '<testsuite><testcase classname="tests.test_sums" name="test_add"/></testsuite>' \
>"$FORGE_RESULT" """
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


@dataclass(frozen=True)
class Answer:
    """What became of a question, and how long it took."""

    value: Any
    seconds: float


class World:
    """A Docker whose containers may use little."""

    def __init__(self, docker: Docker, project: Project, image: str) -> None:
        self.docker, self.project, self.image = docker, project, image
        self.slots = asyncio.Semaphore(AT_ONCE)

    def recipe(self, **changes: str) -> Recipe:
        return self.project.recipe(**{"install": "true"} | changes)

    def script(self, test: str) -> str:
        return render(
            self.recipe(test=test),
            test_archive=archive_of({TESTS: HIDDEN}),
            removed_test_paths=[],
            targets=[TESTS],
            seconds=600,
        )

    async def build(self, install: str) -> Image | Failure:
        return await self.docker.image(self.recipe(install=install))

    async def probe(self, script: str) -> Ran | Failure:
        return await self.docker.probe(self.recipe(probe=script), self.image)

    async def tests(self, test: str, bounds: Bounds) -> EvalOutput | Failure:
        script = self.script(test)
        return await self.docker.run_tests(
            self.image, patch="", apply=EXACTLY, eval_script=script, bounds=bounds
        )

    async def timed(self, question: Awaitable[Any]) -> Answer:
        async with self.slots:
            began = time.monotonic()
            return Answer(await question, time.monotonic() - began)

    async def all(self) -> dict[tuple[str, str], Answer]:
        questions = {
            **{("build", name): self.build(script) for name, script in BUILDS.items()},
            **{("probe", name): self.probe(script) for name, script in PROBES.items()},
            **{("tests", name): self.tests(script, BOUNDS) for name, script in LONG.items()},
            **{("tests", name): self.tests(script, SHORT) for name, script in BRIEF.items()},
        }
        answers = await asyncio.gather(*map(self.timed, questions.values()))
        return dict(zip(questions, answers, strict=True))


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return make_project(tmp_path_factory.mktemp("origin"), {TESTS: HIDDEN})


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def world(docker_engine, project, runner, tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("limits")
    settings = Settings(root=folder, git_url=project.git_url, workers=AT_ONCE)
    wide, narrow = (
        Docker.open(chosen, Artifacts(folder / "artifacts"))
        for chosen in (settings, settings.model_copy(update=LITTLE))
    )
    for docker in (wide, narrow):
        runner.run(docker.__aenter__())
    image = runner.run(wide.image(project.recipe(install="true")))
    assert isinstance(image, Image), image
    yield World(narrow, project, image.tag)
    for docker in (wide, narrow):
        runner.run(docker.__aexit__())
    for tag in wide.images.used | narrow.images.used:
        if docker_engine.images.list(tag):
            docker_engine.images.remove(tag)


@pytest.fixture(scope="module")
def answers(world, runner) -> Mapping[tuple[str, str], Answer]:
    return runner.run(world.all())


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
    assert detail.startswith("it ran longer than 16 seconds\n=== system_packages\n=== checkout\n")


@pytest.mark.usefixtures("answers")
def test_nothing_is_left_of_what_was_ended(world, docker_engine):
    assert docker_engine.containers.list(all=True, filters={"label": OWN}) == []
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
        ("/bin/bash", "-c", f"exec >/tmp/log 2>&1\n{bomb}"),
        collect={"/tmp/log": 10**6},  # noqa: S108 - in a container
        bounds=BOUNDS,
    )

    async def run() -> None:
        async with ended(world.docker.engine, program) as (_, end):
            stop_on_limit(end, end.files["/tmp/log"], BOUNDS)  # noqa: S108

    with pytest.raises(Unanswered, match="process_limit: it started more than 64 processes"):
        runner.run(run())


def test_engine_is_told_every_bound_and_gives_no_right(world, runner):
    async def created() -> dict[str, Any]:
        async with ended(world.docker.engine, Program(world.image, ("true",), bounds=BOUNDS)) as (
            container,
            _,
        ):
            return container.attrs

    told = runner.run(created())
    expected = {
        "NetworkMode": "none",
        "IpcMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "UsernsMode": "",
        "Privileged": False,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Binds": None,
        "Devices": None,
        "VolumesFrom": None,
        "PortBindings": None,
        "Memory": 80_000_000,
        "MemorySwap": 80_000_000,
        "OomKillDisable": False,
        "OomScoreAdj": 1000,
        "PidsLimit": 64,
        "NanoCpus": 1_000_000_000,
        "Init": True,
        "LogConfig": {"Type": "none", "Config": {}},
    }
    host = told["HostConfig"]
    assert {name: host[name] or None if expected[name] is None else host[name]
            for name in expected} == expected  # fmt: skip
    limits = {one["Name"]: (one["Soft"], one["Hard"]) for one in host["Ulimits"]}
    assert limits == {"fsize": (10**8, 10**8), "core": (0, 0)}
    assert told["Mounts"] == []


INSIDE = """
id -u; id -g
grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -d ' \\t'
ls /sys/class/net
grep -c . /proc/net/route
cat /proc/self/oom_score_adj
ls /var/run/docker.sock /run/docker.sock 2>&1 | grep -c 'No such file'
unshare --user true 2>&1 | grep -c 'not permitted'
mount -t tmpfs x /mnt 2>&1 | grep -c -i 'permi\\|superuser'
grep -c 'sysfs.*ro,' /proc/mounts
env | cut -d= -f1 | sort | tr '\\n' ' '
"""


def test_tests_have_no_rights_no_network_and_nothing_of_the_host(world, runner, monkeypatch):
    monkeypatch.setenv("PLANTED", "secret")
    text = f'({INSIDE}) >"$FORGE_RESULT" 2>&1'
    ran = runner.run(world.tests(text, BOUNDS))
    lines = ran.result.decode().splitlines()
    nothing = "0" * 16
    assert lines[:2] == ["1000", "1000"]
    assert lines[2:9] == [
        *[f"Cap{kind}:{nothing}" for kind in ("Inh", "Prm", "Eff")],
        lines[5],
        f"CapAmb:{nothing}",
        "NoNewPrivs:1",
        "Seccomp:2",
    ]
    assert lines[9:17] == ["lo", "1", "1000", "2", "1", "1", "1", lines[16]]
    assert "PLANTED" not in lines[16]


def test_shell_of_a_trial_has_bounds_and_no_rights_either(world, docker_engine):
    with leftovers.container(docker_engine, world.image, "true") as made:
        host = docker_engine.containers.get(made.id).attrs["HostConfig"]
    assert (host["Memory"], host["PidsLimit"]) == (Bounds().memory_bytes, Bounds().processes)
    assert (host["NetworkMode"], host["CapDrop"], host["CapAdd"]) == ("none", ["ALL"], None)
