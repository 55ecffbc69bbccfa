"""`forge status`: what there is, what is stale and why, and what it takes on disk."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text

if TYPE_CHECKING:
    from forge.report import TableState
    from forge.settings import Settings

HEADER = f"{'rows':>11}{'rejected':>11}{'open':>8}{'deferred':>10}{'size':>10}"
NAME = 16


@click.command("status", short_help="What is built, what is stale and why, and its size.")
@click.option("--month", help="Only this month or pool, table by table.")
@_options.limit
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Say of every table whether the next build would make it again, and why.

    Flags of the last build that cannot be told from the settings (--sample, --hours, …) are taken
    to stand.
    """
    from forge.report import months

    settings = _options.settings(flags["root"])
    held = [flags["month"]] if flags["month"] else months(settings.root)
    states = {month: _states(settings, month, flags["limits"]) for month in held}
    sizes = _sizes(settings)
    if flags["as_json"]:
        _text.echo(_text.to_json(_plain(states, sizes)))
        return
    if not states:
        _text.echo(f"nothing is built in {settings.root}: forge build --month 2026-03")
    width = max([NAME, *(_text.cells(month) + 2 for month in states)])
    for month, tables in states.items():
        _tell(month, tables, width, is_whole=len(states) == 1)
    for what, (bytes_held, where) in sizes.items():
        _text.echo(f"{what:<{NAME}}{_text.size(bytes_held):>11}  {where}")
    _text.echo(f"{'images':<{NAME}}{_images()}")


def _states(settings: "Settings", month: str, given: tuple[str, ...]) -> "list[TableState]":
    from forge.build import Options, stages
    from forge.limits import read_limits
    from forge.pools import read_hand_recipes
    from forge.report import status
    from forge.selection import Selection
    from forge.store import Store

    chosen = stages()
    limits = read_limits(chosen, Path("forge.toml"), given)
    selection = Selection(month, hand_recipes=read_hand_recipes(settings.recipes))
    return status(Store(settings.root, month), chosen, selection, Options(limits=limits))


def _tell(month: str, tables: "list[TableState]", width: int, *, is_whole: bool) -> None:
    if not is_whole:
        _text.echo(f"{_text.pad(_text.line(month), width)}{_summary(tables)}")
        return
    _text.echo(f"{_text.pad(_text.line(month), NAME)}{HEADER}")
    for table in tables:
        _text.echo(_line(table))
        for line in _text.wrapped(table.why, indent=" " * 4, width=_text.terminal_width()):
            _text.echo(line)


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
    states: "dict[str, list[TableState]]", sizes: dict[str, tuple[int, str]]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "months": {month: [asdict(table) for table in tables] for month, tables in states.items()},
        "bytes": {what: bytes_held for what, (bytes_held, _) in sizes.items()},
    }
