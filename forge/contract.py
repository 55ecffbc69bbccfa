"""What every table keeps: its key names one row, and no row disappears in silence."""

from pathlib import Path

import polars as pl

from forge.columns import key_of
from forge.errors import ContractError
from forge.stage import Stage

A_BUG = "nothing was committed; this is a bug in forge: please report it"


def check_key(path: Path, stage: Stage) -> None:
    """Raise ContractError where two rows of a file share the key of the stage's schema."""
    key = key_of(stage.schema)
    twice = pl.scan_parquet(path).group_by(key).len().filter(pl.col("len") > 1).head(3).collect()
    if not twice.is_empty():
        raise ContractError(
            f"{stage.name}: {twice.select(key).rows()} occur more than once\n"
            f"{', '.join(key)} should name one row; {A_BUG}"
        )


def check_law(
    stage: Stage, upstream: list[pl.LazyFrame], kept: Path, rejected: Path | None
) -> None:
    """Raise ContractError unless every parent is kept, rejected, open or deferred, and nobody else is."""
    if not rejected or not stage.parents:
        return
    key = key_of(stage.parents)
    fates = [pl.scan_parquet(kept), pl.scan_parquet(rejected)]
    if not set(key) <= set(fates[1].collect_schema().names()):
        return
    known = pl.concat([fate.select(key) for fate in fates])
    lost = upstream[0].select(key).join(known, on=key, how="anti").head(3).collect()
    invented = known.join(upstream[0].select(key), on=key, how="anti").head(3).collect()
    for what, rows in (("lost", lost), ("invented", invented)):
        if not rows.is_empty():
            raise ContractError(
                f"{stage.name} {what} rows such as {rows.rows()}\n"
                f"rows in should be kept + rejected + open + deferred; {A_BUG}"
            )
