"""Text and tables for a terminal: whatever the data holds, it cannot command the terminal.

Titles, paths and test names come from strangers. Control characters (terminal escapes begin with
one), marks that reorder or hide text or join signs, and lone surrogates are shown as escapes: what
is left takes as many cells on one terminal as on another.
"""

import json
import math
import re
import shutil
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import click

CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
LAYOUT = "\t\n"
HIDDEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
)
BEYOND = (
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U0001f3fb-\U0001f3ff"
)
TAGS = "\U000e0000-\U000e0fff"
SURROGATES = "\ud800-\udfff"
UNSAFE = re.compile(f"[{CONTROLS}{HIDDEN}{BEYOND}{TAGS}{SURROGATES}]")
UNSAFE_IN_LINE = re.compile(f"[{CONTROLS}{LAYOUT}{HIDDEN}{BEYOND}{TAGS}{SURROGATES}]")
LAYOUT_NAMES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
NARROWEST = 8
MARKS = 4
"""Characters that a cell may hold: those that stack take none of their own."""
LONGEST = 8_000
"""Characters of one message on stderr, before its last."""
HINT = 500
GAP = "  "


def echo(text: str, *, err: bool = False) -> None:
    """Print a block of text; the only way in which commands print what data may hold."""
    click.echo(block(text), err=err)


def message(text: str) -> str:
    """What may quote somebody's file, without the middle that nobody reads; hints stand last."""
    left = len(text) - LONGEST - HINT
    return text if left <= 0 else f"{text[:LONGEST]} … {left:,} characters … {text[-HINT:]}"


def block(text: str) -> str:
    r"""The text with line breaks as they are, and everything unsafe as an escape.

    >>> block("red\x1b[31m\nback")
    'red\\x1b[31m\nback'
    """
    return UNSAFE.sub(_escaped, text.replace("\t", "    "))


def line(text: str) -> str:
    r"""The text on one line.

    >>> line("one\ntwo\u202e")
    'one\\ntwo\\u202e'
    """
    return UNSAFE_IN_LINE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    number = ord(sign)
    if sign in LAYOUT_NAMES:
        return LAYOUT_NAMES[sign]
    if number < 256:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def to_json(value: Any) -> str:
    """JSON that a terminal may show; what is unsafe stays exact, as JSON's own escapes."""
    text = json.dumps(_finite(value), ensure_ascii=False, indent=1, default=plain)
    return UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _finite(value: Any) -> Any:
    """The value with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _finite(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any) -> Any:
    """What JSON has no type for, as text."""
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def shown(value: Any) -> str:
    """A value on one line.

    >>> shown(None), shown(True), shown([1, {"id": "a"}]), shown(datetime(2026, 3, 1, 12))
    ('null', 'true', '[1, {"id": "a"}]', '2026-03-01 12:00:00')
    """
    if isinstance(value, str):
        return line(value)
    return line(exact(value))


def exact(value: Any) -> str:
    """A value that is no text, as text."""
    if value is None or isinstance(value, bool | list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=plain)
    return value.hex() if isinstance(value, bytes) else str(value)


def cells(text: str) -> int:
    """How many cells of the terminal the text takes on one line."""
    from rich.cells import cell_len

    return cell_len(line(text))


def cut(text: str, cells: int) -> str:
    """The text within so many cells of the terminal, with an ellipsis where it was longer.

    >>> cut("漢字漢字", 5)
    '漢字…'
    """
    from rich.cells import cell_len, chop_cells

    short = text[: cells * MARKS]
    if len(short) == len(text) and cell_len(text) <= cells:
        return text
    return chop_cells(short, cells - 1)[0].rstrip() + "…"


def terminal_width() -> int:
    """Cells in a line: the terminal's, COLUMNS, or 80."""
    return shutil.get_terminal_size((80, 24)).columns


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int) -> list[str]:
    """Rows in aligned columns no wider than `width`; one column a line where there are too many."""
    names, values = [line(name) for name in header], [*rows]
    cells = [[shown(value) for value in row] for row in values]
    if len(names) * (NARROWEST + len(GAP)) > width:
        return _records(names, cells, width)
    widths = _widths([names, *cells], width)
    right = [_is_number(column) for column in zip(*values, strict=True)] or [False] * len(names)
    return [_row(names, widths, right), _row(["-" * n for n in widths], widths, right)] + [
        _row(row, widths, right) for row in cells
    ]


def _is_number(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in known
    )


def _widths(cells: list[list[str]], width: int) -> list[int]:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column), default=0) for column in zip(*cells, strict=True)]
    available = width - len(GAP) * (len(widths) - 1)
    share = max(widths, default=0)
    while sum(min(n, share) for n in widths) > available and share > NARROWEST:
        share -= 1
    return [min(n, share) for n in widths]


def _row(cells: Sequence[str], widths: list[int], right: list[bool]) -> str:
    parts = [pad(*cell) for cell in zip(cells, widths, right, strict=True)]
    return GAP.join(parts).rstrip()


def pad(text: str, cells: int, right: bool = False) -> str:  # noqa: FBT001, FBT002 - alignment
    """The text in exactly so many cells."""
    from rich.cells import cell_len

    fitting = cut(text, cells)
    blanks = " " * (cells - cell_len(fitting))
    return blanks + fitting if right else fitting + blanks


def _records(names: list[str], rows: list[list[str]], width: int) -> list[str]:
    from rich.cells import cell_len

    left = min(max(map(cell_len, names), default=0), width // 2)
    found: list[str] = []
    for number, row in enumerate(rows, 1):
        found.append(f"-- row {number}")
        found += [
            cut(f"{pad(name, left)}{GAP}{value}", width)
            for name, value in zip(names, row, strict=True)
        ]
    return found


def wrapped(pieces: Iterable[str], *, indent: str, width: int) -> list[str]:
    """Pieces joined by ` · `, broken between pieces, each line within `width`."""
    from rich.cells import cell_len

    lines: list[str] = []
    for piece in pieces:
        fitting = cut(piece, width - len(indent))
        if lines and cell_len(lines[-1]) + 3 + cell_len(fitting) <= width:
            lines[-1] += f" · {fitting}"
        else:
            lines.append(indent + fitting)
    return lines


def size(number: int) -> str:
    """Bytes in the unit that reads best.

    >>> size(999), size(1_500_000)
    ('999 B', '1.5 MB')
    """
    value, units = float(number), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.95 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def count(number: int) -> str:
    """A count, or a dash for none."""
    return f"{number:,}" if number else "-"
