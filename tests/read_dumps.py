"""An hour's content as forge reads it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from forge.dumps import Counts, read_dump
from forge.events import ISSUES, PULL_REQUESTS, Events

HOUR = datetime(2026, 3, 1, 5)
BOTH = (PULL_REQUESTS, ISSUES)


def read(
    folder: Path, content: bytes, types: tuple[str, ...] = (PULL_REQUESTS,)
) -> tuple[Counts, pl.DataFrame]:
    """Counts and rows of a gzip file."""
    dump, events = folder / "dump", folder / "events"
    dump.write_bytes(content)
    counts = read_dump(dump, hour=HOUR, events=events, types=types)
    rows = pl.read_parquet(events)
    assert Events.is_valid(rows)
    return counts, rows


def counted(counts: Counts) -> tuple[Any, ...]:
    """What an hour's content is counted as."""
    return counts.lines, counts.bad_lines, counts.pull_request_events, counts.merges, counts.damage
