"""Pull requests as GitHub or git knows them: the words, the files, how it came in."""

from datetime import datetime
from typing import Any

import dataframely as dy
import polars as pl

from forge.columns import PULL_REQUEST, PullRequestKey, dtypes, moment, text
from forge.criteria import Criteria, decide
from forge.effect import Failure, Row, effect
from forge.rules.bounds import bound, is_excluded
from forge.rules.messages import linked_issues
from forge.run import Run
from forge.selection import Exclusions
from forge.services.git import ChangedFile, Failed, Git, PullRequest, Sought
from forge.services.github import GitHub
from forge.stage import Decided, stage
from forge.stages.merges import Merges
from forge.stages.repositories import Repositories

SOURCED = ("title", "body", "author", "is_bot", "merged_at")
"""What the source of a merge may know already, and better."""
DECIDED = ("bound", "has_wanted_repository")
PLACES = ("head_sha", "base_ref", "base_sha")


class ChangedFiles(dy.Schema):
    """What changed between two trees."""

    files = dy.List(
        dy.Struct(
            {
                "path": dy.String(),
                "previous_path": dy.String(nullable=True),
                "additions": dy.Int64(nullable=True),
                "deletions": dy.Int64(nullable=True),
                "is_binary": dy.Bool(nullable=True),
            }
        ),
        description="changed files, renames followed; binary ones have no lines to count; GitHub "
        "tells neither former paths nor, of what has no lines, whether it is binary",
    )
    changed_files = dy.Int64(description="how many files changed")
    additions = dy.Int64(description="lines added")
    deletions = dy.Int64(description="lines removed")


class Change(ChangedFiles):
    """How a pull request came into its base branch, and what it changed."""

    merge_commit = dy.String(
        regex="^[0-9a-f]{40,64}$",
        nullable=True,
        description="commit that brought it in; null where a row gives the change itself",
    )
    commits = dy.Int64(nullable=True, description="commits it had; a squash does not say")


class Base(dy.Schema):
    """What git alone knows of a merge."""

    base_commit = dy.String(
        regex="^[0-9a-f]{40,64}$",
        nullable=True,
        description="commit the task starts from: the merge's first parent, or the row's own base; "
        "null with GitHub, where git is asked for the candidates' alone",
    )
    merge_method = dy.String(
        regex="^(merge|squash|rebase)$",
        nullable=True,
        description="merge, squash or rebase; null without a merge, and with GitHub",
    )


class Facts(dy.Schema):
    """What GitHub alone knows of a pull request."""

    association = dy.String(
        nullable=True, description="what the author is to the repository; git does not know"
    )
    labels = dy.List(dy.String(), nullable=True, description="labels; git does not know them")
    head_sha = dy.String(nullable=True, description="last commit of the pull request")
    base_ref = dy.String(nullable=True, description="branch it went into")
    base_sha = dy.String(
        nullable=True, description="tip of that branch as the source has it, not the merge base"
    )
    issues = dy.List(
        dy.Struct(
            {
                "number": dy.Int64(),
                "title": dy.String(),
                "body": dy.String(nullable=True),
                "author": dy.String(nullable=True),
                "author_type": dy.String(nullable=True),
                "opened_at": dy.Datetime(time_unit="us"),
                "edited_at": dy.Datetime(time_unit="us", nullable=True),
            }
        ),
        nullable=True,
        description="issues of this repository that it closes, in GitHub's words of when it was "
        "asked; git does not know them",
    )


class Given(ChangedFiles):
    """What a row's change comes to on its base."""

    merged_at = moment("when its base was committed, UTC")


class Words(dy.Schema):
    """What people said, and when."""

    title = dy.String(nullable=True, description="title; null where no message has it")
    body = text("description", nullable=True)
    author = dy.String(nullable=True, description="login, or name where git knows no login")
    is_bot = dy.Bool(nullable=True, description="whether a machine wrote it")
    merged_at = moment("when it was merged, UTC")


class Answer(Change, Base, Words):
    """What git answers for a merge."""


class Told(Change, Facts, Words):
    """What GitHub answers for a pull request."""


class PullRequests(PullRequestKey, Change, Base, Facts, Words):
    """One row per merge that GitHub tells of, or that git could find."""

    repo = dy.String(description="owner/name, canonical")
    linked_issues = dy.List(dy.Int64(), description="issues of this repository it says to close")
    enriched_by = dy.String(regex="^(git|github)$", description="who told of it")
    change = text("the diff itself, where a row gives it", nullable=True)


def criteria() -> Criteria:
    return {
        "is_not_excluded": ~pl.col("is_excluded"),
        "has_wanted_repository": pl.col("has_wanted_repository"),
    }


@effect(answers=Answer, version=2, since=2, concurrency=4, seconds=3600)
async def read_merge(
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
    """Find the merge in the history and read it."""
    sought = Sought(number, head_sha, merged_at, merge_commit, base_ref, base_sha)
    try:
        return _answer(await git.pull_request(repo, sought))
    except Failed as failed:
        return failed.failure


@effect(answers=Told, version=2, since=2, concurrency=1_000, seconds=4 * 3600)
async def read_pull_request(
    github: GitHub, *, repository_id: int, repo: str, number: int, pull_request_id: int | None
) -> Row | Failure:
    """Words, author, files, labels and issues of a merged pull request."""
    return await github.pull_request(repository_id, repo, number, pull_request_id)


@effect(answers=Given, version=2, since=2, concurrency=4, seconds=3600)
async def read_change(git: Git, *, repo: str, base_sha: str, change: str) -> Row | Failure:
    """Make the change that a row gives, and list its files."""
    try:
        pair = await git.pair(repo, base_sha, None, change=change)
        files = await git.changed_files(repo, pair)
        return {**_listed(files), "merged_at": await git.committed_at(repo, base_sha)}
    except Failed as failed:
        return failed.failure


@stage
def pull_requests(
    merges: dy.LazyFrame[Merges],
    repositories: dy.LazyFrame[Repositories],
    *,
    run: Run,
    chosen: tuple[str, ...],
    sample: float | None,
    exclude: Exclusions,
    enrich: str,
) -> Decided[PullRequests]:
    bounded = merges.with_columns(bound=bound(chosen, sample), is_excluded=is_excluded(exclude))
    sought = _sought(bounded, repositories, enrich)
    is_wanted = pl.col("bound").is_null() & ~pl.col("is_excluded")
    wanted = sought.filter(is_wanted & pl.col("has_wanted_repository"))
    return (
        sought.select(*PULL_REQUEST, "repo", *DECIDED, *PLACES, "change", *SOURCED)
        .join(
            _answers(wanted, run, enrich),
            on=PULL_REQUEST,
            how="left",
            suffix="_answered",
            maintain_order="left",
        )
        .with_columns(linked_issues=_linked_issues())
        # Who tells a title and no body had none then; one of today may tell of the fix.
        .with_columns(body_answered=pl.when(pl.col("title").is_null()).then("body_answered"))
        .with_columns(pl.coalesce(name, f"{name}_answered").alias(name) for name in SOURCED)
        .with_columns(_of_answers())
        .with_columns(is_excluded=is_excluded(exclude))
        .pipe(decide, criteria())
    )


def _sought(merges: pl.LazyFrame, repositories: pl.LazyFrame, enrich: str) -> pl.LazyFrame:
    """Merges under their repositories' canonical names."""
    canonical = repositories.select("repository_id", canonical="repo")
    return merges.join(
        canonical, on="repository_id", how="left", maintain_order="left"
    ).with_columns(
        repo=pl.coalesce("canonical", "repo"),
        # Git tells of each pull request why it is not to be had; GitHub is not asked again.
        has_wanted_repository=pl.col("canonical").is_not_null() | (enrich == "git"),
    )


def _answers(wanted: pl.LazyFrame, run: Run, enrich: str) -> pl.LazyFrame:
    """By key: what GitHub or git answers; of rows with their own change, git alone."""
    is_given = pl.col("change").is_not_null()
    asked = read_pull_request if enrich == "github" else read_merge
    told = run.ask(wanted.filter(~is_given), asked).with_columns(enriched_by=pl.lit(enrich))
    given = run.ask(wanted.filter(is_given), read_change).with_columns(enriched_by=pl.lit("git"))
    return pl.concat([_completed(told), given], how="diagonal_relaxed")


def _completed(told: pl.LazyFrame) -> pl.LazyFrame:
    # Neither knows all that the other does.
    columns = {**dtypes(Answer), **dtypes(Told)}
    known = told.collect_schema().names()
    return told.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in known
    )


def _of_answers() -> list[pl.Expr]:
    # What a row gives has neither merge nor message, and a base that may be younger than itself.
    is_given = pl.col("change").is_not_null()
    latest = pl.max_horizontal("merged_at", "merged_at_answered")
    is_github = pl.col("enriched_by") == "github"
    # GitHub knows which accounts are machines; names and branches betray others.
    is_bot = pl.col("is_bot_answered") & is_github
    return [
        pl.when(is_given).then("base_sha").otherwise("base_commit").alias("base_commit"),
        # An event says when the archive heard of it.
        pl.when(is_given)
        .then(latest)
        .when(is_github)
        .then(pl.coalesce("merged_at_answered", "merged_at"))
        .otherwise("merged_at")
        .alias("merged_at"),
        pl.when(is_bot).then(pl.lit(value=True)).otherwise("is_bot").alias("is_bot"),
        *(pl.coalesce(f"{name}_answered", name).alias(name) for name in PLACES),
    ]


def _linked_issues() -> pl.Expr:
    # The archive's words and git's may differ: a merge's message has the title alone.
    names = [name for told in ("title", "body") for name in (told, f"{told}_answered")]
    words = pl.concat_str(names, separator="\n", ignore_nulls=True)
    said = linked_issues(words, pl.col("repo"))
    closed = pl.col("issues").list.eval(pl.element().struct.field("number"))
    return said.list.set_union(closed.fill_null([])).list.sort()


def _answer(found: PullRequest) -> dict[str, Any]:
    return {
        "merge_commit": found.merge.commit.sha,
        "base_commit": found.merge.base,
        "merge_method": found.merge.method,
        "commits": found.commits,
        **_listed(found.files),
        **found.words._asdict(),
        "author": found.author,
        "is_bot": found.is_bot,
        "merged_at": found.committed_at,
    }


def _listed(files: list[ChangedFile]) -> dict[str, Any]:
    lines = [file for file in files if not file.is_binary]
    return {
        "files": [file._asdict() for file in files],
        "changed_files": len(files),
        "additions": sum(file.additions or 0 for file in lines),
        "deletions": sum(file.deletions or 0 for file in lines),
    }
