"""Merged pull requests: from the archive, from a repository's own history, or named by the user."""

from datetime import datetime
from typing import Any

import dataframely as dy
import polars as pl

from forge import listed
from forge.columns import PULL_REQUEST, PullRequestKey, dtypes, moment, text
from forge.criteria import decide
from forge.found import Found
from forge.rules.bots import IS_BOT
from forge.rules.identity import derived_id
from forge.run import Held, Run
from forge.selection import Named
from forge.services.git_addresses import repo_of
from forge.stage import Decided, stage
from forge.stages.hours import Hours
from forge.walk import walk_merges


class Merges(PullRequestKey):
    """One row per merged pull request."""

    repo = dy.String(description="owner/name as of the merge")
    merged_at = moment(
        "when it was merged, UTC; of rows with their patches, when it was opened; null for a pool",
        nullable=True,
    )
    merger = dy.String(nullable=True, description="who merged it, often a machine")
    author = dy.String(nullable=True, description="who opened it, where an event held says so")
    is_bot = dy.Bool(
        nullable=True, description="whether a machine wrote it, by author, else by branch"
    )
    title = dy.String(nullable=True, description="title, where the source gives it")
    body = text("description, where the source gives it", nullable=True)
    head_sha = dy.String(nullable=True, description="last commit of the pull request")
    head_ref = dy.String(nullable=True, description="branch it came from")
    base_ref = dy.String(nullable=True, description="branch it went into")
    base_sha = dy.String(
        nullable=True, description="tip of that branch as the source has it, not the merge base"
    )
    merge_commit = dy.String(nullable=True, description="commit that brought it in, where known")
    pull_request_id = dy.Int64(
        nullable=True, description="GitHub's id of the pull request, where the source gives it"
    )
    change = text("the diff itself, where a row gives it", nullable=True)
    source = dy.String(
        regex="^(archive|git|pool|rows|search|repositories|code_search)$",
        description="where the row comes from; archive wherever an hour held tells of the merge, "
        "which GitHub then completes: an event that says little has the rest from there",
    )


@stage
def merges(
    hours: dy.LazyFrame[Hours],
    *,
    run: Run,
    month: str,
    walk_window: tuple[int, ...] | None,
    source: str,
    git_source: str | None,
    query: str,
    walked: tuple[str, ...],
    named: tuple[Named, ...],
) -> Decided[Merges]:
    if source == "git":
        found = _walked(run, month, git_source or "")
    elif named:
        found = _named(named)
    elif source in {"repositories", "code-search"}:
        is_named = source == "repositories"
        repositories = listed.named(walked) if is_named else listed.sought(run, query, month)
        found = _listed(run, repositories, source, listed.hours_wanted(month, walk_window))
    else:
        files = {"found": Held(hours, Found)}
        found = run.sql("merges", files, source=source, hours=None)
    return found.pipe(_completed).with_columns(is_bot=IS_BOT).pipe(decide, {})


def _listed(
    run: Run, repositories: pl.LazyFrame, source: str, hours: list[datetime]
) -> pl.LazyFrame:
    """Merges of the hours held, and of those repositories; the fate of what is not to be listed."""
    walks = listed.walked(run, repositories, hours)
    known = {"source": source.replace("-", "_"), "hours": hours}
    merges = run.sql("merges", {"found": Held(walks, Found)}, **known)
    failed = [
        rows.filter(pl.col("kind").is_not_null()).select(
            "repository_id", "kind", "reason", "detail"
        )
        for rows in (repositories, walks)
    ]
    return pl.concat([merges, *failed], how="diagonal")


def _walked(run: Run, month: str, address: str) -> pl.LazyFrame:
    repo = repo_of(address)
    question = pl.LazyFrame(
        [{"repository_id": derived_id(repo), "month": month, "as_of": run.now, "repo": repo}],
        schema_overrides={"as_of": pl.Datetime("us")},
    )
    walked = run.ask(question, walk_merges).explode("walked").unnest("walked")
    # A failure has no pull request, but is a fate all the same.
    return walked.filter(
        pl.col("number").is_not_null() | pl.col("kind").is_not_null()
    ).with_columns(repo=pl.lit(repo), source=pl.lit("git"))


def _named(named: tuple[Named, ...]) -> pl.LazyFrame:
    rows = [_row(pull_request) for pull_request in named]
    return pl.LazyFrame(rows, schema=dtypes(Merges)).unique(
        PULL_REQUEST, keep="first", maintain_order=True
    )


def _row(named: Named) -> dict[str, Any]:
    return {
        "repository_id": derived_id(named.repo),
        "repo": named.repo,
        "number": named.number,
        "title": named.title,
        "body": named.body,
        "merged_at": named.created_at,
        "base_sha": named.base_commit,
        "change": named.change,
        "source": "rows" if named.base_commit else "pool",
    }


def _completed(found: pl.LazyFrame) -> pl.LazyFrame:
    # What a source cannot know is null.
    columns = dtypes(Merges) | {"author_type": pl.String}
    known = found.collect_schema().names()
    return found.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in known
    )
