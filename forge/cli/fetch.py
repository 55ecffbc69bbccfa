"""`forge fetch`: download a month's hourly files, and do no more."""

from dataclasses import asdict
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.cli._selection import read_month, read_window

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from forge.fetching import Fetched

HOUR = timedelta(hours=1)


@click.command("fetch", short_help="Only download a month's hourly files; rerun to go on.")
@click.option("--month", required=True, help="The month, such as 2026-03.")
@click.option("--hours", help="Only these hours, from the month's first: 0-23,48.")
@_options.raw
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Download hourly files of GH Archive into a folder, and do no more.

    What stands there is left alone, and a file that broke off goes on where it did. Builds with
    the same --raw, or of the same root, ask the archive nothing for these hours.

    \b
    forge fetch --month 2026-03 --hours 0-23 --raw /mnt/hours
    forge build --month 2026-03 --hours 0-23 --raw /mnt/hours --to merges
    """
    from forge.cli._progress import shown
    from forge.fetching import fetch
    from forge.selection import hours_of

    month = read_month(flags["month"])
    settings = _options.settings(flags["root"], raw=flags["raw"])
    hours = hours_of(month)
    if flags["hours"] is not None:
        hours = [hours[number] for number in read_window(flags["hours"], month)]
    with shown() as progress:
        fetched = fetch(hours, settings, progress=progress.asked)
    _tell(fetched, settings.raw_folder, as_json=flags["as_json"])
    if fetched.error:
        raise fetched.error


def _tell(fetched: "Fetched", folder: "Path", *, as_json: bool) -> None:
    absent = {name: getattr(fetched, name) for name in ("missing", "pending", "failed")}
    if as_json:
        kept = ("hours", "files", "downloaded", "bytes", "seconds")
        counts = {name: value for name, value in asdict(fetched).items() if name in kept}
        names = {what: [_name(hour) for hour in hours] for what, hours in absent.items()}
        _text.echo(_text.to_json({"folder": str(folder)} | counts | names))
        return
    for what, hours in absent.items():
        for run in _runs(hours):
            _text.echo(f"{what:<8} {run}")
    _text.echo(
        f"{fetched.files:,} of {fetched.hours:,} hours in {folder}: {fetched.downloaded:,} new, "
        f"{_text.size(fetched.bytes)} in {fetched.seconds:,.1f} s; "
        + ", ".join(f"{len(hours):,} {what}" for what, hours in absent.items())
    )


def _runs(hours: "list[datetime]") -> list[str]:
    """Hours in words, those that follow each other on one line."""
    numbered = enumerate((hour - hours[0]) // HOUR for hour in hours)
    runs = groupby(zip(numbered, hours, strict=True), lambda pair: pair[0][1] - pair[0][0])
    listed = [[hour for _, hour in run] for _, run in runs]
    return [
        _name(run[0]) + (f" to {_name(run[-1])}, {len(run):,} hours" if len(run) > 1 else "")
        for run in listed
    ]


def _name(hour: "datetime") -> str:
    from forge.services.downloads import name_of

    return name_of(hour)
