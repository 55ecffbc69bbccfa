"""Gold patch and test patch of each candidate, byte for byte."""

from datetime import datetime

import dataframely as dy
import polars as pl

from forge.columns import PULL_REQUEST, Decision, PullRequestKey, text
from forge.criteria import Criteria, decide
from forge.effect import Failure, Row, effect
from forge.languages import languages
from forge.run import Run
from forge.services.git import Failed, Git, Sought
from forge.stage import Decided, stage
from forge.stages.candidates import Candidates
from forge.stages.pull_requests import PullRequests
from forge.stages.triage import Triage

BETWEEN = ("base_commit", "merge_commit", "head_sha", "base_ref", "base_sha")


class Halves(dy.Schema):
    """Both halves of a change."""

    gold_patch = text("what the task wants: the change without its tests; valid UTF-8")
    test_patch = text("the change to tests; base + gold + test is the merge, file by file")
    patch_id = dy.String(nullable=True, description="git's stable id of the whole change")
    test_paths = dy.List(dy.String(), description="files of the test patch that the merge has")
    removed_test_paths = dy.List(
        dy.String(), description="tests and files of their runner that the change removes"
    )
    test_archive = text(
        "base64 of a tar.gz: test_paths, and changed files of their runner, as the merge has them"
    )
    missing_files = dy.List(
        dy.String(), description="files of the base that its server has not got: left out"
    )


class Base(dy.Schema):
    """Between which commits a change lies."""

    base_commit = dy.String(description="commit the task starts from")
    merge_commit = dy.String(
        nullable=True, description="commit that brought the change in; null for a row's own patches"
    )


class Patches(PullRequestKey, Halves, Base, Decision):
    """One row per candidate whose change could be cut in two."""


def criteria() -> Criteria:
    return {
        "has_gold_patch": pl.col("gold_patch") != "",
        "has_test_patch": pl.col("test_patch") != "",
    }


@effect(answers=Base, concurrency=4, seconds=3600)
async def find_base(
    git: Git,
    *,
    repo: str,
    number: int,
    head_sha: str | None,
    merged_at: datetime | None,
    merge_commit: str | None,
    base_ref: str | None,
    base_sha: str | None,
) -> Row | Failure:
    """Find what GitHub does not tell: the commit before a merge, or before a rebase's first."""
    sought = Sought(number, head_sha, merged_at, merge_commit, base_ref, base_sha)
    try:
        merge = await git.find_merge(repo, sought)
    except Failed as failed:
        return failed.failure
    return {"base_commit": merge.base, "merge_commit": merge.commit.sha}


@effect(answers=Halves, version=3, since=3, concurrency=4, seconds=3600)
async def cut_patches(
    git: Git,
    *,
    repo: str,
    base_commit: str,
    merge_commit: str | None,
    change: str | None,
    tests: str,
    runner: str,
) -> Row | Failure:
    """Cut a change by the pattern of its tests' paths, and prove both halves."""
    try:
        pair = await git.pair(repo, base_commit, merge_commit, change=change)
        return (await git.cut(repo, pair, tests, runner))._asdict()
    except Failed as failed:
        return failed.failure


@stage
def patches(
    triage: dy.LazyFrame[Triage],
    candidates: dy.LazyFrame[Candidates],
    pull_requests: dy.LazyFrame[PullRequests],
    *,
    run: Run,
    enrich: str,
) -> Decided[Patches]:
    tests = {name: language.tests for name, language in languages().items()}
    runners = {name: language.runner_paths for name, language in languages().items()}
    changes = pull_requests.select(*PULL_REQUEST, "repo", "merged_at", "change", *BETWEEN)
    wanted = candidates.join(triage, on=PULL_REQUEST, how="semi", maintain_order="left")
    rows = wanted.select(
        *PULL_REQUEST,
        tests=pl.col("language").replace_strict(tests),
        runner=pl.col("language").replace_strict(runners),
    ).join(changes, on=PULL_REQUEST, how="left", maintain_order="left")
    if enrich == "github":
        rows = _with_bases(rows, run)
    halves = run.ask(rows.filter(pl.col("base_commit").is_not_null()), cut_patches)
    return (
        rows.join(halves, on=PULL_REQUEST, how="left", suffix="_cut", maintain_order="left")
        .pipe(_failures)
        .pipe(decide, criteria())
    )


def _with_bases(rows: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    """Rows with the bases that git finds, and why it does not where it does not."""
    found = run.ask(rows.filter(pl.col("base_commit").is_null()), find_base)
    return rows.join(
        found, on=PULL_REQUEST, how="left", suffix="_found", maintain_order="left"
    ).with_columns(
        pl.coalesce("base_commit_found", "base_commit").alias("base_commit"),
        pl.coalesce("merge_commit_found", "merge_commit").alias("merge_commit"),
    )


def _failures(rows: pl.LazyFrame) -> pl.LazyFrame:
    # A row that has no base was not cut.
    names = rows.collect_schema().names()
    told = [name for name in ("kind", "reason", "detail") if f"{name}_cut" in names]
    return rows.with_columns(pl.coalesce(name, f"{name}_cut").alias(name) for name in told)
