"""Measure how busy forge keeps the machine while attempts wait.

Run `python -m benchmarks.busy`; it needs a Docker engine, and a machine that does nothing else.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.suites import Suite, built

STAT = Path("/proc/stat")
IDLE = (3, 4)
"""Columns of a processor's times: idle, and waiting for a disk."""


class Times(NamedTuple):
    """Time of all processors since the machine started, and how much of it was busy."""

    busy: int
    whole: int

    def share_since(self, earlier: "Times") -> float:
        """How busy the machine was.

        >>> Times(190, 200).share_since(Times(100, 100))
        0.9
        """
        return (self.busy - earlier.busy) / max(1, self.whole - earlier.whole)


def times(stat: str) -> Times:
    """What the first line of /proc/stat says.

    >>> times("cpu  10 0 5 80 5 0 0 0 0 0")
    Times(busy=15, whole=100)
    """
    columns = [int(word) for word in stat.splitlines()[0].split()[1:9]]
    return Times(sum(columns) - sum(columns[place] for place in IDLE), sum(columns))


def now() -> Times:
    """The machine's own."""
    return times(STAT.read_text(encoding="ascii"))


@dataclass
class Queue:
    """Attempts that are asked all at once, and what was seen while some of them waited."""

    suite: Suite
    workers: int
    left: int
    running: list[int] = field(default_factory=list)

    async def drained(self, seconds: Sequence[float], *, cpus: float) -> tuple[float, float]:
        """How busy the processors were while attempts waited, and how long all of them took."""
        began, before = time.monotonic(), now()
        tasks = [asyncio.create_task(self._one(each, cpus)) for each in seconds]
        while self.left > self.workers:
            self.running.append(len(self.suite.docker.engine.admission.running))
            await asyncio.sleep(0.1)
        share = now().share_since(before)
        await asyncio.gather(*tasks)
        return share, time.monotonic() - began

    async def _one(self, seconds: float, cpus: float) -> None:
        await self.suite.attempt(seconds, is_busy=True, cpus=cpus)
        self.left -= 1


@click.command()
@click.option("--attempts", default=24, show_default=True, help="length of the queue.")
@click.option("--seconds", default=5.0, show_default=True, help="mean time of a suite.")
@click.option("--workers", default=os.cpu_count() or 2, help="containers at a time.")
@click.option("--cpus", default=2.0, show_default=True, help="processors that each may use.")
@click.option("--least", default=0.9, show_default=True, help="smallest share that is well.")
def command(attempts: int, seconds: float, workers: int, cpus: float, least: float) -> None:
    """Ask attempts at suites of half to one and a half times the mean, longest first."""
    chance = random.Random(7)  # noqa: S311 - the same queue every time
    lengths = sorted((seconds * chance.uniform(0.5, 1.5) for _ in range(attempts)), reverse=True)
    share, took, held = asyncio.run(_measured(lengths, workers, cpus))
    ideal = sum(lengths) / min(workers, os.cpu_count() or workers)
    click.echo(f"processors busy while attempts waited   {share:6.1%}")
    click.echo(f"places taken while attempts waited      {held:6.1%}  of {workers}")
    click.echo(f"all {attempts} attempts                        {took:6.1f} s")
    click.echo(f"their suites' own processor time, shared {ideal:5.1f} s, {took / ideal - 1:+.1%}")
    click.echo(f"again: python -m benchmarks.busy {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(share < least)


async def _measured(lengths: list[float], workers: int, cpus: float) -> tuple[float, float, float]:
    async with built(workers) as suite:
        queue = Queue(suite, workers, len(lengths))
        share, took = await queue.drained(lengths, cpus=cpus)
        return share, took, sum(queue.running) / max(1, len(queue.running) * workers)


if __name__ == "__main__":
    command()
