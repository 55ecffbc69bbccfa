"""`forge export`: finished tasks in somebody else's format."""

import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import InputError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from forge.settings import Settings


@click.command("export", short_help="Write verified tasks in a format such as swebench.")
@click.argument("form", metavar="FORMAT")
@_options.month
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="The file or folder to write.")  # fmt: skip
@click.option("--split", type=click.Choice(["eval", "train"]), help="Only tasks of this split.")
@_options.root
def command(**flags: Any) -> None:
    """Write the tasks of a month in somebody else's format.

    \b
    forge export swebench --month 2026-03 -o tasks.parquet
    forge export swebench --month 2026-03 -o tasks.jsonl --split eval
    """
    exporter = _exporter(flags["form"])
    settings = _options.settings(flags["root"])
    written = exporter.export(_tasks(settings, flags["month"], flags["split"]), flags["output"])
    _text.echo(f"{written:,} tasks written to {flags['output']}")
    _text.echo(
        "their images exist on this machine only: push them, or build them again from each row's "
        "recipe",
        err=True,
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
