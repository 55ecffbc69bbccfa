"""Which of a candidate's recipes is used: they are ranked, and not all of them were built."""

import polars as pl

from forge.columns import PULL_REQUEST


def tested_with(recipes: pl.LazyFrame, environments: pl.LazyFrame) -> pl.LazyFrame:
    """Of each candidate the recipe that its tests run with: the first built that lacks least."""
    lacks = pl.col("missing_modules").list.len()
    built = environments.filter("is_built").select("recipe_sha", lacks=lacks)
    ranked = recipes.join(built, on="recipe_sha").sort("lacks", "rank")
    return ranked.unique(PULL_REQUEST, keep="first").drop("lacks")
