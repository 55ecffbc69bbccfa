"""`forge status`: what there is, what is stale and why, and what it takes on disk."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _coverage, _estimates, _options, _text

if TYPE_CHECKING:
    from forge.coverage import Coverage
    from forge.estimates import Estimate, Unknown
    from forge.limits import Limits
    from forge.report import TableState
    from forge.settings import Settings

HEADER = f"{'rows':>11}{'rejected':>11}{'open':>8}{'deferred':>10}{'size':>10}"
NAME = 16
TO_MERGES = "forge build with --to merges, and what else it was begun with"


@click.command("status", short_help="What is built, what is stale and why, and its size.")
@click.option("--month", help="Only this month or pool, table by table.")
@_options.limit
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Say of every table whether the next build would make it again, and why.

    For a month of the archive also show what its hours hold, a line a day.

    Flags of the last build that cannot be told from the settings (--sample, --hours, …) are taken
    to stand.
    """
    from forge.report import months

    settings = _options.settings(flags["root"])
    held = [flags["month"]] if flags["month"] else months(settings.root)
    limits = _limits(flags["limits"])
    states = {month: _states(settings, month, limits) for month in held}
    archives = {month: _archive(settings, month, limits) for month in held}
    sizes = _sizes(settings)
    if flags["as_json"]:
        asked = {month: _estimate(settings, month, limits, states[month]) for month in held}
        _text.echo(_text.to_json(_plain(states, archives, sizes, asked)))
        return
    if not states:
        _text.echo(f"nothing is built in {settings.root}: forge build --month 2026-03")
    width = max([NAME, *(_text.cells(month) + 2 for month in states)])
    for month, tables in states.items():
        _tell(month, tables, archives[month], width if len(states) > 1 else None)
    for month in held if len(held) == 1 else ():
        _estimates.tell(_estimate(settings, month, limits, states[month]), TO_MERGES)
    for what, (bytes_held, where) in sizes.items():
        _text.echo(f"{what:<{NAME}}{_text.size(bytes_held):>11}  {where}")
    _text.echo(f"{'images':<{NAME}}{_images()}")


def _limits(given: tuple[str, ...]) -> "Limits":
    from forge.build import stages
    from forge.limits import read_limits

    return read_limits(stages(), Path("forge.toml"), given)


def _archive(settings: "Settings", month: str, limits: "Limits") -> "Coverage":
    from forge.coverage import TABLE, coverage
    from forge.store import Store

    return coverage(Store(settings.root, month), limits.get(TABLE, {}))


def _states(settings: "Settings", month: str, limits: "Limits") -> "list[TableState]":
    from forge.build import Options, stages
    from forge.pools import read_hand_recipes
    from forge.report import status
    from forge.selection import Selection
    from forge.services.llm_endpoint import judge_of
    from forge.store import Store

    recipes = read_hand_recipes(settings.recipes)
    selection = Selection(month, hand_recipes=recipes, judge=judge_of(settings))
    return status(Store(settings.root, month), stages(), selection, Options(limits=limits))


def _estimate(
    settings: "Settings", month: str, limits: "Limits", tables: "list[TableState]"
) -> "Estimate | Unknown | None":
    from forge.build import Options, stages
    from forge.estimates import Estimating, stood
    from forge.selection import Selection
    from forge.store import Store

    moving = {table.table for table in tables if table.state != "fresh"}
    store, known, options = Store(settings.root, month), stages(), Options(limits=limits)
    selection = stood(store, known, Selection(month), settings)
    return Estimating(store, known, moving, selection, options, settings).estimate()


def _tell(month: str, tables: "list[TableState]", archive: "Coverage", width: int | None) -> None:
    if width:
        thin = _coverage.summary(archive)
        _text.echo(f"{_text.pad(_text.line(month), width)}{_summary(tables)}{thin}")
        return
    _text.echo(f"{_text.pad(_text.line(month), NAME)}{HEADER}")
    for table in tables:
        _text.echo(_line(table))
        for line in _text.wrapped(table.why, indent=" " * 4, width=_text.terminal_width()):
            _text.echo(line)
    _coverage.tell(archive)


def _line(state: "TableState") -> str:
    if state.state == "never built":
        return f"{state.table:<{NAME}}{state.state:>11}"
    counts = (
        f"{_text.count(state.rows):>11}{_text.count(state.rejected):>11}"
        f"{_text.count(state.open):>8}{_text.count(state.deferred):>10}"
    )
    return f"{state.table:<{NAME}}{counts}{_text.size(state.bytes):>10}  {state.state}"


def _summary(tables: "list[TableState]") -> str:
    from collections import Counter

    states = Counter(table.state for table in tables)
    last = next((table for table in reversed(tables) if table.rows), None)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    return told + (f"; {last.rows:,} {last.table}" if last else "")


def _sizes(settings: "Settings") -> dict[str, tuple[int, str]]:
    from forge.report import sizes

    return sizes(settings)


def _images() -> str:
    from forge.errors import EngineError
    from forge.leftovers import image_sizes

    try:
        held = image_sizes()
    except EngineError as error:
        return str(error).splitlines()[0]
    return f"{_text.size(sum(held)):>11}  {len(held)}, what they add to images of others"


def _plain(
    states: "dict[str, list[TableState]]",
    archives: "dict[str, Coverage]",
    sizes: dict[str, tuple[int, str]],
    asked: "dict[str, Estimate | Unknown | None]",
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "months": {month: [asdict(table) for table in tables] for month, tables in states.items()},
        "hours": {month: archive.hours.to_dicts() for month, archive in archives.items()},
        "shortages": {month: archive.shortages for month, archive in archives.items()},
        "github": {month: _estimates.plain(found) for month, found in asked.items()},
        "bytes": {what: bytes_held for what, (bytes_held, _) in sizes.items()},
    }
