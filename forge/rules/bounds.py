"""Which repositories the user's limits leave for later, and which are never to be touched."""

from collections.abc import Sequence

import polars as pl

from forge.selection import Exclusions
from forge.slices import in_sample


def bound(repositories: Sequence[str], sample: float | None) -> pl.Expr:
    """The name of the limit beyond which a row's repository lies; null within all of them."""
    beyond = pl.lit(None, pl.String)
    if sample is not None:
        is_beyond = ~in_sample(pl.col("repository_id"), sample)
        beyond = pl.when(is_beyond).then(pl.lit("sample")).otherwise(beyond)
    if repositories:
        names = [name.lower() for name in repositories]
        is_beyond = ~pl.col("repo").str.to_lowercase().is_in(names)
        beyond = pl.when(is_beyond).then(pl.lit("repositories")).otherwise(beyond)
    return beyond


def is_excluded_repository(exclude: Exclusions) -> pl.Expr:
    """Whether the user wants a row's repository never to be touched."""
    return pl.col("repo").str.to_lowercase().is_in(sorted(exclude.repositories))


def is_excluded(exclude: Exclusions) -> pl.Expr:
    """Whether the user excludes a row's repository, pull request or author."""
    repo = pl.col("repo").str.to_lowercase()
    named = pl.format("{}#{}", repo, pl.col("number")).is_in(sorted(exclude.pull_requests))
    written = pl.col("author").str.to_lowercase().is_in(sorted(exclude.authors))
    return is_excluded_repository(exclude) | named | written.fill_null(value=False)
