"""Tests that an attempt lists and the probe did not, though it did list their files."""

from collections.abc import Callable
from functools import cache

import polars as pl

from forge.artifacts import Artifacts
from forge.effect import Row


def unlisted(artifacts: Artifacts) -> pl.Expr:
    """How many there are, by the columns `tests` and `listed`; null where either is."""

    @cache
    def listed(name: str) -> frozenset[str]:
        return frozenset(artifacts.path(name).read_text(encoding="utf-8").split("\n"))

    def counted(rows: pl.Series) -> pl.Series:
        return pl.Series([_count(row, listed) for row in rows], dtype=pl.Int64)

    return pl.struct("tests", "listed").map_batches(counted, return_dtype=pl.Int64)


def _count(row: Row, listed: Callable[[str], frozenset[str]]) -> int | None:
    if row["tests"] is None or row["listed"] is None:
        return None
    known = listed(row["listed"])
    files = {name.partition("::")[0] for name in known}
    ids = (test["id"] for test in row["tests"])
    return sum(not _is_listed(name, known) and name.partition("::")[0] in files for name in ids)


def _is_listed(name: str, known: frozenset[str]) -> bool:
    # Go lists tests, but not the subtests that they make when they run.
    path, _, test = name.partition("::")
    return name in known or f"{path}::{test.partition('/')[0]}" in known
