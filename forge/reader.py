"""Tables for notebooks: what is read is what was committed, even while a build writes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from forge.errors import InputError

TRIES = 5


def scan(table: str, *, month: str, root: Path | str = "data") -> pl.LazyFrame:
    """The rows of a table for one month; InputError where it was never built."""

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        with _parts(table, month, Path(root)) as files:
            chosen = pl.scan_parquet(files)
            chosen = chosen if predicate is None else chosen.filter(predicate)
            chosen = chosen if columns is None else chosen.select(columns)
            chosen = chosen if rows is None else chosen.head(rows)
            yield from chosen.collect_batches(chunk_size=size, maintain_order=True)

    with _parts(table, month, Path(root)) as files:
        schema = pl.scan_parquet(files).collect_schema()
    return register_io_source(batches, schema=schema)


@contextmanager
def _parts(table: str, month: str, root: Path) -> Iterator[list[str]]:
    with held(root / table / f"month={month}") as files:
        if not files:  # no folder, or one that a build left before its first part
            raise InputError(
                f"no table {table} of {month} in {root}\n`forge status` says what there is"
            )
        yield files


@contextmanager
def held(folder: Path) -> Iterator[list[str]]:
    """Addresses of a folder's parts as they are now, good until the block ends.

    A part that is replaced while it is read keeps its content for those who hold it open; a reader
    that opens it by name, as Polars does twice, would mix two commits.
    """
    handles = _opened(folder)
    try:
        yield [f"/dev/fd/{handle}" for handle in handles]
    finally:
        for handle in handles:
            os.close(handle)


def _opened(folder: Path) -> list[int]:
    for _ in range(TRIES):
        handles: list[int] = []
        try:
            handles.extend(os.open(path, os.O_RDONLY) for path in sorted(folder.glob("*.parquet")))
        except FileNotFoundError:  # a part was dropped between its listing and its opening
            for handle in handles:
                os.close(handle)
            time.sleep(0.05)
        else:
            return handles
    raise InputError(f"{folder} changes faster than it can be read\nread it when the build is done")
