"""Recipes in the order in which they are tried: distinct ones only, with what was passed over."""

import polars as pl

from forge.columns import PULL_REQUEST
from forge.effect import OPEN

SPARE = 3
"""Drafts beyond the ranks, for those whose lock fails or that equal a better one."""
LONGEST = 500
PASSED_OVER = pl.Struct({"reader": pl.String, "reason": pl.String, "detail": pl.String})
IS_OPEN = pl.col("kind").eq_missing(pl.lit(OPEN))
IS_WHOLE = pl.col("kind").is_null() & pl.col("draft").is_not_null()


def lacking(tried: pl.LazyFrame, ranks: int) -> pl.LazyFrame:
    """Pull requests that have fewer distinct recipes than they may try."""
    distinct = pl.col("recipe_sha").filter(IS_WHOLE).n_unique()
    return tried.group_by(PULL_REQUEST).agg(recipes=distinct).filter(pl.col("recipes") < ranks)


def best(tried: pl.LazyFrame, ranks: int) -> pl.LazyFrame:
    """Recipes, ranked without gaps; one row without rank of who has none, or not yet all."""
    # A draft that equals a better one gives way to the next, and so does one without a lock.
    is_first = pl.int_range(pl.len()).over(*PULL_REQUEST, "recipe_sha", order_by="rank") == 0
    is_ready = IS_WHOLE & is_first & ~IS_OPEN.any().over(PULL_REQUEST)
    place = pl.col("rank").rank("dense").over(*PULL_REQUEST, "is_ready").cast(pl.Int64)
    first = pl.int_range(pl.len()).over(PULL_REQUEST, order_by=[~IS_OPEN, "rank"]) == 0
    ranked = tried.with_columns(is_ready=is_ready, is_told=first).with_columns(place=place)
    has_any = pl.col("is_ready").any().over(PULL_REQUEST)
    passed = ranked.filter(pl.col("draft").is_not_null() & ~pl.col("is_ready"))
    return (
        ranked.filter(
            (pl.col("is_ready") & (pl.col("place") <= ranks)) | (pl.col("is_told") & ~has_any)
        )
        .with_columns(rank=pl.when("is_ready").then("place"))
        .join(_passed_over(passed), on=PULL_REQUEST, how="left", maintain_order="left")
        .with_columns(pl.col("passed_over").fill_null(pl.lit([], pl.List(PASSED_OVER))))
        .with_columns(detail=pl.when("is_ready").then("detail").otherwise(_told()))
    )


def _passed_over(passed: pl.LazyFrame) -> pl.LazyFrame:
    reason = pl.coalesce("reason", pl.lit("equals_a_better_one"))
    words = pl.col("detail").str.slice(0, LONGEST)
    return (
        passed.sort("rank")
        .group_by(PULL_REQUEST, maintain_order=True)
        .agg(passed_over=pl.struct("reader", reason.alias("reason"), words.alias("detail")))
    )


def _told() -> pl.Expr:
    """The words of the best draft's failure, then all drafts by name with their reasons."""
    element = pl.element().struct
    named = pl.col("passed_over").list.eval(
        pl.format("{}: {}", element.field("reader"), element.field("reason"))
    )
    return pl.concat_str("detail", named.list.join("\n"), separator="\n", ignore_nulls=True)
