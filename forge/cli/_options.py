"""Options that several commands share, and the settings they end in."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.errors import InputError, UsageError

FILE = Path("forge.toml")

if TYPE_CHECKING:
    from forge.settings import Settings


class Place(click.Path):
    """A path that has a name: an empty one would be the current folder."""

    def __init__(self, *, allow_dash: bool = False) -> None:
        super().__init__(path_type=Path, allow_dash=allow_dash)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; UsageError of click's for what an unset variable of a shell gives."""
        return super().convert(value, param, ctx) if value else self.fail("is empty", param, ctx)


root = click.option("--root", type=Place(), help="Folder of the tables [FORGE_ROOT, data].")
raw = click.option("--raw", type=Place(), help="Folder of hourly files, read and kept [FORGE_RAW].")
month = click.option("--month", required=True, help="The month, such as 2026-03, or pool-<name>.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
limit = click.option(
    "--limit", "limits", multiple=True, metavar="STAGE.NAME=VALUE", help="A threshold (repeatable)."
)


def settings(root_folder: Path | None = None, *, raw: Path | None = None) -> "Settings":
    """The settings, the flags over everything else."""
    from pydantic import ValidationError

    from forge.settings import Settings
    from forge.texts import read_text, toml

    try:
        if FILE.exists():
            toml(read_text(FILE))  # which reads it within bounds; pydantic does not
        given: dict[str, Any] = {"root": root_folder, "raw": raw}
        return Settings(**{name: folder for name, folder in given.items() if folder})
    except ValidationError as error:
        raise UsageError(_explained(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"forge.toml is not TOML: {error}\nmend that line") from None


def check_month(settings: "Settings", month: str) -> None:
    """InputError where a root holds nothing of a month."""
    from forge.report import months

    held = months(settings.root)
    if month not in held:
        hint = f"it holds {', '.join(held)}" if held else f"forge build --month {month}"
        raise InputError(f"nothing of {month} is built in {settings.root}\n{hint}")


def _explained(error: Any) -> str:
    lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return "a setting cannot be used: " + "; ".join(lines) + "\nsee the README, under Settings"
