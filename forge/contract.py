"""What every table keeps: its key names one row, and no row disappears in silence."""

from pathlib import Path

import polars as pl

from forge.columns import key_of
from forge.errors import ContractError
from forge.stage import Stage

A_BUG = "nothing was committed; this is a bug in forge: please report it"


def check_key(path: Path, stage: Stage) -> int:
    """Rows of a file in the order of its key; raises ContractError where two rows share one."""
    key = key_of(stage.schema)
    keys = pl.scan_parquet(path).select(key).collect()
    twice = keys.filter(_equals_last(key)).head(3)
    if not twice.is_empty():
        raise ContractError(
            f"{stage.name}: {twice.rows()} occur more than once\n"
            f"{', '.join(key)} should name one row; {A_BUG}"
        )
    return keys.height


def is_in_order(path: Path, key: list[str]) -> bool:
    """Whether no row of a file has a smaller key than the row before it."""
    is_less = pl.lit(value=False)
    for name in reversed(key):
        last = pl.col(name).shift()
        is_less = (pl.col(name) < last) | ((pl.col(name) == last) & is_less)
    return not pl.scan_parquet(path).select(key).collect().select(is_less.any()).item()


def _equals_last(key: list[str]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in key)


def check_law(
    stage: Stage, upstream: list[pl.LazyFrame], kept: Path, rejected: Path | None
) -> None:
    """Raise ContractError unless rows in = kept + rejected + open + deferred, by their keys."""
    if not rejected or not stage.parents:
        return
    key = key_of(stage.parents)
    if not set(key) <= set(pl.scan_parquet(rejected).collect_schema().names()):
        return
    parents = upstream[0].select(key)
    fates = [pl.scan_parquet(path).select(key) for path in (kept, rejected)]
    _refuse(stage, "lost", parents.join(pl.concat(fates), on=key, how="anti"))
    _refuse(stage, "invented", pl.concat(fates).join(parents, on=key, how="anti"))
    if key == key_of(stage.schema):
        _refuse(stage, "kept and rejected", fates[0].join(fates[1], on=key, how="semi"))


def _refuse(stage: Stage, what: str, rows: pl.LazyFrame) -> None:
    some = rows.head(3).collect()
    if not some.is_empty():
        raise ContractError(
            f"{stage.name} {what} rows such as {some.rows()}\n"
            f"rows in should be kept + rejected + open + deferred; {A_BUG}"
        )
