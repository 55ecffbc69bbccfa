"""`forge funnel`: how many rows every table kept, and what stopped the rest."""

from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text

if TYPE_CHECKING:
    from forge.report import Level, Reason

TOP = 8
HEADER = f"{'table':<16}{'in':>12}{'kept':>12}{'rejected':>12}{'open':>12}{'deferred':>12}"


@click.command("funnel", short_help="Rows in and kept, table by table, and what stopped the rest.")
@_options.month
@click.option("--top", type=click.IntRange(0), default=TOP, show_default=True,
              help="Reasons shown for each table.")  # fmt: skip
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Show one line per table, and below them the reasons of the rows that a table did not keep.

    A row counts under each criterion that it missed.
    """
    from forge.build import stages
    from forge.report import funnel
    from forge.store import Store

    settings = _options.settings(flags["root"])
    levels = funnel(Store(settings.root, flags["month"]), stages())
    _options.check_month(settings, flags["month"])
    if flags["as_json"]:
        _text.echo(_text.to_json([_plain(level) for level in levels]))
        return
    tell(levels, flags["top"])


def tell(levels: "list[Level]", top: int) -> None:
    """Print the funnel, with so many reasons for each table."""
    _text.echo(HEADER)
    for level in levels:
        _text.echo(_line(level))
    for level in levels:
        _tell_reasons(level, top)


def _line(level: "Level") -> str:
    if not level.is_built:
        return f"{level.table:<16}{'never built':>24}"
    rows_in = "" if level.rows_in is None else f"{level.rows_in:,}"
    counts = [level.rejected, level.open, level.deferred]
    fates = "".join(f"{_text.count(rows):>12}" for rows in counts)
    return f"{level.table:<16}{rows_in:>12}{level.kept:>12,}{fates}"


def _tell_reasons(level: "Level", top: int) -> None:
    if not level.reasons or not top:
        return
    _text.echo(f"\n{level.table}")
    for reason in level.reasons[:top]:
        _text.echo(_reason(reason))
    if left := level.reasons[top:]:
        _text.echo(
            f"  {sum(r.rows for r in left):>10,}  {len(left)} other reasons: --top {top * 4}"
        )


def _reason(reason: "Reason") -> str:
    fate = "" if reason.fate in {"rejected", "kept"} else f" ({reason.fate})"
    return _text.cut(f"  {reason.rows:>10,}  {_text.line(reason.reason or 'no reason')}{fate}", 80)


def _plain(level: "Level") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(level)
