"""Measure what it takes to plan a month of GitHub: two million merges, nothing asked.

Run `python -m benchmarks.github_plan`; a quarter of a gigabyte of scratch is enough.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import click
import polars as pl

from benchmarks.generated_answers import write_answers
from benchmarks.generated_merges import write_merges

URL = "https://github.invalid"
MONTH = ("--month", "2026-03")
COMMANDS = {"build --dry-run": ("build", *MONTH, "--dry-run"), "status": ("status", *MONTH)}


class Took(NamedTuple):
    """Seconds of a command, and its memory at most."""

    seconds: float
    memory: int


@click.command()
@click.option("--repositories", default=300_000, show_default=True)
@click.option("--pull-requests", default=2_000_000, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="longest that is well.")
@click.option("--megabytes", default=2_000, show_default=True, help="most memory that is well.")
def command(repositories: int, pull_requests: int, seconds: float, megabytes: int) -> None:
    """Plan a month of which nothing is answered yet, then one of which half is."""
    slowest, largest = 0.0, 0
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        _apart(partial(write_merges, root, repositories=repositories, pull_requests=pull_requests))
        for state in ("nothing answered", "half answered"):
            if state == "half answered":
                _apart(partial(_answer_half, root))
            for name, words in COMMANDS.items():
                took = _took(root, words)
                slowest, largest = max(slowest, took.seconds), max(largest, took.memory)
                click.echo(
                    f"{state:<18}{name:<18}{took.seconds:8.1f} s (at most {seconds:.0f})"
                    f"{took.memory / 1e6:9.0f} MB (at most {megabytes:,})"
                )
    click.echo(f"again: python -m benchmarks.github_plan {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(slowest > seconds or largest > megabytes * 1e6)


def _apart(write: Callable[[], None]) -> None:
    # A child's memory counts from that of the process which starts it: this one stays small.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(write).result()


def _took(root: Path, words: tuple[str, ...]) -> Took:
    places = {"FORGE_ROOT": str(root), "FORGE_GITHUB_URL": URL, "FORGE_GITHUB_TOKENS": "none"}
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "forge", *words],
        env=os.environ | places,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise click.ClickException(f"forge {' '.join(words)} failed")
    return Took(time.perf_counter() - began, usage.ru_maxrss * 1024)


def _answer_half(root: Path) -> None:
    """All repositories, and the first half of the pull requests."""
    from forge.stages.pull_requests import read_pull_request
    from forge.stages.repositories import profile_repository

    memo, merges = root / "memo", pl.scan_parquet(root / "merges/**/*.parquet")
    repositories = merges.select("repository_id", "repo", month=pl.lit("2026-03")).unique()
    profile = {"canonical": "owner/name", "fork_root_id": 1, "stars": 99, "licence": "MIT"}
    write_answers(memo, profile_repository, repositories, identity=URL, answer=profile)
    half = merges.filter(pl.col("merged_at").dt.day() <= 15).with_columns(repo=pl.lit("owner/name"))
    told = {"title": "Round half to even", "body": "It lost halves. " * 30, "files": []}
    write_answers(memo, read_pull_request, half, identity=URL, answer=told)


if __name__ == "__main__":
    command()
