"""`forge check`: whether exported rows still hold, on this machine and from themselves alone."""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from forge.cli import _options, _rows, _text
from forge.errors import InvalidError, ServiceError

SHOWN, SHOWN_TESTS = 40, 5
HEADER = ("task", "outcome", "why", "image", "seconds")
SUCH_AS = "forge check --tasks tasks.parquet -o checked.parquet"
WORST_FIRST = ("differs", "unchecked", "holds")
OF_SEVERAL = {"holds": "hold", "differs": "differ"}

Row = dict[str, Any]


@click.command("check", short_help="Verify exported tasks again, from their rows alone.")
@click.argument("instance_ids", metavar="[INSTANCE]...", nargs=-1)
@_rows.month
@_rows.tasks
@click.option("-o", "--output", required=True, type=_options.Place(),
              help="The results: .parquet or .jsonl, goes on where it ended.")  # fmt: skip
@click.option("--sample", type=click.IntRange(min=1), help="Only so many, chosen by the seed.")
@click.option("--seed", default="0", show_default=True, help="Another seed chooses others.")
@click.option("--again", is_flag=True, help="Check what was checked before, too.")
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Run each row's own script in its own image: nothing done must fail, the gold patch must pass.

    The image is the one on this machine, else it is pulled from the registry that the row names,
    else built from the row's recipe. Every test that is not as the row lists it is named. What
    the machine could not do is `unchecked`, and asked again by the same command; what was checked
    is asked again with --again only, or when its row is another. Exits with 0 when all hold, 9
    when one differs, and 4 when one could not be checked.

    \b
    forge check --tasks tasks.parquet -o checked.parquet
    forge check --tasks tasks.parquet -o checked.jsonl --sample 20 --seed monday
    forge check --month 2026-03 lanternworks__tidytext-12 -o one.jsonl
    """
    from forge.check_results import results
    from forge.checking import Tasks, check_all
    from forge.cli._progress import shown

    _rows.check_one(flags, ("month", "tasks"), SUCH_AS)
    settings = _options.settings(flags["root"])
    told = _rows.named(settings, flags["month"], flags["tasks"])
    chosen = _chosen(told, flags)
    with results(flags["output"], is_doubted=flags["again"]) as held, shown() as progress:
        found = check_all(Tasks(*told, chosen), settings, held, progress.asked)
    _tell(found, [row for row in found if row["instance_id"] not in held.new], flags)
    _end(found)


def _chosen(told: "_rows.Rows", flags: dict[str, Any]) -> set[str]:
    from forge.checking import sampled

    held = _rows.ids(told)
    _rows.check_known(told, flags["instance_ids"], held)
    chosen = list(flags["instance_ids"]) or held
    return set(sampled(chosen, flags["sample"], flags["seed"]) if flags["sample"] else chosen)


def _tell(found: list[Row], before: list[Row], flags: dict[str, Any]) -> None:
    counts = Counter(row["outcome"] for row in found)
    if flags["as_json"]:
        plain = {"results": str(flags["output"]), **{name: counts[name] for name in WORST_FIRST}}
        _text.echo(_text.to_json({**plain, "checked_before": len(before), "checks": found}))
        return
    ordered = sorted(found, key=lambda row: WORST_FIRST.index(row["outcome"]))
    for text in _text.table(HEADER, map(_cells, ordered[:SHOWN]), width=_text.terminal_width()):
        _text.echo(text)
    for row in ordered[:SHOWN]:
        _tell_why(row, flags["output"].parent)
    if len(ordered) > SHOWN:
        _text.echo(f"and {len(ordered) - SHOWN:,} more")
    _text.echo(_summary(counts, before, flags["output"]))


def _summary(counts: Counter[str], before: list[Row], output: Path) -> str:
    told = ", ".join(
        f"{counts[name]:,} {name if counts[name] == 1 else OF_SEVERAL.get(name, name)}"
        for name in reversed(WORST_FIRST)
        if counts[name]
    )
    if before:
        since = min(row["checked_at"] for row in before)
        told += f", {len(before):,} of them checked before, since {since:%Y-%m-%d}"
    if len(before) == counts.total():
        return f"{told}; --again checks them once more"
    return f"{told}; written to {output}"


def _cells(row: Row) -> tuple[Any, ...]:
    return (
        row["instance_id"],
        row["outcome"],
        row["reason"] or _counted(row["differing_tests"]),
        _seen(row),
        round(row["seconds"], 1),
    )


def _counted(differences: int | None) -> str:
    return f"{differences:,} named below" if differences else ""


def _seen(row: Row) -> str:
    """Where the image comes from, and whether it is the very one that the row was made with."""
    listed, digest = row["row_image_digest"], row["image_digest"]
    is_another = listed and digest and listed != digest
    return f"{row['image_source'] or ''}{', another' if is_another else ''}"


def _tell_why(row: Row, folder: Path) -> None:
    if row["outcome"] == "holds":
        return
    _text.echo(f"{_text.line(row['instance_id'])}: {_text.line(row['detail'] or row['outcome'])}")
    for one in (row["differences"] or ())[:SHOWN_TESTS]:
        name = f" {one['id']}" if one["id"] else ""
        _text.echo(_text.line(f"    {one['side']}{name}: {one['expected']} expected, {one['got']}"))
    if (more := (row["differing_tests"] or 0) - SHOWN_TESTS) > 0:
        _text.echo(f"    and {more:,} more")
    if row["gold_log"]:
        _text.echo(f"    log: {folder / row['gold_log']}")


def _end(found: list[Row]) -> None:
    counts = Counter(row["outcome"] for row in found)
    if counts["differs"]:
        raise InvalidError(f"{counts['differs']:,} of {len(found):,} tasks do not hold")
    if counts["unchecked"]:
        raise ServiceError(
            f"{counts['unchecked']:,} of {len(found):,} tasks could not be checked, which says "
            "nothing about them\nmend what stopped them, and run the same command again"
        )
