"""How much of a month its archive holds, of what was read: by hour, by day, and as a whole."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from forge.rules.coverage import LINES, NORMAL, PULL_REQUESTS
from forge.stages.hours import Hours, Limits
from forge.store import Store

TABLE = "hours"
SHOWN = (
    *("hour", "status", "lines", "bad_lines", "pull_request_events", "merges", "is_thin"),
    "detail",
)
COUNTS = ("lines", "pull_request_events", "merges")
IS_PENDING = pl.col("status") == "pending"
# A missing hour has neither lines nor bad ones.
IS_LOST = ~IS_PENDING & LINES.eq_missing(pl.col("bad_lines"))
IS_THIN = pl.col("is_thin").fill_null(value=False) & ~IS_LOST


@dataclass(frozen=True)
class Day:
    """One day of which an hour was read; hours that the table does not hold are absent."""

    at: date
    hours: dict[int, dict[str, Any]]
    lines: int
    pull_request_events: int
    merges: int


@dataclass(frozen=True)
class Coverage:
    """What a month's archive holds; pools and other sources have no hours."""

    hours: pl.DataFrame
    limits: Limits

    @property
    def read(self) -> pl.DataFrame:
        """The hours that the archive was asked for, missing ones among them."""
        return self.hours.filter(~IS_PENDING)

    @property
    def days(self) -> list[Day]:
        """The days of which an hour was read."""
        read = {hour.date() for hour in self.read["hour"]}
        groups = self.hours.group_by(pl.col("hour").dt.date(), maintain_order=True)
        return [_day(day, rows) for (day,), rows in groups if day in read]

    @property
    def shortages(self) -> list[str]:
        """Why the month is thin as a whole, with the numbers; nothing where it is not."""
        return [*self._few_pull_requests(), *self._gaps()]

    def _few_pull_requests(self) -> list[str]:
        lines, events = self.hours.select(LINES.sum(), PULL_REQUESTS.sum()).row(0)
        least = max(self.limits.least_lines, 1)
        if lines < least or 100 * events / lines >= self.limits.pull_request_percent:
            return []
        share = f"{events:,} of {lines:,} lines are of pull requests"
        return [f"{share}: {100 * events / lines:.2g} %, where {NORMAL} is normal"]

    def _gaps(self) -> list[str]:
        read, lost, thin = (self.read.filter(which).height for which in (True, IS_LOST, IS_THIN))
        if 100 * (lost + thin) <= self.limits.gap_percent * read:
            return []
        told = f"of {read:,} hours read {thin:,} are thin, {lost:,} missing or unreadable"
        return [told, *self._compared()]

    def _compared(self) -> list[str]:
        median = LINES.median().cast(pl.Int64)
        thin, whole = (
            self.hours.filter(~IS_LOST & which).select(median).item()
            for which in (IS_THIN, ~IS_THIN)
        )
        if thin is None or whole is None:
            return []
        return [f"thin hours hold {thin:,} lines, others {whole:,} (medians)"]

    @property
    def short_days(self) -> list[tuple[date, date]]:
        """First and last of the days in a row that have a thin or lost hour."""
        short = self.hours.filter(IS_LOST | IS_THIN)["hour"].dt.date().unique().sort()
        ranges: list[tuple[date, date]] = []
        for day in short:
            is_next = bool(ranges) and day - ranges[-1][1] == timedelta(days=1)
            ranges[-1:] = [(ranges[-1][0], day)] if is_next else [*ranges[-1:], (day, day)]
        return ranges


def coverage(store: Store, limits: dict[str, Any]) -> Coverage:
    """The coverage of a month as its table of hours has it."""
    # A table of before a column was known lacks it until the next build.
    rows = [Hours.create_empty(lazy=True), store.scan(TABLE, Hours)]
    hours = pl.concat(rows, how="diagonal").select(SHOWN).collect()
    return Coverage(hours, Limits(**limits))


def _day(day: Any, rows: pl.DataFrame) -> Day:
    hours = {row["hour"].hour: row for row in rows.iter_rows(named=True)}
    return Day(day, hours, *rows.select(pl.col(COUNTS).sum()).row(0))
