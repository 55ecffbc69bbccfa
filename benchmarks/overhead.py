"""Measure what an attempt costs beside its tests, against the bare command in the same image.

Run `python -m benchmarks.overhead`; it needs a Docker engine.
"""

import asyncio
import statistics
import sys
import time

import click
import docker

from benchmarks.suites import Suite, built


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="time that the tests take.")
@click.option("--times", default=3, show_default=True, help="runs of each, one after the other.")
@click.option("--busy", is_flag=True, help="Let the tests compute instead of wait.")
@click.option("--most", default=0.15, show_default=True, help="largest overhead that is well.")
def command(seconds: float, times: int, busy: bool, most: float) -> None:  # noqa: FBT001 - click's
    """Run a suite bare and as an attempt, in turns, and compare the time from asked to answered."""
    pairs = asyncio.run(_measured(seconds, times, is_busy=busy))
    bare, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    overhead = ours / bare - 1
    click.echo(f"bare command    {bare:7.2f} s  (docker run, its start and removal included)")
    click.echo(f"attempt         {ours:7.2f} s  (patch, reset, tests, results, removal)")
    click.echo(f"overhead        {overhead:7.1%}  {ours - bare:+.2f} s, medians of {times}")
    click.echo(f"again: python -m benchmarks.overhead {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(overhead >= most)


async def _measured(seconds: float, times: int, *, is_busy: bool) -> list[tuple[float, float]]:
    async with built(workers=1) as suite:
        pairs = []
        for number in range(times):
            bare = await asyncio.to_thread(_bare, suite, suite.bare(seconds, is_busy=is_busy))
            began = time.monotonic()
            await suite.attempt(seconds, is_busy=is_busy, cpus=2)
            pairs.append((bare, time.monotonic() - began))
            click.echo(
                f"{number + 1}: bare {pairs[-1][0]:.2f} s, attempt {pairs[-1][1]:.2f} s", err=True
            )
        return pairs


def _bare(suite: Suite, shell: str) -> float:
    engine = docker.from_env()
    began = time.monotonic()
    engine.containers.run(
        suite.image, ["bash", "-c", shell], network_mode="none", user="forge", remove=True
    )
    return time.monotonic() - began


if __name__ == "__main__":
    command()
