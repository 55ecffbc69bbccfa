"""Merges of repositories as GitHub lists them, and repositories found by a file that they hold."""

from datetime import datetime, timedelta

import dataframely as dy
import polars as pl

from forge.columns import artifact
from forge.effect import Failure, Row, effect
from forge.rules.identity import derived_id
from forge.run import Run
from forge.selection import hours_of
from forge.services.github import GitHub


class Walked(dy.Schema):
    """What a repository merged within a window."""

    found_merges = dy.Int64(description="merges within it")
    found = artifact("Parquet file of these merges", nullable=True)


class Sought(dy.Schema):
    """Which repositories hold a file."""

    repositories = dy.List(
        dy.Struct({"repository_id": dy.Int64(), "repo": dy.String()}),
        description="public repositories of the files that are listed",
    )
    files = dy.Int64(description="files that GitHub counts")
    listed_files = dy.Int64(description="files that it lists")
    is_whole = dy.Bool(description="whether these are all, as far as GitHub knows")


@effect(answers=Walked, concurrency=20, seconds=4 * 3600)
async def walk_repository(
    github: GitHub,
    *,
    repo: str,
    since: datetime,
    until: datetime,
    as_of: datetime | None,  # noqa: ARG001 - the age of the answer
) -> Row | Failure:
    """List what a repository merged within a window; `as_of` where it is not over."""
    return await github.walks.repository(repo, since, until)


@effect(answers=Sought, seconds=24 * 3600)
async def find_repositories(
    github: GitHub,
    *,
    query: str,
    month: str,  # noqa: ARG001 - the age of the answer
) -> Row | Failure:
    """Find repositories by their code; the month stands for the age of the answer."""
    return await github.code.repositories(query)


def hours_wanted(month: str, window: tuple[int, ...] | None) -> list[datetime]:
    """The hours of a month that the user wants."""
    hours = hours_of(month)
    return hours if window is None else [hours[n] for n in window if n < len(hours)]


def named(repos: tuple[str, ...]) -> pl.LazyFrame:
    """Repositories that the user names, by ids of forge's own until GitHub tells theirs."""
    rows = [{"repository_id": derived_id(repo), "repo": repo} for repo in repos]
    told = dict.fromkeys(("repo", "kind", "reason", "detail"), pl.String)
    return pl.LazyFrame(rows, schema={"repository_id": pl.Int64, **told})


def sought(run: Run, query: str, month: str) -> pl.LazyFrame:
    """Repositories that a search for code finds, and a row that says what it left out, if so."""
    question = pl.LazyFrame([{"repository_id": derived_id(query), "query": query, "month": month}])
    answer = run.ask(question, find_repositories)
    counts = (pl.col("listed_files"), pl.col("files"))
    told = pl.format("GitHub's search lists {} of {} files, or ran out of time", *counts)
    is_cut = pl.col("kind").is_null() & ~pl.col("is_whole")
    left_out = answer.select(
        "repository_id",
        pl.when(is_cut).then(pl.lit("data")).otherwise("kind").alias("kind"),
        pl.when(is_cut).then(pl.lit("search_cut")).otherwise("reason").alias("reason"),
        pl.when(is_cut).then(told).otherwise("detail").alias("detail"),
    ).filter(pl.col("kind").is_not_null())
    held = answer.select(pl.col("repositories").explode().drop_nulls()).unnest("repositories")
    return pl.concat([held, left_out], how="diagonal")


def walked(run: Run, repositories: pl.LazyFrame, hours: list[datetime]) -> pl.LazyFrame:
    """Repositories with the file of what they merged between the first and the last hour."""
    is_known = pl.col("repo").is_not_null() & pl.lit(hours[0] < run.now)
    until = hours[-1] + timedelta(hours=1)
    if until > run.now:
        run.failures["pending"] = 1  # the hours go on, and the next build asks for more of them
    questions = repositories.filter(is_known).with_columns(
        since=pl.lit(hours[0], pl.Datetime("us")),
        until=pl.lit(until, pl.Datetime("us")),
        as_of=pl.lit(run.now if until > run.now else None, pl.Datetime("us")),
    )
    return run.ask(questions, walk_repository)
