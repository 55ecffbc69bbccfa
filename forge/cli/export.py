"""`forge export`: finished tasks in somebody else's format."""

import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import InputError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from forge.settings import Settings
    from forge.shipping import Shipped


@click.command("export", short_help="Write verified tasks in a format such as swebench.")
@click.argument("form", metavar="FORMAT")
@_options.month
@click.option("-o", "--output", required=True, type=_options.Place(),
              help="The file or folder to write.")  # fmt: skip
@click.option("--push", metavar="REGISTRY[/PREFIX]", help="Push their images, and name these by "
              "the digests that they have there.")  # fmt: skip
@click.option("--save", metavar="FOLDER", type=_options.Place(),
              help="Save their images, with a script that loads them.")  # fmt: skip
@click.option("--split", type=click.Choice(["eval", "train"]), help="Only tasks of this split.")
@_options.root
def command(**flags: Any) -> None:
    """Write the tasks of a month in somebody else's format.

    Who may push is told by Docker's own config, which `docker login` writes. What a registry or a
    folder has already is not sent again.

    \b
    forge export swebench --month 2026-03 -o tasks.parquet
    forge export swebench --month 2026-03 -o tasks.jsonl --split eval
    forge export swebench --month 2026-03 -o tasks.parquet --save images
    forge export swebench --month 2026-03 -o t.parquet --push example.org/team
    """
    if flags["push"] is not None and flags["save"] is not None:
        raise UsageError("say one of --push or --save: a row has one name of its image")
    exporter = _exporter(flags["form"])
    exporter.check(flags["output"])  # before hours of pushing
    settings = _options.settings(flags["root"])
    tasks = _tasks(settings, flags["month"], flags["split"])
    shipped = _ship(tasks, settings, flags)
    if shipped:
        from forge.shipping import shipped_in

        tasks = shipped_in(tasks, shipped)
    written = exporter.export(tasks, flags["output"])
    _text.echo(f"{written:,} tasks written to {flags['output']}")
    for text in _where_images_are(shipped, flags):
        _text.echo(text, err=True)


def _ship(
    tasks: "pl.LazyFrame", settings: "Settings", flags: dict[str, Any]
) -> "list[Shipped] | None":
    if flags["push"] is None and flags["save"] is None:
        return None
    from forge.cli._progress import shown
    from forge.saving import saved
    from forge.shipping import pushed

    with shown() as progress:
        if flags["push"] is not None:
            return pushed(tasks, flags["push"], settings, progress.asked)
        return saved(tasks, flags["save"], settings, progress.asked)


def _where_images_are(shipped: "list[Shipped] | None", flags: dict[str, Any]) -> Iterator[str]:
    if shipped is None:
        yield (
            "their images exist on this machine only: say --push or --save, or build them again "
            "from each row's recipe"
        )
    if flags["save"] is not None:
        yield f"their images are in {flags['save']}: run load.sh there where they are needed"
    if anew := sum(not one.is_as_verified for one in shipped or ()):
        yield (
            f"{anew:,} images were gone and are built again: `forge check` says whether their "
            "tasks hold"
        )


def _exporter(form: str) -> Any:
    import importlib

    import forge.exporters

    names = [module.name for module in pkgutil.iter_modules(forge.exporters.__path__)]
    known = [name for name in names if not name.startswith("_")]
    if form not in known:
        raise UsageError(f"no such format: {form}\nthe formats are {', '.join(known)}")
    return importlib.import_module(f"forge.exporters.{form}")


def _tasks(settings: "Settings", month: str, split: str | None) -> "pl.LazyFrame":
    import polars as pl

    from forge.columns import PULL_REQUEST

    _options.check_month(settings, month)
    tasks = _table(settings, "tasks", month)
    if split:
        splits = _table(settings, "splits", month).filter(pl.col("split") == split)
        tasks = tasks.join(splits, on=PULL_REQUEST, how="semi", maintain_order="left")
    if tasks.head(1).collect().is_empty():
        chosen = f"{split} task" if split else "task"
        raise InputError(
            f"no {chosen} of {month} is verified in {settings.root}\n"
            f"`forge funnel --month {month}` says what stopped them"
        )
    return tasks


def _table(settings: "Settings", name: str, month: str) -> "pl.LazyFrame":
    from forge.build import stages
    from forge.store import Store

    schemas = {stage.name: stage.schema for stage in stages()}
    return Store(settings.root, month).scan(name, schemas[name])
