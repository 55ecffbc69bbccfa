"""Repositories that had merges: their family, their licence, their default branch."""

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import RepositoryKey, dtypes, moment
from forge.criteria import Criteria, decide, tolerant
from forge.effect import OPEN, Failure, Row, effect
from forge.rules.bounds import bound, is_excluded_repository
from forge.run import Run
from forge.selection import Exclusions
from forge.services.git import Failed, Git
from forge.services.github import GitHub
from forge.stage import Decided, StageLimits, stage
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


class Facts(dy.Schema):
    """What GitHub alone knows of a repository, as of the month."""

    stars = dy.Int64(nullable=True, description="stargazers; git does not know them")
    is_archived = dy.Bool(nullable=True, description="whether it is read-only; git does not know")
    is_disabled = dy.Bool(nullable=True, description="whether GitHub closed it; git does not know")
    created_at = moment("when it was made, UTC; git does not know", nullable=True)
    pushed_at = moment("when it was last pushed to, UTC; git does not know", nullable=True)
    primary_language = dy.String(
        nullable=True, description="language of most of its code, by GitHub; git does not know"
    )


class Contents(dy.Schema):
    """What GitHub says a repository holds, asked of those alone that pass."""

    languages = dy.List(
        dy.Struct({"name": dy.String(), "bytes": dy.Int64()}),
        nullable=True,
        description="languages by bytes, the most first, 100 at most; null where GitHub did not "
        "tell; git does not know",
    )
    topics = dy.List(
        dy.String(),
        nullable=True,
        description="topics, 20 at most; null where GitHub did not tell; git does not know",
    )


class Profile(Facts):
    """What GitHub answers of a repository."""

    canonical = dy.String(description="owner/name by now")
    fork_root_id = dy.Int64(description="id of the last of its ancestors that is to be seen")
    default_branch = dy.String(nullable=True, description="branch that HEAD names")
    licence = dy.String(nullable=True, description="SPDX id; null where unsure")


class Repositories(RepositoryKey, Contents, Facts):
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
    licence = dy.String(nullable=True, description="SPDX id as GitHub spells it; null where unsure")
    licence_source = dy.String(nullable=True, description="file, github, or null without a licence")


class Limits(StageLimits):
    """What is worth asking about; `--enrich git` knows little of it, and lets the rest pass."""

    stars: int = Field(10, description="fewest stars; unknown stars pass")
    archived: bool = Field(default=True, description="whether archived repositories pass")
    needs_licence: bool = Field(
        default=True, description="whether one without a licence that GitHub knows is out"
    )


def criteria(limits: Limits) -> Criteria:
    # A licence that git does not find may still be one: candidates judge it.
    is_licensed = pl.col("licence").is_not_null() | (pl.col("asked") != "github")
    return {
        "is_not_excluded": ~pl.col("is_excluded"),
        "has_stars": tolerant(pl.col("stars") >= limits.stars),
        "is_active": tolerant(~pl.col("is_archived") | limits.archived),
        "has_licence": tolerant(is_licensed | (not limits.needs_licence)),
    }


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


@effect(answers=Profile, concurrency=2_000, seconds=4 * 3600)
async def profile_repository(
    github: GitHub,
    *,
    repository_id: int,
    repo: str,
    month: str,  # noqa: ARG001 - the age of the answer
) -> Row | Failure:
    """Name, family, stars, licence, branch; the month stands for the age of the answer."""
    return await github.repository(repository_id, repo)


@effect(answers=Contents, concurrency=1_000, seconds=4 * 3600)
async def list_languages(
    github: GitHub,
    *,
    repository_id: int,
    repo: str,
    month: str,  # noqa: ARG001 - the age of the answer
) -> Row | Failure:
    """Languages and topics; the month stands for the age of the answer."""
    return await github.contents(repository_id, repo)


@stage
def repositories(
    merges: dy.LazyFrame[Merges],
    *,
    run: Run,
    month: str,
    chosen: tuple[str, ...],
    sample: float | None,
    exclude: Exclusions,
    enrich: str,
    limits: Limits,
) -> Decided[Repositories]:
    named = (
        merges.sort("merged_at", nulls_last=False)
        .group_by("repository_id")
        .agg(pl.col("repo").last())
        .with_columns(bound=bound(chosen, sample), is_excluded=is_excluded_repository(exclude))
    )
    wanted = named.filter(pl.col("bound").is_null(), ~pl.col("is_excluded"))
    known = (_of_github if enrich == "github" else _of_git)(
        run, wanted.with_columns(month=pl.lit(month))
    )
    described = named.join(known, on="repository_id", how="left").with_columns(
        pl.coalesce("fork_root_id", "repository_id"),
        pl.col("fork_root_source").fill_null("none"),
        repo=pl.coalesce("canonical", "repo"),
    )
    if enrich == "github":
        passing = described.pipe(decide, criteria(limits)).filter(pl.col("fate") == "kept")
        described = _with_contents(run, described, passing.with_columns(month=pl.lit(month)))
    return described.pipe(decide, criteria(limits))


def _of_github(run: Run, wanted: pl.LazyFrame) -> pl.LazyFrame:
    has_licence, source = pl.col("licence").is_not_null(), pl.lit("github")
    return run.ask(wanted, profile_repository).with_columns(
        asked=source,
        fork_root_source=source,
        licence_source=pl.when(has_licence).then(source),
    )


def _with_contents(run: Run, described: pl.LazyFrame, passing: pl.LazyFrame) -> pl.LazyFrame:
    """Those that pass with what they hold; what GitHub does not tell of one stays null."""
    fates = ("kind", "reason", "detail")
    told = run.ask(passing, list_languages).rename({name: f"{name}_told" for name in fates})
    is_open = pl.col("kind_told") == OPEN
    return described.join(told, on="repository_id", how="left").with_columns(
        pl.coalesce(name, pl.when(is_open).then(f"{name}_told")) for name in fates
    )


def _of_git(run: Run, wanted: pl.LazyFrame) -> pl.LazyFrame:
    described = run.ask(wanted, describe_repository)
    families = _families(described)
    return described.join(families, on="repository_id", how="left").with_columns(
        *_what_git_knows_not(), asked=pl.lit("git"), canonical=pl.lit(None, pl.String)
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
        *(pl.lit(None, d).alias(name) for s in (Facts, Contents) for name, d in dtypes(s).items()),
    ]
