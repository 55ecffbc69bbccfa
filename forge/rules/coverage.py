"""Which hours hold far less than they should: hardly a line, or hardly a pull request.

Lines are held against a busy hour, the upper decile of all hours read: it is that of a normal hour
as long as one hour in ten is, be six days in a row empty, or be only they and one more day read;
the same hour of other days would be no neighbour where a single day is read. Nights and weekends
need no allowance: 2015-01-01, a holiday, held 5,869 lines at four in the morning and 11,351 at
three in the afternoon, and Sunday 2026-03-15 as much as a weekday, while the empty hours of 2025-10
held 588 to 1,346 where 150,000 are usual. A tenth is far from both.

Of the lines of good months 4 to 9 % are of pull requests, 3.0 % in the poorest hour at hand; of
those since mid-2026 0.1 to 1 %.
"""

import polars as pl

BUSY = 0.9
NORMAL = "4 to 9 %"
"""The share of pull request events in good months of 2015 to 2026."""

LINES, PULL_REQUESTS = pl.col("lines"), pl.col("pull_request_events")


def shortages(
    *, lines_percent: float, pull_request_percent: float, least_lines: int
) -> list[pl.Expr]:
    """What an hour is short of, each in words with its numbers; null where it is not."""
    return [
        _of_lines(lines_percent, least_lines),
        _of_pull_requests(pull_request_percent, least_lines),
    ]


def is_short(found: list[pl.Expr]) -> pl.Expr:
    """Whether an hour is short of anything; null where nothing of it was counted."""
    return pl.when(LINES.is_not_null()).then(
        pl.any_horizontal(shortage.is_not_null() for shortage in found)
    )


def _of_lines(percent: float, least_lines: int) -> pl.Expr:
    busy = LINES.quantile(BUSY, "higher").cast(pl.Int64)
    told = pl.format(
        "{} lines, where a busy hour of this month holds {}", _counted(LINES), _counted(busy)
    )
    return pl.when((busy >= least_lines) & (100 * LINES / busy < percent)).then(told)


def _of_pull_requests(percent: float, least_lines: int) -> pl.Expr:
    share = 100 * PULL_REQUESTS / LINES
    told = pl.format(
        f"{{}} of {{}} lines are of pull requests, {{}} %, where {NORMAL} is normal",
        _counted(PULL_REQUESTS),
        _counted(LINES),
        share.round(2),
    )
    return pl.when(LINES.ge(least_lines) & (share < percent)).then(told)


def _counted(number: pl.Expr) -> pl.Expr:
    """The number with commas between thousands."""
    backwards = number.cast(pl.String).str.reverse().str.replace_all(r"(\d{3})", "${1},")
    return backwards.str.strip_chars_end(",").str.reverse()
