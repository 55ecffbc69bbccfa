"""`forge grade`: what a task's hidden tests say about a patch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _rows, _text
from forge.errors import InputError, InvalidError

if TYPE_CHECKING:
    from forge.grading import Report
    from forge.settings import Settings

SHOWN = 10
MOST_BYTES = 50_000_000
SUCH_AS = "forge grade --month 2026-03 owner__name-12 --gold"


@click.command("grade", short_help="Run a task's hidden tests on a patch.")
@click.argument("instance_id")
@_rows.month
@_rows.tasks
@click.option("--patch", type=_options.Place(allow_dash=True),
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

    for names in (("month", "tasks"), ("patch", "gold", "nothing")):
        _rows.check_one(flags, names, SUCH_AS)
    settings = _options.settings(flags["root"])
    told = _rows.named(settings, flags["month"], flags["tasks"])
    row = _row(flags["instance_id"], told)
    report = grade(row, _patch(row, flags["patch"], is_gold=flags["gold"]), settings)
    if flags["as_json"]:
        _text.echo(_text.to_json(_plain(report)))
    else:
        _tell(report, settings)
    if not report.is_resolved:
        raise InvalidError(f"{report.instance_id} is not resolved")


def _row(instance_id: str, told: "_rows.Rows") -> dict[str, Any]:
    from forge.exported import rows_of

    _rows.check_known(told, [instance_id], _rows.ids(told))
    its = (row for _, row in rows_of(told.rows, told.where) if row["instance_id"] == instance_id)
    return next(its)


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
