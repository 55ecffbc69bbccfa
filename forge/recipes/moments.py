"""Moments as of which locks are resolved."""

import polars as pl


def span_start(days: int) -> pl.Expr:
    """The start of the span of so many days, counted from 1970, that holds `merged_at`.

    >>> from datetime import datetime
    >>> merged = pl.DataFrame({"merged_at": [datetime(2025, 12, 9, 8)]}).with_columns(
    ...     pl.col("merged_at").cast(pl.Datetime("us"))
    ... )
    >>> [merged.select(span_start(days)).item() for days in (7, 0)]
    [datetime.datetime(2025, 12, 4, 0, 0), datetime.datetime(2025, 12, 9, 8, 0)]
    """
    merged_at = pl.col("merged_at")
    if days == 0:
        return merged_at
    day = merged_at.dt.epoch("d") // days * days
    return day.cast(pl.Int32).cast(pl.Date).cast(pl.Datetime("us"))


def for_uv(moment: str) -> pl.Expr:
    """A column's times as uv reads them."""
    return pl.col(moment).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
