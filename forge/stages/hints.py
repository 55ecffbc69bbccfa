"""What people said of an issue before anybody began to mend it: SWE-bench's `hints_text`."""

import dataframely as dy
import polars as pl

from forge.columns import PULL_REQUEST, Decision, PullRequestKey, dtypes, moment, text
from forge.criteria import decide
from forge.effect import OPEN, Failure, Row, effect
from forge.rules.bots import IS_BOT
from forge.run import Run
from forge.services.github import GitHub
from forge.stage import Decided, stage
from forge.stages.candidates import Candidates
from forge.stages.pull_requests import PullRequests

ISSUES = 10
"""A pull request that closes more is asked about so many; each costs a list of comments."""
COMMENT = {
    "issue": dy.Int64(),
    "author": dy.String(nullable=True),
    "author_type": dy.String(nullable=True),
    "association": dy.String(),
    "body": dy.String(),
    "commented_at": dy.Datetime(time_unit="us"),
    "edited_at": dy.Datetime(time_unit="us", nullable=True),
    "is_minimized": dy.Bool(),
}
BEFORE = pl.min_horizontal("first_commit_at", "opened_at")


class Times(dy.Schema):
    """When the work on a pull request was begun, and shown."""

    opened_at = moment("when the pull request was opened, UTC; null: not told", nullable=True)
    first_commit_at = moment(
        "when its first commit was written, by its author date, UTC; null: not told", nullable=True
    )


class Discussion(Times):
    """What GitHub answers for a pull request and the issues that it closes."""

    found_issues = dy.List(dy.Int64(), description="those asked about that are issues, and there")
    comments = dy.List(dy.Struct(COMMENT), description="comments made before the first commit")
    is_cut = dy.Bool(description="whether an issue had more comments than are read")


class Hints(PullRequestKey, Times, Decision):
    """One row per candidate, whatever could be learned."""

    hints_text = text(
        "comments under the issues that it closes, made and last edited before its first commit "
        "and before it was opened; empty: nobody said anything; null: `hints_reason` says why",
        nullable=True,
    )
    hints_reason = dy.String(
        nullable=True,
        description="why there is no text: not_asked (git does not know), no_linked_issue, "
        "no_issue_found, no_first_commit, or the failure of the question",
    )
    comments = dy.List(
        dy.Struct({**COMMENT, "left_out": dy.String(nullable=True)}),
        nullable=True,
        description="those made before, by issue and time; left_out: why one is no hint: edited "
        "(since), minimized (by a maintainer), bot",
    )
    is_cut = dy.Bool(nullable=True, description="whether issues or comments were too many to read")

    @dy.rule()
    def has_text_or_reason(cls) -> pl.Expr:
        """What is unknown has its reason."""
        return pl.col("hints_text").is_null() == pl.col("hints_reason").is_not_null()


@effect(answers=Discussion, concurrency=1_000, seconds=4 * 3600)
async def read_hints(
    github: GitHub, *, repository_id: int, repo: str, number: int, issues: list[int]
) -> Row | Failure:
    """Comments made under issues before a pull request's first commit."""
    return await github.discussion(repository_id, repo, number, issues)


@stage
def hints(
    candidates: dy.LazyFrame[Candidates],
    pull_requests: dy.LazyFrame[PullRequests],
    *,
    run: Run,
    enrich: str,
) -> Decided[Hints]:
    facts = pull_requests.select(*PULL_REQUEST, "repo", "linked_issues", "enriched_by")
    rows = candidates.select(PULL_REQUEST).join(
        facts, on=PULL_REQUEST, how="left", maintain_order="left"
    )
    told = _told(rows, run, enrich)
    return (
        rows.join(told, on=PULL_REQUEST, how="left", maintain_order="left")
        .drop("comments")
        .join(_comments(told), on=PULL_REQUEST, how="left", maintain_order="left")
        .with_columns(
            hints_reason=_reason(),
            is_cut=pl.col("is_cut") | (pl.col("linked_issues").list.len() > ISSUES),
        )
        .with_columns(_where_told("hints_text", ""), _where_told("comments", []))
        # Hints are a gift: a question that has its answer, whatever it is, stops no candidate.
        .with_columns(kind=pl.when(pl.col("kind") == OPEN).then("kind"))
        .pipe(decide, {})
    )


def _told(rows: pl.LazyFrame, run: Run, enrich: str) -> pl.LazyFrame:
    """By key: what GitHub answers of those whose issues it can know."""
    if enrich != "github":
        named = {**dtypes(PullRequestKey), **dtypes(Discussion)}
        return pl.LazyFrame(schema={**named, "kind": pl.String, "reason": pl.String})
    is_asked = (pl.col("enriched_by") == "github") & (pl.col("linked_issues").list.len() > 0)
    issues = pl.col("linked_issues").list.head(ISSUES)
    return run.ask(rows.filter(is_asked).with_columns(issues=issues), read_hints)


def _comments(told: pl.LazyFrame) -> pl.LazyFrame:
    """By key: every comment with why it is no hint, and the words of those that are."""
    is_hint = pl.col("left_out").is_null()
    return (
        told.filter(pl.col("comments").list.len() > 0)
        .select(*PULL_REQUEST, "comments", before=BEFORE, head_ref=pl.lit(None, pl.String))
        .explode("comments")
        .unnest("comments")
        .with_columns(left_out=_left_out())
        .sort("issue", "commented_at", maintain_order=True)
        .group_by(PULL_REQUEST)
        .agg(
            comments=pl.struct(*COMMENT, "left_out"),
            hints_text=pl.col("body").filter(is_hint).str.join("\n"),
        )
    )


def _where_told(name: str, nothing: object) -> pl.Expr:
    is_told = pl.col("hints_reason").is_null()
    return pl.when(is_told).then(pl.col(name).fill_null(nothing)).alias(name)


def _left_out() -> pl.Expr:
    return (
        # An edit may tell what the fix came to.
        pl.when(pl.col("edited_at") >= pl.col("before"))
        .then(pl.lit("edited"))
        # Maintainers found it of no use: spam, off topic, outdated.
        .when(pl.col("is_minimized"))
        .then(pl.lit("minimized"))
        # Machines greet, count days and coverage; they know nothing that a person could need.
        .when(IS_BOT)
        .then(pl.lit("bot"))
    )


def _reason() -> pl.Expr:
    return (
        pl.when(pl.col("enriched_by") != "github")
        .then(pl.lit("not_asked"))
        .when(pl.col("linked_issues").list.len() == 0)
        .then(pl.lit("no_linked_issue"))
        .when(pl.col("kind").is_not_null())
        .then("reason")
        .when(pl.col("found_issues").list.len() == 0)
        .then(pl.lit("no_issue_found"))
        .when(pl.col("first_commit_at").is_null())
        .then(pl.lit("no_first_commit"))
    )
