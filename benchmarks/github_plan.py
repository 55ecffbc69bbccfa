"""Measure what it takes to plan a month of GitHub: two million merges, nothing asked.

Run `python -m benchmarks.github_plan`; a quarter of a gigabyte of scratch is enough.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import click
import polars as pl

from benchmarks.commands import aside, took
from benchmarks.generated_answers import write_answers
from benchmarks.generated_merges import write_merges

URL = "https://github.invalid"
MONTH = ("--month", "2026-03")
COMMANDS = {"build --dry-run": ("build", *MONTH, "--dry-run"), "status": ("status", *MONTH)}


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
        aside(partial(write_merges, root, repositories=repositories, pull_requests=pull_requests))
        for state in ("nothing answered", "half answered"):
            if state == "half answered":
                aside(partial(_answer_half, root))
            for name, words in COMMANDS.items():
                cost = took(root, *words, url=URL)
                slowest, largest = max(slowest, cost.seconds), max(largest, cost.memory)
                click.echo(
                    f"{state:<18}{name:<18}{cost.seconds:8.1f} s (at most {seconds:.0f})"
                    f"{cost.memory / 1e6:9.0f} MB (at most {megabytes:,})"
                )
    click.echo(f"again: python -m benchmarks.github_plan {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(slowest > seconds or largest > megabytes * 1e6)


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
