"""`forge sql`: one reading statement over the tables of all months."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import UsageError

if TYPE_CHECKING:
    from forge.queries import Answer

FORMATS = ("table", "csv", "json", "parquet", "markdown")
SUFFIXES = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".md": "markdown"}
SHOWN = 100
MARKUP = re.compile(r"[\\`*\[\]<>|&~$]|(?<!\w)_|_(?!\w)")


@click.command("sql", short_help="Ask the tables in SQL: one SELECT over all months.")
@click.argument("statement", required=False)
@click.option("-f", "--file", metavar="FILE|NAME", help="Read it from a file, or a saved query.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to print it [table].")
@click.option("-o", "--output", type=_options.Place(), help="Write it to a file.")
@_options.root
def command(**flags: Any) -> None:
    """Run one SELECT, EXPLAIN or DESCRIBE over the tables, named as `forge tables` lists them.

    All months are seen, told apart by the column month. Beside the tables: rejected (with the
    column "table"), rejected_<table>, events (the archive's, of pull requests and, where kept, of
    issues), and ledger (every question of every effect, how long it took and what it cost).

    \b
    forge sql "select month, count(*) from tasks group by month"
    forge sql "select unnest(reasons), count(*) from rejected_tasks group by 1"
    forge sql "select effect, model, sum(dollars) from ledger group by all"
    """
    from forge.build import stages
    from forge.queries import answered

    settings = _options.settings(flags["root"])
    statement, output = _statement(flags["statement"], flags["file"]), flags["output"]
    form = flags["form"] or SUFFIXES.get(output.suffix if output else "", "table")
    if form == "parquet" and not output:
        raise UsageError("Parquet is no text\nname a file: -o rows.parquet")
    with answered(statement, settings, stages()) as answer:
        if output:
            _write_file(answer, form, output)
        else:
            _print(answer, form)


def _write_file(answer: "Answer", form: str, path: Path) -> None:
    from forge.outputs import written_to

    with written_to(path):
        if form == "parquet":
            answer.write_parquet(path)
            return
        with path.open("w", encoding="utf-8", newline="") as file:
            _write(answer, form, file)


def _statement(given: str | None, file: str | None) -> str:
    from forge.queries import saved_queries
    from forge.texts import read_text

    saved = saved_queries()
    if bool(given) == bool(file):
        names = ", ".join(saved)
        raise UsageError(
            f"say one statement, or -f with a file or a saved query: {names}\n"
            'such as: forge sql "from merges"'
        )
    if given or not file:
        return given or ""
    if file in saved:
        return saved[file]
    return read_text(Path(file), f"name a text file, or one of {', '.join(saved)}")


def _print(answer: "Answer", form: str) -> None:
    if form == "table":
        _print_table(answer)
    elif form == "csv" and not sys.stdout.isatty():
        _write(answer, form, sys.stdout)
    else:
        text = io.StringIO()
        _write(answer, form, text)
        _text.echo(text.getvalue().removesuffix("\n"))


def _print_table(answer: "Answer") -> None:
    rows = answer.rows()
    first = [*islice(rows, SHOWN)]
    for line in _text.table(answer.names, first, width=_text.terminal_width()):
        _text.echo(line)
    if next(rows, None) is not None:
        _text.echo(f"the first {SHOWN} rows; all by --format csv, or -o FILE", err=True)


def _write(answer: "Answer", form: str, file: IO[str]) -> None:
    writers = {"csv": _csv, "json": _json, "markdown": _markdown, "table": _whole_table}
    for text in writers[form](answer):
        file.write(text)


def _csv(answer: "Answer") -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")  # so that a cell with either is quoted
    for row in [answer.names, *_cells(answer)]:
        line.seek(line.truncate(0))
        writer.writerow(row)
        yield line.getvalue().removesuffix("\r\n") + "\n"


def _cells(answer: "Answer") -> Iterator[list[str]]:
    for row in answer.rows():
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return _text.exact(value)


def _json(answer: "Answer") -> Iterator[str]:
    rows = [dict(zip(answer.names, row, strict=True)) for row in answer.rows()]
    yield _text.to_json(rows) + "\n"


def _markdown(answer: "Answer") -> Iterator[str]:
    yield _markdown_row(answer.names) + _markdown_row(["---"] * len(answer.names))
    for row in answer.rows():
        yield _markdown_row([_text.shown(value) for value in row])


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(MARKUP.sub(r"\\\g<0>", _text.line(cell)) for cell in cells) + " |\n"


def _whole_table(answer: "Answer") -> Iterator[str]:
    for line in _text.table(answer.names, answer.rows(), width=_text.terminal_width()):
        yield line + "\n"
