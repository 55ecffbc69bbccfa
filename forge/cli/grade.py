"""`forge grade`: what a task's hidden tests say about a patch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import InputError, InvalidError, UsageError

if TYPE_CHECKING:
    from forge.grading import Report
    from forge.settings import Settings

SHOWN = 10
MOST_BYTES = 50_000_000
SAY_ONE = "such as: forge grade --month 2026-03 owner__name-12 --gold"


@click.command("grade", short_help="Run a task's hidden tests on a patch.")
@click.argument("instance_id")
@click.option("--month", help="The month whose task it is.")
@click.option("--tasks", type=click.Path(path_type=Path), help="An exported file instead: "
              ".parquet or .jsonl.")  # fmt: skip
@click.option("--patch", type=click.Path(path_type=Path, allow_dash=True),
              help="The patch to grade; - reads it from stdin.")  # fmt: skip
@click.option("--gold", is_flag=True, help="Grade the gold patch.")
@click.option("--nothing", is_flag=True, help="Grade the repository as it is.")
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Run a task's own script in its own image on a patch, and say whether it is resolved.

    Exits with 9 when it is not.

    \b
    forge grade --month 2026-03 lanternworks__tidytext-12 --patch mine.diff
    forge grade --tasks tasks.parquet lanternworks__tidytext-12 --gold
    """
    from forge.grading import grade

    _check_one(flags, ("month", "tasks"))
    _check_one(flags, ("patch", "gold", "nothing"))
    settings = _options.settings(flags["root"])
    row = _row(settings, flags["instance_id"], flags["month"], flags["tasks"])
    report = grade(row, _patch(row, flags["patch"], is_gold=flags["gold"]), settings)
    if flags["as_json"]:
        _text.echo(_text.to_json(_plain(report)))
    else:
        _tell(report, settings)
    if not report.is_resolved:
        raise InvalidError(f"{report.instance_id} is not resolved")


def _check_one(flags: dict[str, Any], names: tuple[str, ...]) -> None:
    if sum(bool(flags[name]) for name in names) != 1:
        listed = " or ".join(f"--{name}" for name in names)
        raise UsageError(f"say one of {listed}\n{SAY_ONE}")


def _row(
    settings: "Settings", instance_id: str, month: str | None, file: Path | None
) -> dict[str, Any]:
    import polars as pl

    from forge.exported import read_tasks
    from forge.reader import scan

    if month:
        _options.check_month(settings, month)
    where = str(file) if file else f"the tasks of {month} in {settings.root}"
    tasks = read_tasks(file) if file else scan("tasks", month=str(month), root=settings.root)
    found = tasks.filter(pl.col("instance_id") == instance_id).collect()
    if len(found) == 1:
        return found.row(0, named=True)
    raise InputError(f"no task {instance_id} in {where}\n{_near(tasks, instance_id)}")


def _near(tasks: Any, instance_id: str) -> str:
    import difflib

    names = tasks.select("instance_id").collect()["instance_id"].to_list()
    near = difflib.get_close_matches(instance_id, names, 3) or names[:3]
    return f"it holds {', '.join(near)}" if near else "it holds none"


def _patch(row: dict[str, Any], file: Path | None, *, is_gold: bool) -> str:
    if file is None:
        return (row.get("gold_patch") or row.get("patch") or "") if is_gold else ""
    try:
        with click.open_file(str(file), "rb") as opened:
            content: bytes = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}\nname a patch") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{file} has more than {MOST_BYTES:,} bytes\nname a patch")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8\ngrade a patch of UTF-8 texts") from None


def _tell(report: "Report", settings: "Settings") -> None:
    from forge.artifacts import Artifacts

    artifacts = Artifacts(settings.memo_folder / "artifacts")
    _text.echo(f"{report.instance_id}: {'resolved' if report.is_resolved else 'not resolved'}")
    if not report.is_applied:
        _text.echo("the patch does not apply")
    if report.limit:
        _text.echo(_text.line(report.limit))
    if report.is_timed_out:
        _text.echo("the time limit cut the tests")
    _list("should pass now and do not", report.failed)
    _list("passed before and do not any more", report.broken)
    _text.echo(f"{len(report.statuses):,} tests in {report.seconds:.1f} s")
    for name, artifact in (("log", report.log), ("report", report.report)):
        _text.echo(f"{name}: {artifacts.path(artifact)}")


def _list(what: str, names: tuple[str, ...]) -> None:
    if names:
        _text.echo(f"{len(names):,} {what}:")
    for name in names[:SHOWN]:
        _text.echo(f"    {_text.line(name)}")
    if len(names) > SHOWN:
        _text.echo(f"    and {len(names) - SHOWN:,} more")


def _plain(report: "Report") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(report)
