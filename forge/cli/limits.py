"""`forge limits`: every threshold, its value and its meaning."""

from pathlib import Path
from typing import Any

import click

from forge.cli import _options, _text


@click.command("limits", short_help="Every limit: default, value now, meaning.")
@_options.limit
@_options.as_json
def command(limits: tuple[str, ...], *, as_json: bool) -> None:
    """List the limits that decide which rows a table keeps.

    Set one by --limit STAGE.NAME=VALUE, or in forge.toml as NAME = VALUE under [STAGE].
    """
    from forge.build import stages
    from forge.dictionary import limits_in_force
    from forge.limits import read_limits

    file, chosen = Path("forge.toml"), stages()
    found = limits_in_force(chosen, read_limits(chosen, file, limits), file)
    if as_json:
        _text.echo(_text.to_json(found))
        return
    for limit in found:
        _text.echo(_line(limit))
        if limit["meaning"]:
            _text.echo(f"    {_text.line(limit['meaning'])}")


def _line(limit: dict[str, Any]) -> str:
    value, default = _text.shown(limit["value"]), _text.shown(limit["default"])
    is_default = limit["source"] == "default"
    return f"{limit['limit']} = {value}" + (
        "" if is_default else f" ({limit['source']}; default {default})"
    )
