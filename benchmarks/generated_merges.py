"""Writes a `merges` table of any size, as the store would, without an archive.

Its ids are those of `tests/github_month.py`, which the loopback GitHub knows the answers to.
"""

from datetime import datetime
from pathlib import Path

import polars as pl

from forge.columns import dtypes
from forge.criteria import decide
from forge.freshness import blank
from forge.selection import Selection
from forge.stage import Stage
from forge.stages.hours import hours
from forge.stages.merges import merges
from forge.store import PART, Store, digest_of

FIRST_REPOSITORY, OWNERS = 1_000_000, 9_000
FIRST_PULL = 4_294_900_000
FIRST_DAY, SECONDS = datetime(2026, 3, 1), 31 * 86_400


def write_merges(root: Path, *, repositories: int, pull_requests: int) -> None:
    """Commit pull requests dealt out to repositories, of a month without any hour."""
    store = Store(root, "2026-03")
    _commit(store, hours, pl.LazyFrame(schema=dtypes(hours.schema)))
    _commit(store, merges, _rows(repositories, pull_requests))


def _rows(repositories: int, pull_requests: int) -> pl.LazyFrame:
    number = pl.int_range(pull_requests, dtype=pl.Int64)
    known = pl.select(n=number).lazy().with_columns(place=pl.col("n") % repositories)
    rows = known.select(
        repository_id=FIRST_REPOSITORY + pl.col("place"),
        number=pl.col("n") // repositories + 1,
        repo=pl.format("owner-{}/project-{}", pl.col("place") % OWNERS, "place"),
        pull_request_id=FIRST_PULL + pl.col("n"),
        merged_at=FIRST_DAY + pl.duration(seconds=pl.col("n") * 7_919 % SECONDS),
        merger=pl.format("person-{}", pl.col("n") % 5_000),
        head_sha=pl.col("n").hash().cast(pl.String).str.pad_end(40, "0"),
        base_ref=pl.lit("main"),
        is_bot=pl.col("n") % 4 == 0,
        source=pl.lit("archive"),
    )
    absent = {n: t for n, t in dtypes(merges.schema).items() if n not in rows.collect_schema()}
    nothing = [pl.lit(None, dtype).alias(name) for name, dtype in absent.items()]
    return rows.with_columns(nothing)


def _commit(store: Store, stage: Stage, rows: pl.LazyFrame) -> None:
    flags = {name: Selection(store.month).flag(name) for name in stage.flags}
    limits = stage.limits() if stage.limits else None
    draft = store.draft(stage, PART, rows.pipe(decide, {}))
    record = blank(store, stage, PART, limits, flags)
    record.digest, record.rows = digest_of(draft.kept), draft.counts["kept"]
    store.commit(stage.name, PART, draft, record)
