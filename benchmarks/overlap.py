"""Measure two hours on two cores against one, and whether hours are read while others download.

Run `python -m benchmarks.overlap`; it wants two processors that do nothing else.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.builds import built
from benchmarks.generated_hours import write_hour
from benchmarks.readers import beginning
from benchmarks.served import serving

HOUR = datetime(2026, 3, 11, 14)
CORES = 2


@click.command()
@click.option("--hours", default=32, show_default=True, help="hours that are built.")
@click.option("--times", default=3, show_default=True, help="runs of each, in turns.")
@click.option("--least", default=1.8, show_default=True, help="smallest gain that is well.")
@click.option("--most", default=0.75, show_default=True, help="largest share of the sum.")
def command(hours: int, times: int, least: float, most: float) -> None:
    """Read hours in one process and in two; build hours from a server as slow as the reading."""
    with tempfile.TemporaryDirectory() as scratch:
        file = write_hour(Path(scratch) / "hour.json.gz", era="trimmed", hour=HOUR)
        gain = _gain(file, Path(scratch), times)
        share = _overlap(file, Path(scratch), hours, times)
    click.echo(f"again: python -m benchmarks.overlap {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(gain < least or share > most)


def _gain(file: Path, scratch: Path, times: int) -> float:
    best = {1: float("inf"), CORES: float("inf")}
    for _ in range(times):
        for processes, seconds in best.items():
            best[processes] = min(seconds, asyncio.run(_read(file, scratch, processes)))
    gain = best[1] / best[CORES]
    click.echo(f"8 hours in one process      {best[1]:6.2f} s")
    click.echo(f"8 hours in two processes    {best[CORES]:6.2f} s  {gain:.2f} times the throughput")
    return gain


async def _read(file: Path, scratch: Path, processes: int) -> float:
    from forge.services.readers import Readers

    readers, small = Readers(processes), beginning(file, scratch / "small.json.gz")
    try:
        # Processes start when there is work, and imports are no part of an hour.
        await asyncio.gather(*(readers.read(_reading(small, scratch, n)) for n in range(16)))
        began = time.perf_counter()
        await asyncio.gather(*(readers.read(_reading(file, scratch, n)) for n in range(8)))
        return time.perf_counter() - began
    finally:
        await readers.close()


def _reading(file: Path, scratch: Path, number: int) -> Callable[[], Any]:
    from forge.dumps import read_dump

    return partial(read_dump, file, hour=HOUR, events=scratch / f"{number}.events")


def _overlap(file: Path, scratch: Path, hours: int, times: int) -> float:
    size = file.stat().st_size * hours
    fast = min(_build(file, scratch, hours, float("inf")) for _ in range(times))
    slow = min(_build(file, scratch, hours, size / fast) for _ in range(times))
    click.echo(f"build of {hours} hours           {fast:6.2f} s  from a server without a limit")
    click.echo(f"download alone              {fast:6.2f} s  at {size / fast / 1e6:.0f} MB/s")
    click.echo(f"build at this rate          {slow:6.2f} s  {slow / fast / 2:.0%} of the sum")
    return slow / fast / 2


def _build(file: Path, scratch: Path, hours: int, rate: float) -> float:
    with (
        tempfile.TemporaryDirectory(dir=scratch) as root,
        serving(lambda _: [file], rate=rate) as url,
    ):
        return built(url, Path(root) / "root", hours=hours, to="hours", workers=CORES).seconds


if __name__ == "__main__":
    command()
