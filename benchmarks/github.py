"""Measure a month of GitHub: calls, points, our own time and memory, and a build that is killed.

Run `python -m benchmarks.github`; all of it takes ten minutes, with `--pull-requests` less. GitHub
is the loopback of the tests, with its published limits, in a process of its own.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx

from benchmarks.commands import Took, aside, started, took
from benchmarks.generated_merges import write_merges

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from github_apart import Apart, apart
from github_month import Month

LATENCY = 0.2
TOKENS = 4
"""So many that the loopback's own slowness, which counts as GitHub's time, does not bind."""
SMALLER, A_REPOSITORY = 10, 10 / 3
ANSWER = 50
BUILD = ("build", "--month", "2026-03", "--to", "pull_requests")
ALL = ("--limit", "repositories.stars=0")
KILLED, BEFORE, AT_ONCE = 6_000, 44, 8
STILL = 5
NAIVE, HOUR_REQUESTS = 200, 5_000


class Figure(NamedTuple):
    """One line: a figure beside its bound."""

    what: str
    figure: float
    most: float
    unit: str = ""


class Run(NamedTuple):
    """What a build took, and what GitHub was asked for it."""

    took: Took
    asked: dict[str, Any]


@click.command()
@click.option("--pull-requests", default=100_000, show_default=True, help="of the larger run.")
@click.option("--points", default=4_500, show_default=True, help="most that are well for 100,000.")
@click.option("--milliseconds", default=50.0, show_default=True, help="most of ours an answer.")
@click.option("--growth", default=1.5, show_default=True, help="most that memory may grow.")
def command(pull_requests: int, points: int, milliseconds: float, growth: float) -> None:
    """Build months of two sizes, kill a build and run it again, and ask as a naive client would."""
    with tempfile.TemporaryDirectory() as scratch:
        small = _built(Path(scratch) / "small", pull_requests // SMALLER)
        large = _built(Path(scratch) / "large", pull_requests)
        twice = _killed(Path(scratch) / "killed")
    calls, spent = large.asked["calls"], large.asked["points"]
    figures = [
        Figure("requests for a pull request", calls / pull_requests, 0.03),
        Figure(f"points for {pull_requests:,}", spent, points * pull_requests / 100_000),
        Figure(
            "our own time an answer of 50", _milliseconds(large, pull_requests), milliseconds, "ms"
        ),
        Figure(
            f"memory at {pull_requests // SMALLER:,}", small.took.memory / 1e6, float("inf"), "MB"
        ),
        Figure(
            f"memory at {pull_requests:,}",
            large.took.memory / 1e6,
            small.took.memory * growth / 1e6,
            "MB",
        ),
        Figure("answered twice, once killed", twice, 0),
    ]
    for figure in figures:
        click.echo(_line(figure))
    _tell_naive(pull_requests, large)
    click.echo(f"again: python -m benchmarks.github {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(any(figure.figure > figure.most for figure in figures))


def _line(figure: Figure) -> str:
    most = f"at most {figure.most:,.4g}" if figure.most < float("inf") else ""
    return f"{figure.what:<32}{figure.figure:>12,.4g} {figure.unit:<4}{most}".rstrip()


def _milliseconds(run: Run, pull_requests: int) -> float:
    return run.took.busy * 1_000 / (pull_requests / ANSWER)


def _month(root: Path, pull_requests: int) -> Month:
    month = Month(int(pull_requests / A_REPOSITORY), pull_requests)
    root.mkdir()
    repositories = month.repositories
    aside(partial(write_merges, root, repositories=repositories, pull_requests=pull_requests))
    return month


def _built(root: Path, pull_requests: int) -> Run:
    month = _month(root, pull_requests)
    click.echo(f"building {pull_requests:,} pull requests", err=True)
    with apart(month, latency=LATENCY, tokens=TOKENS) as github:
        cost = took(root, *BUILD, *ALL, url=github.url, tokens=",".join(github.tokens))
    click.echo(f"{cost.seconds:.0f} s, {github.totals}", err=True)
    return Run(cost, github.totals)


def _killed(root: Path) -> int:
    """How many ids are answered twice when a build is killed and run again."""
    month = _month(root, KILLED)
    click.echo("killing a build, and running it again", err=True)
    with apart(month, latency=LATENCY, stalls=(BEFORE, AT_ONCE)) as github:
        child = started(root, *BUILD, *ALL, url=github.url, tokens=github.token)
        _wait_until_nothing_comes(root / "memo/read_pull_request")
        child.kill()
        child.wait()
        took(root, *BUILD, *ALL, url=github.url, tokens=github.token)
    click.echo(f"{github.totals}", err=True)
    return int(github.totals["ids_answered_twice"])


def _wait_until_nothing_comes(memo: Path) -> None:
    """Until all calls at a time are those that never come to their end."""
    before, since = 0, time.monotonic()
    while not before or time.monotonic() < since + STILL:
        held = sum(path.stat().st_size for path in _files(memo))
        if held != before:
            before, since = held, time.monotonic()
        time.sleep(0.1)


def _files(memo: Path) -> Iterator[Path]:
    yield from memo.glob("journal-*.jsonl")
    yield from memo.glob("part-*.parquet")


def _tell_naive(pull_requests: int, run: Run) -> None:
    """Two requests of REST a pull request: the loopback has repositories there, which stand in."""
    month = Month(NAIVE, NAIVE)
    with apart(month, latency=LATENCY) as github:
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(_ask_naively, github, month), range(NAIVE)))
        seconds = (time.perf_counter() - began) / NAIVE * pull_requests
    limited = 2 * pull_requests / HOUR_REQUESTS * 3_600
    click.echo(
        f"naive client: 2 requests a pull request ({2 * pull_requests / run.asked['calls']:.0f} "
        f"times as many), {seconds / 3_600:.1f} hours for {pull_requests:,} at {AT_ONCE} at once, "
        f"{limited / 3_600:.0f} by the hour's {HOUR_REQUESTS:,} requests of one token"
    )


def _ask_naively(github: Apart, month: Month, number: int) -> None:
    name = month.repository(number).name_with_owner
    for _ in range(2):
        httpx.get(f"{github.url}/repos/{name}", headers={"authorization": f"token {github.token}"})


if __name__ == "__main__":
    command()
