"""Exported tasks, read again from the file that they were written to."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from forge.errors import InputError

READERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    ".jsonl": pl.scan_ndjson,
}


def read_tasks(file: Path) -> pl.LazyFrame:
    """The rows of a .parquet or .jsonl file that names instances."""
    reader = READERS.get(file.suffix)
    if reader is None:
        raise InputError(f"{file}: tasks are read from .parquet or .jsonl\nname such a file")
    try:
        rows = reader(file)
        columns = rows.collect_schema().names()
    except (OSError, pl.exceptions.PolarsError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"{file} cannot be read: {first}\nname an exported file") from None
    if "instance_id" not in columns:
        raise InputError(f"{file} has no column instance_id\nname an exported file")
    return rows
