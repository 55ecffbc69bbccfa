"""Exported rows, of a month or of a file: the options that name them, and how they are found."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from forge.cli import _options
from forge.errors import InputError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from forge.settings import Settings

month = click.option("--month", help="The month whose tasks they are.")
tasks = click.option(
    "--tasks", type=_options.Place(), help="An exported file instead: .parquet or .jsonl."
)


class Rows(NamedTuple):
    """Rows of tasks, and the words for where they come from."""

    rows: "pl.LazyFrame"
    where: str


def check_one(flags: dict[str, Any], names: tuple[str, ...], such_as: str) -> None:
    """UsageError unless exactly one of these flags is given."""
    if sum(flags[name] not in {None, False} for name in names) != 1:
        listed = " or ".join(f"--{name}" for name in names)
        raise UsageError(f"say one of {listed}\nsuch as: {such_as}")


def named(settings: "Settings", month: str | None, file: Path | None) -> Rows:
    """The rows that the flags name."""
    from forge.exported import read_tasks
    from forge.reader import scan

    if file is not None:
        return Rows(read_tasks(file), str(file))
    _options.check_month(settings, str(month))
    where = f"the tasks of {month} in {settings.root}"
    return Rows(scan("tasks", month=str(month), root=settings.root), where)


def ids(told: Rows) -> list[str]:
    """The tasks' names, in order; InputError where a row has none, or where there is no row."""
    from forge.exported import Named, rows_of, told_by

    rows = rows_of(told.rows.select("instance_id"), told.where)
    found = [told_by(row, where, Named).instance_id for where, row in rows]
    if not found:
        raise InputError(f"no task in {told.where}\nname a file or a month that holds some")
    return found


def check_known(told: Rows, wanted: Iterable[str], held: list[str]) -> None:
    """InputError for the first that is not there, with those that look like it."""
    for name in wanted:
        if name not in held:
            near = difflib.get_close_matches(name, held, 3) or held[:3]
            raise InputError(f"no task {name} in {told.where}\nit holds {', '.join(near)}")
