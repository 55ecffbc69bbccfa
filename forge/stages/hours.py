"""Hours of GH Archive: what each held, and the events of its pull requests."""

from datetime import datetime

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import KEY, artifact, dtypes, moment
from forge.criteria import decide
from forge.effect import Failure, Row, effect
from forge.errors import UsageError
from forge.events import ISSUES, PULL_REQUESTS
from forge.rules.coverage import is_short, shortages
from forge.run import Run
from forge.selection import GITHUB_SOURCES, hours_of
from forge.services.archive import Archive
from forge.services.github import GitHub
from forge.stage import Decided, StageLimits, stage


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
    issue_events = dy.Int64(nullable=True, description="events of issues; null unless kept")
    digest = dy.String(nullable=True, description="sha256 of the file as downloaded")
    events = artifact("Parquet file of the events of pull requests, and of issues", nullable=True)


class Answer(Dump):
    """What the archive answers for an hour."""

    damage = dy.String(nullable=True, description="what is broken about the file")


class Search(dy.Schema):
    """What GitHub's search finds of an hour."""

    searched_merges = dy.Int64(
        nullable=True, description="merges that GitHub's search counts; null unless it was asked"
    )
    found_merges = dy.Int64(
        nullable=True,
        description="those that it lists: fewer where a second holds more than it lists, or where "
        "its answer changed while it was read",
    )
    found = artifact("Parquet file of the merges that the search lists", nullable=True)


class Hours(Hour, Dump, Search):
    """One row per hour of the month."""

    is_thin = dy.Bool(
        nullable=True,
        description="whether it holds far fewer lines than busy hours read of the month, or hardly "
        "a pull request; null where nothing was counted",
    )
    detail = dy.String(
        nullable=True, description="what is broken, why it is pending, what it is short of"
    )


class Limits(StageLimits):
    """What is thin."""

    lines_percent: float = Field(
        10, ge=0, le=100, description="share of a busy hour's lines below which an hour is thin"
    )
    pull_request_percent: float = Field(
        2, ge=0, le=100, description="share of pull request events below which an hour is thin"
    )
    least_lines: int = Field(
        1000, description="fewest lines that are worth a comparison or a share"
    )
    gap_percent: float = Field(
        10, ge=0, le=100, description="share of hours thin or missing above which a month is thin"
    )


@effect(answers=Answer, concurrency=8, seconds=3600)
async def read_hour(archive: Archive, *, hour: datetime, keeps_issues: bool) -> Row | Failure:
    """Download and read one hour."""
    return await archive.read(hour, (PULL_REQUESTS, ISSUES) if keeps_issues else (PULL_REQUESTS,))


@effect(answers=Search, concurrency=4, seconds=4 * 3600)
async def search_hour(github: GitHub, *, hour: datetime, query: str) -> Row | Failure:
    """List the merges of one hour that GitHub's search finds."""
    return await github.searches.hour(hour, query)


@stage
def hours(
    *,
    run: Run,
    month: str,
    window: tuple[int, ...] | None,
    source: str,
    query: str,
    keep: tuple[str, ...],
    limits: Limits,
) -> Decided[Hours]:
    listed = hours_of(month) if source in {"archive", *GITHUB_SOURCES} else []
    if listed and listed[0] > run.now:
        raise UsageError(
            f"{month} has not begun: it is {run.now:%Y-%m-%d %H:%M} UTC\nname a month of the past"
        )
    rows = pl.LazyFrame({"hour": listed}, schema={"hour": pl.Datetime("us")})
    wanted = listed if window is None else [listed[n] for n in window if n < len(listed)]
    is_wanted = pl.col("hour").is_in(wanted)
    # What is held of the archive stays with whatever source, and is not asked for.
    read = _read(rows, run, is_wanted & (source == "archive"), keep).with_columns(_pending())
    if source == "search":
        searched = run.ask(rows.with_columns(query=pl.lit(query)), search_hour, only=is_wanted)
        read = read.pipe(_with_merges, searched)
    else:
        read = read.with_columns(
            pl.lit(None, dtype).alias(name) for name, dtype in dtypes(Search).items()
        )
    return read.with_columns(_thinness(limits)).pipe(decide, {})


def _read(rows: pl.LazyFrame, run: Run, is_wanted: pl.Expr, keep: tuple[str, ...]) -> pl.LazyFrame:
    # Hours whose issues were kept are not read again without them; without them others stay.
    wants_issues = is_wanted & ("issues" in keep)
    whole = run.ask(rows.with_columns(keeps_issues=True), read_hour, only=wants_issues)
    told = whole.filter(wants_issues | pl.col("status").is_not_null())
    rest = rows.join(told, on="hour", how="anti").with_columns(keeps_issues=False)
    return pl.concat([told, run.ask(rest, read_hour, only=is_wanted)])


def _with_merges(read: pl.LazyFrame, searched: pl.LazyFrame) -> pl.LazyFrame:
    """Hours as the archive holds them, with what the search says of each."""
    found, searched_merges = pl.col("found_merges"), pl.col("searched_merges")
    cut = pl.format("GitHub's search lists {} of {} merges", found, searched_merges)
    told = ["detail", "detail_searched", pl.when(found < searched_merges).then(cut)]
    # What an hour holds stays, whatever becomes of the search; `detail` says what that was.
    is_failed = (pl.col("kind_searched") != "pending") & pl.col("events").is_null()
    return read.join(
        searched, on="hour", how="left", suffix="_searched", maintain_order="left"
    ).with_columns(
        pl.coalesce("kind", pl.when(is_failed).then("kind_searched")).alias("kind"),
        pl.coalesce("reason", "reason_searched").alias("reason"),
        pl.concat_str(told, separator="; ", ignore_nulls=True).replace("", None).alias("detail"),
    )


def _pending() -> list[pl.Expr]:
    # A pending hour is a fact about the archive, no failure: its row stays, without events.
    is_pending = pl.col("kind").eq_missing(pl.lit("pending"))
    return [
        pl.when(is_pending).then(pl.lit("pending")).otherwise("status").alias("status"),
        pl.when(~is_pending).then("kind").alias("kind"),
        pl.coalesce("detail", "damage").alias("detail"),
    ]


def _thinness(limits: Limits) -> list[pl.Expr]:
    found = shortages(
        lines_percent=limits.lines_percent,
        pull_request_percent=limits.pull_request_percent,
        least_lines=limits.least_lines,
    )
    told = pl.concat_list("detail", *found).list.drop_nulls().list.join("; ")
    return [is_short(found).alias("is_thin"), told.replace("", None).alias("detail")]
