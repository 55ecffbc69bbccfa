"""Two statements and their way to attempts, without an engine; the oracle counts its questions."""

import dataframely as dy
import polars as pl
from toys import double

from forge.columns import KEY, PullRequestKey
from forge.stage import StageLimits, stage

KEYS = ["repository_id", "number"]


class Statements(PullRequestKey):
    """One row per statement."""

    repo = dy.String(description="owner/name")


class Recipes(PullRequestKey):
    """One row per candidate and recipe."""

    rank = dy.Int64(metadata=KEY, description="1: first")
    recipe_sha = dy.String(description="names it")
    recipe = dy.String(description="JSON")


class Environments(dy.Schema):
    """One row per recipe."""

    recipe_sha = dy.String(metadata=KEY, description="names it")
    is_built = dy.Bool(description="whether it is")
    image = dy.String(nullable=True, description="tag")


class Attempts(PullRequestKey):
    """One row per attempt."""

    side = dy.String(metadata=KEY, description="before or after")
    attempt = dy.Int64(metadata=KEY, description="from 1")
    twice = dy.Int64(description="what the oracle said")


class Limits(StageLimits):
    survivors: int = 3
    would_be_tasks: int = 10
    dependences: bool = True


@stage
def statements() -> dy.LazyFrame[Statements]:
    rows = {"repository_id": [1, 1], "number": [4, 5], "repo": ["a/b", "a/b"]}
    return pl.LazyFrame(rows).pipe(Statements.cast)


@stage(by="bucket")
def recipes(
    statements: dy.LazyFrame[Statements], *, hand_recipes: dict[str, str]
) -> dy.LazyFrame[Recipes]:
    text = pl.lit(hand_recipes.get("a__b", "searched"))
    return statements.with_columns(rank=1, recipe=text, recipe_sha=text).pipe(Recipes.cast)


@stage(by="bucket")
def environments(recipes: dy.LazyFrame[Recipes]) -> dy.LazyFrame[Environments]:
    return (
        recipes.unique("recipe_sha")
        .with_columns(is_built=False, image=None)
        .pipe(Environments.cast)
    )


@stage(by="bucket")
def attempts(
    statements: dy.LazyFrame[Statements],
    environments: dy.LazyFrame[Environments],  # noqa: ARG001 - built before they are asked
    *,
    run: object,
    limits: Limits,
) -> dy.LazyFrame[Attempts]:
    numbers = pl.LazyFrame({"attempt": range(1, limits.survivors + 1)})
    rows = statements.join(numbers, how="cross").with_columns(side=pl.lit("before"), n="number")
    asked = run.ask(rows.select(*KEYS, "side", "attempt", "n"), double)
    return asked.drop_nulls("twice").pipe(Attempts.cast)
