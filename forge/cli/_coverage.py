"""What an archive holds of a month: a line a day, and a warning where that is little."""

from math import ceil
from typing import TYPE_CHECKING, Any

from forge.cli import _text

if TYPE_CHECKING:
    from datetime import date

    from forge.coverage import Coverage, Day
    from forge.selection import Selection
    from forge.settings import Settings

BARS = "▁▂▃▄▅▆▇█"
MARKS = {"missing": "x", "corrupt": "!", "pending": "."}
THIN, ABSENT = "~", "?"
HEADER = (
    f"{'archive':<12}{'0     6     12    18':<24}{'lines':>11}{'pull requests':>15}{'merges':>11}"
)
RANGES = 5
COMPATIBLE, SINCE = "https://gharchive.open-digger.cn", "2026-09"
ELSE = """\
before more is paid for it, there is also
  --month YYYY-MM         another month, such as 2025-11 to 2026-04 of GH Archive
  --source search         GitHub's own search of its hours
  --source git ADDRESS    the history of one repository, without any archive
  --pool FILE             pull requests that you name, owner/name#12 a line
  FORGE_ARCHIVE_URL=URL   another archive"""
OTHER_HOURS = "  --hours FIRST-LAST      more of its hours; what is read stands"


def tell(coverage: "Coverage") -> None:
    """Print a line for each day of which an hour was read."""
    if not (days := coverage.days):
        return
    busiest = max(coverage.hours["lines"].drop_nulls(), default=0)
    _text.echo(f"\n{HEADER}")
    for day in days:
        _text.echo(_line(day, busiest))
    _text.echo(
        f"{BARS} to {busiest:,} lines  {THIN} thin  {MARKS['missing']} missing  "
        f"{MARKS['corrupt']} corrupt  {MARKS['pending']} pending  {ABSENT} open\n"
    )


def _line(day: "Day", busiest: int) -> str:
    strip = "".join(_sign(day.hours.get(hour), busiest) for hour in range(24))
    counts = f"{day.lines:>11,}{day.pull_request_events:>15,}{day.merges:>11,}"
    return f"{day.at:%Y-%m-%d}  {strip}{counts}"


def _sign(hour: dict[str, Any] | None, busiest: int) -> str:
    if hour is None:
        return ABSENT
    if hour["status"] in MARKS:
        return MARKS[hour["status"]]
    if hour["is_thin"]:
        return THIN
    return BARS[max(ceil(len(BARS) * hour["lines"] / max(busiest, 1)), 1) - 1]


def summary(coverage: "Coverage") -> str:
    """In a few words that a month is thin; nothing where it is not."""
    return f"; thin archive: {coverage.shortages[0]}" if coverage.shortages else ""


def warn(chosen: "Selection", settings: "Settings", limits: dict[str, dict[str, Any]]) -> None:
    """Say on stderr that the archive of a month is thin, if it is, and what else there is."""
    from forge.coverage import TABLE, coverage
    from forge.store import Store

    found = coverage(Store(settings.root, chosen.month), limits.get(TABLE, {}))
    if found.shortages:
        _text.echo("\n".join(_warning(chosen.month, found)), err=True)


def _warning(month: str, coverage: "Coverage") -> list[str]:
    is_partial = coverage.read.height < coverage.hours.height
    is_known = month >= SINCE
    return [
        f"the archive of {month} is thin{_days(coverage.short_days)}",
        *(f"  {shortage}" for shortage in coverage.shortages),
        ELSE + (f": {COMPATIBLE} has hours since 2026-09-06" if is_known else ""),
        *([OTHER_HOURS] if is_partial else []),
        f"forge status --month {month} shows it by hour",
    ]


def _days(ranges: "list[tuple[date, date]]") -> str:
    told = [f"{a}" if a == b else f"{a} to {b}" for a, b in ranges[:RANGES]]
    left = len(ranges) - RANGES
    more = [f"{left} times more"] if left > 0 else []
    return f": {', '.join([*told, *more])}" if told else ""
