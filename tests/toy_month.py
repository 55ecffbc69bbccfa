"""A month of six pull requests, from merges to splits, made without any service."""

import hashlib
from datetime import datetime
from pathlib import Path

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.artifacts import Artifacts
from forge.build import Options, build, stages
from forge.columns import KEY, Decision, PullRequestKey, artifact, dtypes, moment, text
from forge.criteria import Criteria, decide, tolerant
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Decided, StageLimits, stage

IDS = [f"tests/t.py::t{n}" for n in range(8)]
LOG = b"1 passed\n\x1b[2Jgone\n"
LOG_NAME = hashlib.sha256(LOG).hexdigest()
DAY = datetime(2026, 3, 2, 10)
NOW = datetime(2026, 4, 1)


class Merges(PullRequestKey):
    """One row per merged pull request."""

    repo = dy.String(description="owner/name as of the merge")
    merged_at = moment("when it was merged, UTC")
    title = dy.String(nullable=True, description="title, where the source gives it")


class Candidates(PullRequestKey, Decision):
    """One row per pull request that meets every criterion."""

    repo = dy.String(description="owner/name")
    test_files = dy.Int64(description="test files that it changes")
    stars = dy.Int64(nullable=True, description="stars of the repository")


class Attempts(PullRequestKey):
    """One row per run of the tests on one side."""

    side = dy.String(metadata=KEY, description="before or after")
    attempt = dy.Int64(metadata=KEY, description="number of the run, from 1")
    tests = dy.List(
        dy.Struct({"id": dy.String(), "letter": dy.String()}), description="letter by test"
    )
    log = artifact("what the tests printed")


class Verdicts(PullRequestKey, Decision):
    """One row per candidate whose tests prove it."""

    fail_to_pass = dy.List(dy.String(), description="tests that the gold patch turns green")


class Tasks(PullRequestKey):
    """One row per approved task."""

    instance_id = dy.String(description="owner__name-number")
    gold_patch = text("the fix")
    image = dy.String(nullable=True, description="tag of its image")


class Splits(PullRequestKey):
    """One row per task."""

    split = dy.String(description="train or eval")


class Limits(StageLimits):
    lines: int = Field(400, description="most lines changed")
    stars: int = Field(10, description="fewest stars of the repository")


MERGES = [
    (1, 1, "lantern/tidy", DAY, "Fix the width"),
    (1, 2, "lantern/tidy", DAY, "Add docs"),
    (1, 3, "lantern/tidy", DAY, "Red \x1b[31mtitle\u202e"),
    (1, 4, "lantern/tidy", DAY, None),
    (2, 7, "kestrel/Ledger", DAY, "Round half even"),
]
CHANGES = {1: (1, 20, 50), 2: (0, 3, 50), 3: (0, 900, 50), 4: (2, 30, 50), 7: (1, 40, None)}


def criteria(limits: Limits) -> Criteria:
    return {
        "has_tests": pl.col("test_files") > 0,
        "is_small": pl.col("changed_lines") <= limits.lines,
        "is_known": tolerant(pl.col("stars") >= limits.stars),
    }


@stage
def merges(*, sample: float | None) -> dy.LazyFrame[Merges]:
    rows = MERGES if sample is None else MERGES[:1]
    return pl.LazyFrame(rows, schema=dtypes(Merges), orient="row").pipe(Merges.cast)


@stage
def candidates(merges: dy.LazyFrame[Merges], *, limits: Limits) -> Decided[Candidates]:
    changes = pl.LazyFrame(
        [(number, *change) for number, change in CHANGES.items()],
        schema=dict.fromkeys(("number", "test_files", "changed_lines", "stars"), pl.Int64),
        orient="row",
    )
    return merges.join(changes, on="number", how="left").pipe(decide, criteria(limits))


def _attempt(side: str, attempt: int, letters: str) -> pl.LazyFrame:
    tests = [{"id": n, "letter": letter} for n, letter in zip(IDS, letters, strict=True)]
    return pl.LazyFrame({"side": [side], "attempt": [attempt], "tests": [tests], "log": [LOG_NAME]})


@stage(by="bucket")
def attempts(candidates: dy.LazyFrame[Candidates]) -> dy.LazyFrame[Attempts]:
    made = pl.concat([
        _attempt("before", 1, "FPPPPPPP"), _attempt("before", 2, "FPPPPPPP"),
        _attempt("after", 1, "PPPPPPPP"), _attempt("after", 2, "PPPPPPPF"),
    ])  # fmt: skip
    return candidates.join(made, how="cross").pipe(Attempts.cast)


@stage(by="bucket")
def verdicts(
    candidates: dy.LazyFrame[Candidates], attempts: dy.LazyFrame[Attempts]
) -> Decided[Verdicts]:
    runs = attempts.group_by("repository_id", "number").len()
    proven = pl.when(pl.col("number") != 4).then(["tests/t.py::t0"]).otherwise([])
    return (
        candidates.join(runs, on=["repository_id", "number"], how="left")
        .with_columns(fail_to_pass=proven.cast(pl.List(pl.String)))
        .pipe(decide, {"has_fail_to_pass": pl.col("fail_to_pass").list.len() > 0})
    )


@stage
def tasks(
    verdicts: dy.LazyFrame[Verdicts], candidates: dy.LazyFrame[Candidates]
) -> dy.LazyFrame[Tasks]:
    return (
        verdicts.join(candidates, on=["repository_id", "number"])
        .with_columns(
            instance_id=pl.col("repo").str.replace("/", "__") + "-" + pl.col("number").cast(str),
            gold_patch=pl.lit("--- a\n+++ b\n"),
            image=pl.lit("sweforge/x:1"),
        )
        .pipe(Tasks.cast)
    )


@stage
def splits(tasks: dy.LazyFrame[Tasks]) -> dy.LazyFrame[Splits]:
    side = pl.when(pl.col("repository_id") == 2).then(pl.lit("eval")).otherwise(pl.lit("train"))
    return tasks.with_columns(split=side).pipe(Splits.cast)


def build_month(home: Path, selection: Selection | None = None, **options: object) -> None:
    """Build this month in `data`, by the stages that the toy package holds."""
    Artifacts(home / "data/memo/artifacts").put(LOG)
    chosen, settings = selection or Selection("2026-03"), Settings(root=home / "data")
    made = build(stages(), chosen, settings, Options(**options), now=NOW, progress=lambda *_: None)
    assert list(made)
