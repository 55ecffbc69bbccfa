"""Checks: whether a row still holds, on this machine and from itself alone.

Nothing done must fail, and the gold patch must pass, with every listed test as the row lists it.
What the machine did (an engine that refuses, memory that is all gone) is never the task's fault.
"""

import asyncio
import hashlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl
from docker.errors import APIError

from forge.ask import Progress
from forge.check_results import Results
from forge.disk import is_of_disk
from forge.effect import Failure
from forge.errors import ForgeError, InputError, ServiceError
from forge.exported import Solved, Task, rows_of, told_by
from forge.grading import Report, graded_in
from forge.images import TaskImage, image_of
from forge.services.docker import Docker
from forge.settings import Settings

SHOWN_DIFFERENCES = 1000
"""Of one row; the rest is in its reports."""
ABSENT = "ABSENT"
MEANT = {"PASS": ("PASS",), "FAIL": ("FAIL", ABSENT)}
"""What a test may say that is expected so: one that is skipped before does not turn green."""


class Difference(NamedTuple):
    """What a side said of a test, or of itself (no id), where the row lists something else."""

    side: str
    id: str | None
    expected: str
    got: str


def differences(task: Task, nothing: Report, gold: Report) -> list[Difference]:
    """Where two grades are not as the row lists them."""
    return [*_of_nothing(task, nothing.statuses), *_of_gold(task, gold)]


def _of_nothing(task: Task, statuses: Mapping[str, str]) -> Iterator[Difference]:
    if not task.fail_to_pass:
        yield Difference("nothing", None, "a listed test that fails", "none is listed")
    yield from _as_listed("nothing", task.fail_to_pass, statuses, "FAIL")
    yield from _as_listed("nothing", task.pass_to_pass, statuses, "PASS")


def _of_gold(task: Task, gold: Report) -> Iterator[Difference]:
    if not gold.is_applied:
        yield Difference("gold", None, "applied", "not applied")
        return
    listed = (*task.fail_to_pass, *task.pass_to_pass)
    found = [*_as_listed("gold", listed, gold.statuses, "PASS")]
    if not found and not gold.is_resolved:
        found.append(Difference("gold", None, "resolved", "not resolved"))
    yield from found


def _as_listed(
    side: str, ids: Iterable[str], statuses: Mapping[str, str], expected: str
) -> Iterator[Difference]:
    for name in ids:
        got = statuses.get(name, ABSENT)
        if got not in MEANT[expected]:
            yield Difference(side, name, expected, got)


def sampled(ids: Sequence[str], number: int, seed: str) -> list[str]:
    """So many ids, by their hashes: the same of the same seed, and nested in every larger sample.

    >>> sampled(["a", "b", "c", "d"], 2, "0") == sampled(["d", "c", "b", "a"], 3, "0")[:2]
    True
    """
    return sorted(ids, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())[
        :number
    ]


class Tasks:
    """The chosen tasks of rows: every row is looked at before the first is checked."""

    def __init__(self, rows: pl.LazyFrame, where: str, chosen: Collection[str]) -> None:
        self.rows, self.where, self.chosen = rows, where, chosen

    def __iter__(self) -> Iterator[Task]:
        """Tasks in the order of their rows, read anew each time: together they may be large."""
        seen = set()
        for where, row in rows_of(self.rows, self.where):
            if row["instance_id"] in self.chosen:
                task = told_by(row, where, Solved)
                if task.instance_id in seen:
                    raise InputError(f"{where}: {task.instance_id} is there twice\nremove one")
                seen.add(task.instance_id)
                yield task


def check_all(
    tasks: Iterable[Task], settings: Settings, results: Results, tell: Progress
) -> list[dict[str, Any]]:
    """What each task's check says, in order; what these results hold already is not asked again."""
    settled = {task.instance_id: results.settled(task) for task in tasks}
    total = sum(row is None for row in settled.values())
    if total:
        missing = (task for task in tasks if settled[task.instance_id] is None)
        try:
            asyncio.run(_check(missing, settings, results, lambda done: tell("check", done, total)))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
    return [results.rows[name] for name in settled]


async def _check(
    tasks: Iterator[Task], settings: Settings, results: Results, tell: Callable[[int], None]
) -> None:
    async with Docker.open(settings, results.artifacts) as docker:
        checker = Checker(docker, settings.disk)
        done = itertools.count(1)

        async def work() -> None:
            for task in tasks:
                results.put(await checker.check(task))
                tell(next(done))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(settings.workers):
                    group.create_task(work())
        finally:
            await checker.close()


@dataclass
class Checker:
    """Checks rows with one engine; what it pulls goes when no row needs it any more."""

    docker: Docker
    disk: int
    pulled: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Name and bytes by digest, the oldest first."""
    in_use: Counter[str] = field(default_factory=Counter)

    async def check(self, task: Task) -> dict[str, Any]:
        """The row of the results that says whether a task holds."""
        began = time.monotonic()
        try:
            told = await self._checked(task)
        except ServiceError as error:
            if type(error) is not ServiceError:  # no engine: nothing else can be checked either
                raise
            told = _unchecked(Failure("infra", "service_down", str(error)))
        except ForgeError:
            raise
        except Exception as error:
            if is_of_disk(error):
                raise
            told = _unchecked(
                Failure("infra", "unexpected_error", f"{type(error).__name__}: {error}")
            )
        seconds = round(time.monotonic() - began, 3)
        return _about(task) | told | {"platform": self.docker.platform, "seconds": seconds}

    async def _checked(self, task: Task) -> dict[str, Any]:
        if task.platform not in {None, self.docker.platform}:
            words = f"the task is for {task.platform}, and this machine is {self.docker.platform}"
            return _unchecked(Failure("infra", "other_platform", words))
        image = await image_of(self.docker, task)
        if isinstance(image, Failure):
            return _unchecked(image)
        self.in_use.update((image.digest, *image.tags))
        try:
            return await self._graded(task, image) | {
                "image_digest": image.digest,
                "image_source": image.source,
            }
        finally:
            self.in_use.subtract((image.digest, *image.tags))
            await self._let_go(task, image)

    async def _graded(self, task: Task, image: TaskImage) -> dict[str, Any]:
        logs: dict[str, str] = {}
        reports = []
        for side, patch in (("nothing", ""), ("gold", task.patch)):
            report = await graded_in(self.docker, image.digest, task, patch)
            if isinstance(report, Failure):
                return _unchecked(report) | logs
            logs |= {f"{side}_log": report.log, f"{side}_report": report.report}
            if report.limit:
                reason, _, detail = report.limit.partition(": ")
                return _unchecked(Failure("infra", reason, detail)) | logs
            reports.append(report)
        return _outcome(differences(task, *reports)) | logs

    async def _let_go(self, task: Task, image: TaskImage) -> None:
        """Let builds remove what was built, and remove what was pulled, beyond `FORGE_DISK`."""
        self.docker.images.used.difference_update(t for t in image.tags if not self.in_use[t])
        if image.source == "pulled" and image.digest not in self.pulled:
            found = await self.docker.engine.find_image(image.digest)
            self.pulled[image.digest] = task.image, int(found.attrs["Size"]) if found else 0
        for digest in [*self.pulled]:
            filled = sum(held for _, held in self.pulled.values())
            if filled > self.disk and not self.in_use[digest]:
                await self._remove(digest)

    async def close(self) -> None:
        """Leave no image that was not here before, but those that were built from recipes."""
        for digest in [*self.pulled]:
            await self._remove(digest)

    async def _remove(self, digest: str) -> None:
        name, _ = self.pulled.pop(digest)
        with suppress(APIError):  # somebody uses it, or removed it
            await self.docker.engine.call(self.docker.engine.client.images.remove, name)


def _about(task: Task) -> dict[str, Any]:
    return {
        "instance_id": task.instance_id,
        "row_sha": task.sha,
        "checked_at": datetime.now(UTC).replace(tzinfo=None),
        "image": task.image,
        "row_image_digest": task.image_digest,
    }


def _unchecked(failure: Failure) -> dict[str, Any]:
    return {"outcome": "unchecked", "reason": failure.reason, "detail": failure.detail}


def _outcome(found: list[Difference]) -> dict[str, Any]:
    return {
        "outcome": "differs" if found else "holds",
        "differences": [one._asdict() for one in found[:SHOWN_DIFFERENCES]],
        "differing_tests": len(found),
    }
