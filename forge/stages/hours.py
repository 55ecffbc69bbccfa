"""Hours of GH Archive: what each held, and the events of its pull requests."""

from datetime import datetime

import dataframely as dy
import polars as pl

from forge.columns import KEY, artifact, moment
from forge.criteria import decide
from forge.effect import Failure, Row, effect
from forge.errors import UsageError
from forge.run import Run
from forge.selection import hours_of
from forge.services.archive import Archive
from forge.stage import Decided, stage


class Hour(dy.Schema):
    """An hour, UTC."""

    hour = moment("first moment of the hour, UTC", metadata=KEY)


class Dump(dy.Schema):
    """What a file of the archive holds."""

    status = dy.String(
        regex="^(ok|corrupt|missing|pending)$",
        description="ok; corrupt: the good lines before the break are kept; missing: the archive "
        "has a gap; pending: not fetched, or not published yet",
    )
    bytes = dy.Int64(nullable=True, description="size of the file as downloaded")
    raw_bytes = dy.Int64(nullable=True, description="size when decompressed")
    lines = dy.Int64(nullable=True, description="lines, bad ones included")
    bad_lines = dy.Int64(nullable=True, description="lines that are no event, or half of one")
    pull_request_events = dy.Int64(nullable=True, description="events of pull requests")
    merges = dy.Int64(nullable=True, description="events that say a pull request was merged")
    digest = dy.String(nullable=True, description="sha256 of the file as downloaded")
    events = artifact("Parquet file of the pull request events", nullable=True)


class Answer(Dump):
    """What the archive answers for an hour."""

    damage = dy.String(nullable=True, description="what is broken about the file")


class Hours(Hour, Dump):
    """One row per hour of the month."""

    detail = dy.String(nullable=True, description="what is broken, or why it is pending")


@effect(answers=Answer, concurrency=8, seconds=3600)
async def read_hour(archive: Archive, *, hour: datetime) -> Row | Failure:
    """Download and read one hour."""
    return await archive.read(hour)


@stage
def hours(*, run: Run, month: str, window: tuple[int, ...] | None, source: str) -> Decided[Hours]:
    listed = hours_of(month) if source == "archive" else []
    if listed and listed[0] > run.now:
        raise UsageError(
            f"{month} has not begun: it is {run.now:%Y-%m-%d %H:%M} UTC\nname a month of the past"
        )
    rows = pl.LazyFrame({"hour": listed}, schema={"hour": pl.Datetime("us")})
    wanted = listed if window is None else [listed[n] for n in window if n < len(listed)]
    answers = run.ask(rows, read_hour, only=pl.col("hour").is_in(wanted))
    return answers.with_columns(_pending()).pipe(decide, {})


def _pending() -> list[pl.Expr]:
    # A pending hour is a fact about the archive, no failure: its row stays, without events.
    is_pending = pl.col("kind").eq_missing(pl.lit("pending"))
    return [
        pl.when(is_pending).then(pl.lit("pending")).otherwise("status").alias("status"),
        pl.when(~is_pending).then("kind").alias("kind"),
        pl.coalesce("detail", "damage").alias("detail"),
    ]
