"""Repositories that had merges: their family, their licence, their default branch."""

import dataframely as dy
import polars as pl

from forge.columns import RepositoryKey
from forge.criteria import Criteria, decide
from forge.effect import Failure, Row, effect
from forge.rules.bounds import bound, is_excluded_repository
from forge.run import Run
from forge.selection import Exclusions
from forge.services.git import Failed, Git
from forge.stage import Decided, stage
from forge.stages.merges import Merges

ROUNDS = 4
"""Hops from repository to repository over shared roots; more than one is rare."""
ROOT_DIGITS = 15
"""Hexadecimal digits of a root commit that make a negative id: 60 bits."""


class Description(dy.Schema):
    """What git knows of a repository."""

    default_branch = dy.String(nullable=True, description="branch that HEAD names")
    licence = dy.String(nullable=True, description="SPDX id as GitHub spells it; null where unsure")
    roots = dy.List(dy.String(), description="commits of the default branch without parents")


class Repositories(RepositoryKey):
    """One row per repository that had merges, as of the build."""

    repo = dy.String(description="owner/name, canonical")
    fork_root_id = dy.Int64(
        description="GitHub's id of the fork root; negative: of the root commit of the family"
    )
    fork_root_source = dy.String(
        regex="^(github|root_commit|none)$",
        description="who says so: github, a shared root_commit, or none: it has no commit",
    )
    default_branch = dy.String(nullable=True, description="branch that HEAD names")
    stars = dy.Int64(nullable=True, description="stargazers; git does not know them")
    licence = dy.String(nullable=True, description="SPDX id as GitHub spells it; null where unsure")
    licence_source = dy.String(nullable=True, description="file, or null without a licence")
    is_archived = dy.Bool(nullable=True, description="whether it is read-only; git does not know")


def criteria() -> Criteria:
    return {"is_not_excluded": ~pl.col("is_excluded")}


@effect(answers=Description, concurrency=4, seconds=3600)
async def describe_repository(
    git: Git,
    *,
    repo: str,
    month: str,  # noqa: ARG001 - the age of the answer
) -> Row | Failure:
    """Default branch, licence and roots; the month stands for the age of the answer."""
    try:
        return (await git.describe(repo))._asdict()
    except Failed as failed:
        return failed.failure


@stage
def repositories(
    merges: dy.LazyFrame[Merges],
    *,
    run: Run,
    month: str,
    chosen: tuple[str, ...],
    sample: float | None,
    exclude: Exclusions,
) -> Decided[Repositories]:
    named = (
        merges.sort("merged_at", nulls_last=False)
        .group_by("repository_id")
        .agg(pl.col("repo").last())
        .with_columns(bound=bound(chosen, sample), is_excluded=is_excluded_repository(exclude))
    )
    wanted = named.filter(pl.col("bound").is_null(), ~pl.col("is_excluded"))
    described = run.ask(wanted.with_columns(month=pl.lit(month)), describe_repository)
    return (
        named.join(described, on="repository_id", how="left")
        .join(_families(described), on="repository_id", how="left")
        .with_columns(pl.coalesce("fork_root_id", "repository_id"))
        .with_columns(_what_git_knows_not())
        .pipe(decide, criteria())
    )


def _families(described: pl.LazyFrame) -> pl.LazyFrame:
    """The family by repository: those that share a root commit are one, named for the first.

    By the commit and not by a member, because members are seen only where they are fetched, and
    the name decides the split.
    """
    rows = described.select("repository_id", root="roots").explode("root").drop_nulls()
    rows = rows.with_columns(first="root")
    for _ in range(ROUNDS):
        rows = rows.with_columns(first=pl.col("first").min().over("repository_id"))
        rows = rows.with_columns(first=pl.col("first").min().over("root"))
    name = -pl.col("first").str.head(ROOT_DIGITS).str.to_integer(base=16)
    return rows.select("repository_id", fork_root_id=name).unique("repository_id")


def _what_git_knows_not() -> list[pl.Expr]:
    has_root = pl.col("roots").list.len() > 0
    return [
        pl.when(has_root)
        .then(pl.lit("root_commit"))
        .otherwise(pl.lit("none"))
        .alias("fork_root_source"),
        pl.when(pl.col("licence").is_not_null()).then(pl.lit("file")).alias("licence_source"),
        pl.lit(None, pl.Int64).alias("stars"),
        pl.lit(None, pl.Boolean).alias("is_archived"),
    ]
