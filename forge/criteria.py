"""Wishes for rows, and the fate of every row under them.

A decided frame carries four columns beside its table's own: `fate` (kept, rejected, open or
deferred), `reasons` (names of all missed criteria), `detail` (a failure's own words) and `unknown`
(tolerant criteria without a value). `store` parts the rows by their fate.
"""

from typing import Any, NamedTuple, cast

import dataframely as dy
import polars as pl

from forge.effect import OPEN

FATES = ("kept", "rejected", "open", "deferred")
BROUGHT = ("kind", "reason", "detail", "bound")


class Tolerant(NamedTuple):
    """A criterion that keeps the row when its value is unknown."""

    criterion: pl.Expr


Criteria = dict[str, pl.Expr | Tolerant]


def tolerant(criterion: pl.Expr) -> Tolerant:
    """Keep rows for which the criterion is null, and name it in their `unknown`."""
    return Tolerant(criterion)


def decide(lf: pl.LazyFrame, criteria: Criteria) -> dy.LazyFrame[Any]:
    """Every row of `lf` with its fate.

    Columns that `lf` may bring along: `kind`, `reason` and `detail` as `run.ask` gives them (a
    failure stops its row), and `bound`, the name of the user's limit beyond which the row lies.
    """
    known = lf.collect_schema().names()
    absent = [pl.lit(None, pl.String).alias(name) for name in BROUGHT if name not in known]
    decided = lf.with_columns(absent).with_columns(
        reasons=_reasons(criteria), unknown=_listed([*map(_unknown, criteria.items())])
    )
    return cast("dy.LazyFrame[Any]", decided.with_columns(fate=_fate()))


def hand_on(decided: pl.LazyFrame, table: str, opened: pl.DataFrame) -> pl.LazyFrame:
    """Rows that were decided without what an upstream table may still tell of them, left open.

    `opened` holds the columns of a key: of rows that the upstream table has to ask again.
    """
    marked = opened.lazy().with_columns(is_decided_early=True)
    is_early = pl.col("is_decided_early") & pl.col("fate").is_in(["kept", "rejected"])
    return (
        decided.join(marked, on=opened.columns, how="left", maintain_order="left")
        .with_columns(
            fate=pl.when(is_early).then(pl.lit(OPEN)).otherwise("fate"),
            reasons=pl.when(is_early).then(_listed([pl.lit(f"{table}_open")])).otherwise("reasons"),
        )
        .drop("is_decided_early")
    )


def _reasons(criteria: Criteria) -> pl.Expr:
    return (
        pl.when(pl.col("bound").is_not_null())
        .then(_listed([pl.col("bound")]))
        .when(pl.col("kind").is_not_null())
        .then(_listed([pl.col("reason")]))
        .otherwise(_listed([*map(_missed, criteria.items())]))
    )


def _fate() -> pl.Expr:
    is_rejected = pl.col("kind").is_not_null() | (pl.col("reasons").list.len() > 0)
    return (
        pl.when(pl.col("bound").is_not_null())
        .then(pl.lit("deferred"))
        .when(pl.col("kind") == OPEN)
        .then(pl.lit("open"))
        .when(is_rejected)
        .then(pl.lit("rejected"))
        .otherwise(pl.lit("kept"))
    )


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
