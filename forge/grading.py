"""Grades: what a task's hidden tests say about somebody's patch.

A grade runs the row's own image and eval script and reads the row's own log format, so that forge
and every consumer of the row agree.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.errors import ForgeError, InputError, ServiceError
from forge.eval_script import END, START
from forge.exported import Task, task_of
from forge.images import image_of
from forge.services.docker import LENIENTLY, Docker, EvalOutput
from forge.settings import Settings

RESULT = re.compile(r"--- (PASS|FAIL|SKIP): (.+) \((.+)\)")
SECONDS = 7200
"""More than any eval script needs, which has limits of its own for every step."""


@dataclass(frozen=True)
class Report:
    """A patch's grade: the tests that it should have turned or kept green and did not."""

    instance_id: str
    is_resolved: bool
    is_applied: bool
    is_timed_out: bool
    limit: str | None
    """Name of the limit that ended the run, and what it was: nothing counts then."""
    failed: tuple[str, ...]
    broken: tuple[str, ...]
    statuses: Mapping[str, str]
    seconds: float
    log: str
    """Name of the artifact that holds what the tests printed."""
    report: str
    """Name of the artifact that holds what the eval script printed."""


def read_report(text: str) -> dict[str, str]:
    r"""Status by test id between the markers, as SWE-bench's `parse_log_gotest` reads it.

    >>> read_report(f"{START}\n--- PASS: a.py::t[x (y)] (0.00s)\n{END}")
    {'a.py::t[x (y)]': 'PASS'}
    """
    _, _, after = text.partition(START)
    between, end, _ = after.partition(END)
    found = (RESULT.fullmatch(line.strip()) for line in between.split("\n"))
    return {m[2]: m[1] for m in found if m} if end else {}


def judge(
    statuses: Mapping[str, str], fail_to_pass: Sequence[str], pass_to_pass: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of each list that did not pass; what is absent did not."""
    failed = tuple(name for name in fail_to_pass if statuses.get(name) != "PASS")
    broken = tuple(name for name in pass_to_pass if statuses.get(name) != "PASS")
    return failed, broken


def grade(row: Mapping[str, Any], patch: str, settings: Settings | None = None) -> Report:
    """The grade of a patch for one exported row."""
    chosen = settings or Settings()
    return asyncio.run(_graded(row, patch, chosen))


async def _graded(row: Mapping[str, Any], patch: str, settings: Settings) -> Report:
    async with Docker.open(settings, Artifacts(settings.memo_folder / "artifacts")) as docker:
        return await graded(docker, row, patch)


async def graded(docker: Docker, row: Mapping[str, Any], patch: str) -> Report:
    """The grade of a patch, by a Docker that is open."""
    task = task_of(row, str(row.get("instance_id")))
    image = await image_of(docker, task)
    report = (
        image if isinstance(image, Failure) else await graded_in(docker, image.digest, task, patch)
    )
    if isinstance(report, Failure):
        raise _could_not(task, report)
    return report


async def graded_in(docker: Docker, image: str, task: Task, patch: str) -> Report | Failure:
    """The grade of a patch in an image that is here."""
    bounds = replace(docker.bounds, seconds=SECONDS)
    tested = await docker.run_tests(
        image, patch=patch, apply=LENIENTLY, eval_script=task.eval_script, bounds=bounds
    )
    return tested if isinstance(tested, Failure) else _report(docker, task, tested)


def _could_not(task: Task, failure: Failure) -> ForgeError:
    if failure.reason == "image_gone":
        return InputError(
            f"{task.instance_id}: {failure.detail}, and the row holds no recipe\n"
            "pull the image, or grade a row of a forge table, which holds one"
        )
    return ServiceError(
        f"{task.instance_id}: no grade, because of {failure.reason}: {failure.detail}\n"
        "this says nothing about the patch: mend the machine, and grade again"
    )


def _report(docker: Docker, task: Task, tested: EvalOutput) -> Report:
    told = b"" if tested.limit else tested.report
    statuses = read_report(told.decode(errors="replace"))
    failed, broken = judge(statuses, task.fail_to_pass, task.pass_to_pass)
    return Report(
        instance_id=task.instance_id,
        is_resolved=bool(statuses) and not failed and not broken,
        is_applied=tested.is_applied,
        is_timed_out=tested.is_timed_out,
        limit=f"{tested.limit.reason}: {tested.limit.detail}" if tested.limit else None,
        failed=failed,
        broken=broken,
        statuses=statuses,
        seconds=tested.seconds,
        log=docker.artifacts.put(tested.log),
        report=docker.artifacts.put(tested.report),
    )
