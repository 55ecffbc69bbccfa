"""Tests that fail where the machine may have failed: they are asked once more, alone."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from limited import BOUNDS, PASSES, TESTS, World
from projects import archive_of

from forge.effect import Failure
from forge.eval_script import render
from forge.processes import process_label
from forge.services.docker import EXACTLY, Bounds, EvalOutput
from forge.services.docker_engine import PROCESS, Unanswered
from forge.services.docker_tests import is_doubtful, limit_of

OWN = f"{PROCESS}={process_label()}"
SAYS_NO_SPACE = "echo 'OSError: [Errno 28] No space left on device'; exit 1"
TEST_ID = f"{TESTS}::test_add"


class Asked:
    """Runs of tests for so many seconds at most, and how many containers they took."""

    def __init__(self, world: World, runner: asyncio.Runner, engine: object) -> None:
        self.world, self.runner, self.engine = world, runner, engine

    def together(self, *tests: str) -> tuple[list[EvalOutput], int]:
        # Heard while it happens: an engine remembers its last 256 events only.
        events = self.engine.events(filters={"event": "start", "label": OWN})
        heard: list[bytes] = []
        thread = threading.Thread(target=lambda: heard.extend(events))
        thread.start()
        answers = self.runner.run(self._all(tests))
        time.sleep(0.5)
        events.close()
        thread.join()
        return answers, sum(b'"status":"start"' in event for event in heard)

    async def _all(self, tests: tuple[str, ...]) -> list[EvalOutput]:
        return await asyncio.gather(*map(self._one, tests))

    async def _one(self, test: str) -> EvalOutput:
        script = render(
            self.world.recipe(test=test),
            test_archive=archive_of({TESTS: "def test_add(): ...\n"}),
            removed_test_paths=[],
            targets=[TESTS],
            seconds=2,
        )
        return await self.world.docker.run_tests(
            self.world.image, patch="", apply=EXACTLY, eval_script=script, bounds=BOUNDS
        )


@pytest.fixture
def asked(world, runner, docker_engine) -> Asked:
    return Asked(world, runner, docker_engine)


def test_time_that_ran_out_beside_others_counts_only_when_it_runs_out_alone(asked):
    hangs = ["sleep 600", "sleep 601"]
    answers, starts = asked.together(*hangs)
    assert ([answer.is_timed_out for answer in answers], starts) == ([True, True], 4)
    answers, starts = asked.together(*hangs)
    assert ([answer.is_timed_out for answer in answers], starts) == ([True, True], 2)


def test_time_that_ran_out_with_nothing_beside_counts_at_once(asked):
    (answer,), starts = asked.together("sleep 602")
    assert (answer.is_timed_out, starts) == (True, 1)


def test_failure_that_speaks_of_a_full_disk_counts_when_it_is_seen_again(asked):
    (answer,), starts = asked.together(SAYS_NO_SPACE)
    assert (answer.status["exit_code"], starts) == (1, 2)


def test_tests_that_pass_are_asked_once_whatever_they_print(asked):
    (answer,), starts = asked.together(f"echo 'No space left on device'; {PASSES}")
    assert (answer.letters["tests"], starts) == ([[TEST_ID, "P", 0.0]], 1)


def test_peak_of_processes_is_told(asked):
    (answer,), _ = asked.together(f"for n in $(seq 20); do sleep 1 & done; wait; {PASSES}")
    peak_file = Path("/sys/fs/cgroup/pids/docker/pids.peak")
    assert 20 < (answer.status["processes"] or 21) < 64
    assert (answer.status["processes"] is not None) or not peak_file.exists()


LIMITS = Bounds(60, memory_bytes=1000, processes=100)
MUCH = {"free_bytes": 10**9}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"free_bytes": 10}, "disk_full"),
        (MUCH | {"killed": 1, "memory_bytes": 500}, "out_of_memory"),
        (MUCH | {"refused": 1, "processes": 50}, "processes_refused"),
    ],
)
def test_machine_that_has_no_more_is_no_limit_of_the_tests(status, reason):
    with pytest.raises(Unanswered) as stopped:
        limit_of(None, status, LIMITS)
    assert (stopped.value.failure.kind, stopped.value.failure.reason) == ("infra", reason)
    assert is_doubtful(stopped.value.failure, had_company=False)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"killed": 1, "memory_bytes": 1000}, "memory_limit"),
        ({"refused": 1, "processes": 100}, "process_limit"),
        ({"refused": 1, "processes": None}, "process_limit"),
    ],
)
def test_limit_that_tests_reached_is_named(status, reason):
    assert limit_of(None, MUCH | status, LIMITS).reason == reason


def test_limit_of_its_own_is_no_reason_to_doubt():
    assert not is_doubtful(Failure("infra", "memory_limit"), had_company=True)


@pytest.mark.parametrize(
    ("log", "letter", "expected"),
    [
        (b"fork: Resource temporarily unavailable", "F", True),
        (b"RuntimeError: can't start new thread", "E", True),
        (b"fork: Resource temporarily unavailable", "P", False),
        (b"assert 1 == 2", "F", False),
    ],
)
def test_red_tests_that_speak_of_an_exhausted_machine_are_doubtful(log, letter, expected):
    tested = replace(PLAIN, log=log, letters={"tests": [[TEST_ID, letter, 0.0]]})
    assert is_doubtful(tested, had_company=False) is expected


PLAIN = EvalOutput(
    is_applied=True,
    is_timed_out=False,
    limit=None,
    seconds=1.0,
    report=b"",
    log=b"",
    result=b"",
    status={"exit_code": 0},
    letters={"tests": []},
)
