"""`forge clean`: take away what is ours, old, and can be made again."""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.leftovers import Leftover
    from forge.settings import Settings

UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
FEW = 20


@click.command("clean", short_help="Remove containers, drafts, and on demand images and mirrors.")
@click.option("--older-than", default="0d", metavar="AGE", help="Only what is older: 12h, 7d.")
@click.option("--images", is_flag=True, help="Also our Docker images.")
@click.option("--mirrors", is_flag=True, help="Also the repositories fetched.")
@click.option("--raw", is_flag=True, help="Also hourly files kept in the root (not FORGE_RAW).")
@click.option("--artifacts", is_flag=True, help="Also files that no table and no answer names.")
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@_options.root
def command(**flags: Any) -> None:
    """Remove containers and drafts of killed processes, and what the flags name.

    Tables and remembered answers are never touched, nor anything that forge did not make. A build
    makes images and mirrors again when it needs them.
    """
    from forge.disk import explained

    settings = _options.settings(flags["root"])
    before = time.time() - _age(flags["older_than"])
    with explained(settings), ExitStack() as engine:
        found = [*_on_disk(settings, flags, before), *_in_engine(flags, before, engine)]
        told = sorted(found, key=lambda one: (one.what, one.name))
        for kind in dict.fromkeys(one.what for one in told):
            _tell([one for one in told if one.what == kind])
        if not flags["dry_run"]:
            for one in found:
                one.remove()
    verb = "would be freed" if flags["dry_run"] else "freed"
    _text.echo(f"{_text.size(sum(one.bytes for one in found))} {verb}")


def _age(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdecimal():
        raise UsageError(f"not an age: {text!r}\nsay it as 12h or 7d")
    return int(number) * UNITS[unit]


def _on_disk(settings: "Settings", flags: dict[str, Any], before: float) -> "Iterator[Leftover]":
    from forge import leftovers

    yield from leftovers.drafts(settings, before=before)
    if flags["mirrors"]:
        yield from leftovers.mirrors(settings, before=before)
    if flags["raw"]:
        yield from leftovers.raw(settings, before=before)
    if flags["artifacts"]:
        yield from leftovers.artifacts(settings, before=before)


def _in_engine(flags: dict[str, Any], before: float, opened: ExitStack) -> "Iterator[Leftover]":
    from forge import leftovers

    try:
        client = opened.enter_context(leftovers.engine())
    except EngineError as error:
        if flags["images"]:
            raise
        _text.echo(f"containers are left alone: {str(error).splitlines()[0]}", err=True)
        return
    yield from leftovers.containers(client)
    if flags["images"]:
        yield from leftovers.images(client, before=before)


def _tell(some: "list[Leftover]") -> None:
    for one in some[:FEW]:
        _text.echo(f"{one.what:<10}{_text.size(one.bytes):>9}  {one.name}")
    if len(some) > FEW:
        rest = sum(one.bytes for one in some[FEW:])
        _text.echo(f"{some[0].what:<10}{_text.size(rest):>9}  and {len(some) - FEW:,} more")
