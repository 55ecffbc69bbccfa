import asyncio

import pytest

from forge.services.docker_admission import MOST_PASSED, SHARE, Admission, Need

GB = 10**9
MACHINE = int(10 * GB / SHARE)
"""A machine with ten gigabytes to give."""


class Work:
    """Containers that run until they are told to end, in the order in which they started."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.started: list[str] = []
        self.company: dict[str, bool] = {}
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, need: Need) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._run(name, need))
        await settle()

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await self.tasks[name]
        await settle()

    async def _run(self, name: str, need: Need) -> None:
        async with self.admission.admitted(need) as stay:
            self.started.append(name)
            await self.ends[name].wait()
        self.company[name] = stay.had_company


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def work(workers: int = 2, **peaks: int) -> Work:
    return Work(Admission(workers, MACHINE, peaks))


def need(image: str = "a", *, alone: bool = False) -> Need:
    return Need(image, 8 * GB, is_alone=alone)


def test_no_more_run_than_there_are_workers():
    async def story() -> list[list[str]]:
        told = work(workers=2, a=GB)
        for name in "123":
            await told.come(name, need())
        before = [*told.started]
        await told.end("1")
        return [before, told.started]

    assert asyncio.run(story()) == [["1", "2"], ["1", "2", "3"]]


def test_container_waits_while_its_expected_memory_does_not_fit():
    async def story() -> list[list[str]]:
        told = work(workers=4, big=5 * GB, small=GB)
        await told.come("big 1", need("big"))
        await told.come("big 2", need("big"))
        await told.come("small", need("small"))
        before = [*told.started]
        await told.end("big 1")
        return [before, told.started]

    assert asyncio.run(story()) == [["big 1", "small"], ["big 1", "small", "big 2"]]


def test_smaller_ones_go_before_a_big_one_only_so_often():
    async def story() -> list[str]:
        told = work(workers=2, big=7 * GB, small=3 * GB)
        await told.come("holds", need("small"))
        await told.come("big", need("big"))
        for number in range(MOST_PASSED + 3):
            await told.come(str(number), need("small"))
        for number in range(MOST_PASSED):
            await told.end(str(number))
        await told.end("holds")
        return told.started

    started = asyncio.run(story())
    assert started == ["holds", *map(str, range(MOST_PASSED)), "big"]


def test_container_that_the_machine_cannot_hold_runs_alone():
    async def story() -> list[list[str]]:
        told = Work(Admission(2, GB, {"huge": 100 * GB, "small": 1}))
        await told.come("small", need("small"))
        await told.come("huge", need("huge"))
        before = [*told.started]
        await told.end("small")
        await told.come("later", need("small"))
        return [before, told.started]

    assert asyncio.run(story()) == [["small"], ["small", "huge"]]


def test_nothing_runs_beside_one_that_asks_to_be_alone():
    async def story() -> tuple[list[str], list[str], dict[str, bool]]:
        told = work(workers=3, a=GB)
        await told.come("1", need())
        await told.come("alone", need(alone=True))
        await told.end("1")
        await told.come("2", need())
        during = [*told.started]
        await told.end("alone")
        await told.end("2")
        return during, told.started, told.company

    during, started, company = asyncio.run(story())
    assert (during, started) == (["1", "alone"], ["1", "alone", "2"])
    assert company["alone"] is False


def test_company_is_told_of_both_who_had_it():
    async def story() -> dict[str, bool]:
        told = work(workers=2, a=GB)
        await told.come("1", need())
        await told.come("2", need())
        await told.end("1")
        await told.end("2")
        await told.come("3", need())
        await told.end("3")
        return told.company

    assert asyncio.run(story()) == {"1": True, "2": True, "3": False}


def test_cancelled_one_gives_its_place_to_the_next_whether_it_ran_or_waited():
    async def story() -> list[str]:
        told = work(workers=1)
        for name in ("runs", "waits", "last"):
            await told.come(name, need())
        told.tasks["waits"].cancel()
        told.tasks["runs"].cancel()
        await settle()
        return told.started

    assert asyncio.run(story()) == ["runs", "last"]


@pytest.mark.parametrize(
    ("peaks", "expected"),
    [({}, 5 * GB), ({"a": 2 * GB}, int(2.5 * GB)), ({"a": 7 * GB}, 8 * GB), ({"b": 1}, 5 * GB)],
)
def test_expectation_is_what_the_image_used_else_a_share_and_never_above_its_limit(peaks, expected):
    assert Admission(2, MACHINE, peaks).expected(need()) == pytest.approx(expected, abs=2)


def test_highest_peak_of_an_image_counts():
    admission = Admission(2, MACHINE)
    for peak in (GB, 2 * GB, GB):
        admission.note("a", peak)
    assert admission.expected(need()) == int(2.5 * GB)
