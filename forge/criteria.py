"""Wishes for rows, and the fate of every row under them.

A decided frame carries four columns beside its table's own: `fate` (kept, rejected, open or
deferred), `reasons` (names of all missed criteria), `detail` (a failure's own words) and `unknown`
(tolerant criteria without a value). `store` parts the rows by their fate.
"""

from typing import NamedTuple

import polars as pl

from forge.effect import OPEN

FATES = ("kept", "rejected", "open", "deferred")


class Tolerant(NamedTuple):
    """A criterion that keeps the row when its value is unknown."""

    criterion: pl.Expr


Criteria = dict[str, pl.Expr | Tolerant]


def tolerant(criterion: pl.Expr) -> Tolerant:
    """Keep rows for which the criterion is null, and name it in their `unknown`."""
    return Tolerant(criterion)


def decide(lf: pl.LazyFrame, criteria: Criteria) -> pl.LazyFrame:
    """Every row of `lf` with its fate.

    Columns that `lf` may bring along: `kind`, `reason` and `detail` as `run.ask` gives them (a
    failure stops its row), and `bound`, the name of the user's limit beyond which the row lies.
    """
    columns = lf.collect_schema().names()
    failed = pl.col("kind").is_not_null() if "kind" in columns else pl.lit(value=False)
    is_open = (
        pl.col("kind").eq(OPEN).fill_null(value=False) if "kind" in columns else pl.lit(value=False)
    )
    bound = pl.col("bound") if "bound" in columns else pl.lit(None, pl.String)
    missed = (
        pl.when(failed)
        .then(_listed([_failure(columns)]))
        .otherwise(_listed([*map(_missed, criteria.items())]))
    )
    reasons = pl.when(bound.is_null()).then(missed).otherwise(_listed([bound]))
    return lf.with_columns(
        reasons=reasons,
        detail=pl.col("detail") if "detail" in columns else pl.lit(None, pl.String),
        unknown=_listed([*map(_unknown, criteria.items())]),
        fate=pl.when(bound.is_not_null())
        .then(pl.lit("deferred"))
        .when(is_open)
        .then(pl.lit("open"))
        .when(reasons.list.len() > 0)
        .then(pl.lit("rejected"))
        .otherwise(pl.lit("kept")),
    )


def _failure(columns: list[str]) -> pl.Expr:
    return pl.col("reason") if "reason" in columns else pl.lit(None, pl.String)


def _missed(named: tuple[str, pl.Expr | Tolerant]) -> pl.Expr:
    name, criterion = named
    if isinstance(criterion, Tolerant):
        return pl.when(~criterion.criterion).then(pl.lit(name))
    return (
        pl.when(criterion.is_null())
        .then(pl.lit(f"{name}:unknown"))
        .when(~criterion)
        .then(pl.lit(name))
    )


def _unknown(named: tuple[str, pl.Expr | Tolerant]) -> pl.Expr:
    name, criterion = named
    if isinstance(criterion, Tolerant):
        return pl.when(criterion.criterion.is_null()).then(pl.lit(name))
    return pl.lit(None, pl.String)


def _listed(names: list[pl.Expr]) -> pl.Expr:
    if not names:
        return pl.lit([], pl.List(pl.String))
    return pl.concat_list(names).list.drop_nulls()
