"""Broken hours, read by forge and by the plain reader: `python tests/fire.py --seeds 0-1000`."""

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from mutations import Dice, hour_of
from reference_reader import Hour, read_hour

from forge import decompression, dumps
from forge.dumps import Counts, TimelineError, read_dump
from forge.events import ISSUES, PULL_REQUESTS, Events

HOUR = datetime(2026, 3, 1, 5)
SECONDS = 20
MEGABYTES = 400
HERE = Path(__file__).resolve().parent


def shared_hours() -> Path | None:
    """The real hours beside the checkout, if they are there."""
    shared = Path(os.environ.get("FORGE_SHARED", HERE.parent.parent / "shared"))
    folder = shared / "data/gharchive"
    return folder if folder.is_dir() else None


def difference(content: bytes, folder: Path, types: tuple[str, ...]) -> str | None:
    """What forge and the plain reader do not agree upon, of one hour's bytes."""
    expected = read_hour(content, hour=HOUR, types=types)
    dump, events = folder / "dump", folder / "events"
    dump.write_bytes(content)
    try:
        counts = read_dump(dump, hour=HOUR, events=events, types=types)
    except TimelineError:
        return None if expected.is_old or is_beyond(expected) else "refused as of before 2015"
    if expected.is_old:
        return "not refused as of before 2015"
    return _unlike(counts, expected, types) or _unlike_rows(events, expected)


def _unlike(counts: Counts, expected: Hour, types: tuple[str, ...]) -> str | None:
    kinds = Counter(row["type"] for row in expected.rows)
    merges = sum(row["is_merge"] for row in expected.rows)
    issues = kinds[ISSUES] if ISSUES in types else None
    wanted = (expected.lines, expected.bad_lines, kinds[PULL_REQUESTS], merges, issues)
    had = (counts.lines, counts.bad_lines, counts.pull_request_events, counts.merges)
    had = (*had, counts.issue_events)
    is_like = had == wanted or (is_beyond(expected) and had[0] > wanted[0])
    if is_like and bool(counts.damage) == bool(expected.damage):
        return None
    return (
        f"lines, bad, pulls, merges, issues {had}, damage {counts.damage}; "
        f"expected {wanted}, {expected.damage}"
    )


def is_beyond(expected: Hour) -> bool:
    """Whether ISA-L may read on: it takes a table of codes that has gaps, and zlib never does."""
    return bool(re.search("invalid .* set$|missing end-of-block$", expected.damage))


def _unlike_rows(events: Path, expected: Hour) -> str | None:
    file = pq.ParquetFile(events)
    if not file.schema_arrow.equals(columns_of_events()):
        return f"columns {file.schema_arrow}"
    if file.metadata.num_rows == 0 and not expected.rows:
        return None
    columns = file.read(use_threads=False).to_pydict()
    for name, had in columns.items():
        wanted = [row[name] for row in expected.rows]
        if had != wanted and not (is_beyond(expected) and had[: len(wanted)] == wanted):
            return f"{name} {had}, expected {wanted}"
    return None


@cache
def columns_of_events() -> pa.Schema:
    return Events.create_empty().to_arrow().schema


def fire(seeds: Iterable[int], hours: Path | None, told: Path | None = None) -> Iterator[str]:
    """What goes wrong, seed by seed; `told` always holds the seed at work, should all end."""
    with TemporaryDirectory(dir=_memory()) as folder, Path(told or os.devnull).open("w") as note:
        for seed in seeds:
            # In its place: a file emptied for each seed would wait for the disk.
            note.seek(0)
            note.write(f"{seed:12}")
            note.flush()
            since = time.perf_counter()
            found = _wrong(seed, hours, Path(folder))
            seconds = time.perf_counter() - since
            if found or seconds > SECONDS:
                yield f"seed {seed}: {found or f'took {seconds:.1f} seconds'}"[:600]


def _wrong(seed: int, hours: Path | None, folder: Path) -> str | None:
    types = (PULL_REQUESTS, ISSUES) if seed % 3 == 0 else (PULL_REQUESTS,)
    _read_in_pieces(Dice(seed))
    try:
        return difference(hour_of(seed, hours), folder, types)
    except Exception as error:  # noqa: BLE001 - nothing at all may be raised
        return f"{type(error).__name__}: {error}"


def _read_in_pieces(dice: Dice) -> None:
    # Slices are shorter than one piece, and have fewer rows than one group.
    decompression.PIECE_BYTES = dice.choice((65_536, 5_000, 200))
    decompression.OUTPUT_BYTES = dice.choice((1_048_576, 20_000, 1_000))
    dumps.GROUP_ROWS = dice.choice((8_192, 2))


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a name made by chance


def peak_megabytes() -> int:
    """The most memory that this process ever had."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1000


def main() -> int:
    """Read the hours of some seeds; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-1000", help="first and one past the last: 0-1000")
    parser.add_argument("--made", action="store_true", help="made hours, though real ones are here")
    parser.add_argument("--told", type=Path, help="a file for the seed at work")
    given = parser.parse_args()
    first, _, stop = given.seeds.partition("-")
    hours, since = None if given.made else shared_hours(), time.process_time()
    wrong = 0
    for found in fire(range(int(first), int(stop)), hours, given.told):
        wrong += 1
        print(found, flush=True)  # noqa: T201 - a command prints
    seconds, megabytes = time.process_time() - since, peak_megabytes()
    print(f"{given.seeds}: {wrong} wrong, {seconds:.0f} seconds, {megabytes} MB")  # noqa: T201 - the same
    return bool(wrong) or megabytes > MEGABYTES


if __name__ == "__main__":
    sys.exit(main())
