"""What the flags of `forge build` select."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.cli import _options
from forge.errors import UsageError

if TYPE_CHECKING:
    from forge.selection import Selection

FIRST_EVENTS = "2015-01"
HOURS = re.compile("[0-9]{1,5}(-[0-9]{1,5})?")


def read_selection(flags: dict[str, Any]) -> "Selection":
    """The selection that the flags say; UsageError where they contradict each other."""
    from forge import pools
    from forge.cli._sources import read_argument
    from forge.selection import Selection

    source, month, named = _source(flags)
    return Selection(
        month=month,
        window=read_window(flags["hours"], month) if flags["hours"] is not None else None,
        keep=tuple(sorted(flags["keep"])),
        source=source,
        named=named,
        sample=_share(flags["sample"]) if flags["sample"] else None,
        per_repository=flags["per_repository"],
        tasks=flags["tasks"],
        difficulty=tuple(sorted({*flags["difficulty"]})),
        hand_recipes=pools.read_hand_recipes(_options.settings().recipes),
        **read_argument(flags["source"], flags["address"]),
        **_read(flags),
    )


def _read(flags: dict[str, Any]) -> dict[str, Any]:
    from forge import pools

    readers = {
        "exclude": ("exclude", pools.read_exclusions),
        "chosen": ("repositories", pools.read_repositories),
    }
    given = {field: (read, flags[flag]) for field, (flag, read) in readers.items()}
    return {field: read(file) for field, (read, file) in given.items() if file}


def _source(flags: dict[str, Any]) -> tuple[str, str, tuple[Any, ...]]:
    from forge import pools
    from forge.cli._sources import EXAMPLES
    from forge.selection import GITHUB_SOURCES

    files = [flags[name] for name in ("pool", "rows") if flags[name]]
    if len(files) + bool(flags["month"]) != 1:
        raise UsageError(
            "say what to build: one of --month, --pool or --rows\n"
            "such as: forge build --month 2026-03"
        )
    if files and flags["source"] in GITHUB_SOURCES:
        raise UsageError(
            f"--source {flags['source']} lists a month, and --pool and --rows name their own\n"
            f"such as: {EXAMPLES[flags['source']]}"
        )
    if files:
        read = pools.read_pool if flags["pool"] else pools.read_rows
        return "pool", _pool(files[0]), read(files[0])
    return flags["source"], read_month(flags["month"]), ()


def _pool(file: Path) -> str:
    # It names a folder, which readers of Hive partitions take apart at `=`.
    if not re.fullmatch(r"[\w.+ -]+", file.stem):
        raise UsageError(
            f"{file.name!r} cannot name a pool\n"
            "call the file by letters, digits, dots, hyphens and spaces"
        )
    return f"pool-{file.stem}"


def read_month(month: str) -> str:
    """A month that the archive may have."""
    from forge.selection import first_hour

    first = first_hour(month)
    if month < FIRST_EVENTS:
        raise UsageError(
            f"{month}-01-0 is in the Timeline format of before 2015, which forge does not read\n"
            f"choose a month from {FIRST_EVENTS} on"
        )
    if first > datetime.now(UTC).replace(tzinfo=None):
        raise UsageError(f"{month} has not begun\nchoose a month that has")
    return month


def read_window(text: str, month: str) -> tuple[int, ...]:
    """Hours of a month, counted from its first."""
    from forge.selection import hours_of

    chosen, last = window(text), len(hours_of(month)) - 1
    if last >= 0 and chosen[-1] > last:
        raise UsageError(f"{month} has no hour {chosen[-1]}\nsay hours from 0 to {last}")
    return chosen


def window(text: str) -> tuple[int, ...]:
    """Hours counted from a month's first.

    >>> window("0-2,48")
    (0, 1, 2, 48)
    """
    hours: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        if not HOURS.fullmatch(piece) or int(last or first) < int(first):
            raise UsageError(f"not hours: {text!r}\nsay them as 0-23,48")
        hours.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(hours))


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 < share <= 1:
        raise UsageError(f"not a share: {text!r}\nsay it as 1% or 0.01")
    return share
