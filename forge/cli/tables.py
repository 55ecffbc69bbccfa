"""`forge tables`: the data dictionary, from the schemas."""

import textwrap
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import UsageError

if TYPE_CHECKING:
    from forge.stage import Stage


@click.command("tables", short_help="The data dictionary: tables, or one table's columns.")
@click.argument("name", required=False)
@_options.as_json
def command(name: str | None, *, as_json: bool) -> None:
    """List the tables, or the columns of one, with what they mean."""
    from forge.build import stages
    from forge.dictionary import described

    chosen = stages()
    if name is not None and name not in {stage.name for stage in chosen}:
        names = ", ".join(stage.name for stage in chosen)
        raise UsageError(f"no such table: {name}\nthe tables are {names}")
    wanted = [stage for stage in chosen if name in {None, stage.name}]
    if as_json:
        _text.echo(_text.to_json([described(stage) for stage in wanted]))
    elif name:
        _tell(wanted[0])
    else:
        _list(wanted)


def _list(chosen: "list[Stage]") -> None:
    from forge.dictionary import grain

    rows = [(stage.name, grain(stage)) for stage in chosen]
    for line in _text.table(["table", "grain"], rows, width=_text.terminal_width()):
        _text.echo(line)
    _text.echo("\n`forge tables NAME` lists its columns; SQL has rejected and events besides")


def _tell(stage: "Stage") -> None:
    from forge.dictionary import described

    told = described(stage)
    _text.echo(f"{stage.name}: {told['grain']}")
    _text.echo(f"made from {', '.join(stage.upstream) or 'no other table'}\n")
    for column in told["columns"]:
        _text.echo(f"{column['name']} {column['dtype']}{_notes(column)}")
        _text.echo(_filled(column["description"]))


def _filled(text: str) -> str:
    width = _text.terminal_width()
    return textwrap.fill(text, width, initial_indent="    ", subsequent_indent="    ")


def _notes(column: dict[str, Any]) -> str:
    notes = [name.removeprefix("is_") for name in ("is_key", "is_nullable") if column[name]]
    return f" ({', '.join(notes)})" if notes else ""
