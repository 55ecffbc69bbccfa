"""Measure `merges` of a generated month end to end: time, memory and disk, from a loopback archive.

Run `python -m benchmarks.month`; a whole month takes 30 GB of scratch at most, and wants a quiet
machine. `--hours` takes less of it.
"""

import os
import sys
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from benchmarks.builds import Watched, built
from benchmarks.generated_hours import GZIP, LINES, PULLS, Hour, write_member
from benchmarks.hours import decompressing
from benchmarks.served import serving

FIRST = datetime(2026, 3, 1)
SHARED = 3
FAST = 1


@dataclass
class Month:
    """Hours that share events of other types, each with pull request events of its own."""

    folder: Path

    def __post_init__(self) -> None:
        """Generate what the hours are made of."""
        drawn = Hour("trimmed", FIRST, 7)
        names = drawn.types(LINES["trimmed"])
        pulls = [name for name in names if name == PULLS]
        others = [name for name in names if name != PULLS]
        self.pulls = b"".join(line + b"\n" for line in drawn.lines(pulls))
        self.shared = [
            write_member(self.folder / f"others-{number}", drawn.lines(others))
            for number in range(SHARED)
        ]

    def files(self, name: str) -> Sequence[Path]:
        """The members of an hour."""
        number = (datetime.strptime(name, "%Y-%m-%d-%H") - FIRST) // timedelta(hours=1)
        own = self.folder / name
        if not own.exists():
            own.write_bytes(self._own(number))
        return [own, self.shared[number % SHARED]]

    def _own(self, number: int) -> bytes:
        # Another number for every pull request: all keys of the month are distinct.
        lines = self.pulls.replace(b'"number":', b'"number":%d' % (number + 1))
        at = FIRST + timedelta(hours=number)
        lines = lines.replace(f"{FIRST:%Y-%m-%dT%H:}".encode(), f"{at:%Y-%m-%dT%H:}".encode())
        gz = zlib.compressobj(FAST, wbits=GZIP)
        return gz.compress(lines) + gz.flush()


@click.command()
@click.option("--hours", default=744, show_default=True, help="hours of the month.")
@click.option("--workers", default=os.cpu_count() or 2, help="processes that read.")
def command(hours: int, workers: int) -> None:
    """Build the merges of a month, and compare with decompressing its files."""
    with tempfile.TemporaryDirectory() as scratch:
        click.echo("generating", err=True)
        month = Month(Path(scratch))
        names = [f"{FIRST + timedelta(hours=n):%Y-%m-%d-}{n % 24}" for n in range(hours)]
        size = sum(path.stat().st_size for name in names for path in month.files(name))
        alone = hours * decompressing(_joined(month, names[0], Path(scratch) / "one.json.gz"))
        click.echo(f"building {hours} hours, {size / 1e9:.1f} GB", err=True)
        root = Path(scratch) / "root"
        with serving(month.files) as url:
            took = built(url, root, hours=hours, to="merges", workers=workers)
        _tell(took, root, alone, workers)
    click.echo(f"again: python -m benchmarks.month {' '.join(sys.argv[1:])}".rstrip())


def _joined(month: Month, name: str, path: Path) -> Path:
    path.write_bytes(b"".join(member.read_bytes() for member in month.files(name)))
    return path


def _tell(took: Watched, root: Path, alone: float, workers: int) -> None:
    import polars as pl

    from benchmarks.builds import used

    rows = pl.scan_parquet(root / "merges/**/*.parquet").select(pl.len()).collect().item()
    click.echo(f"merges            {rows:12,}")
    click.echo(f"time              {took.seconds:12.1f} s  with {workers} processes")
    click.echo(f"processor time    {took.busy:12.1f} s  {took.busy / alone:.2f} times ISA-L's own")
    click.echo(f"ISA-L alone       {alone:12.1f} s  on one core")
    click.echo(f"memory            {took.memory / 1e6:12.0f} MB  of all processes, at most")
    click.echo(f"disk              {used(root) / 1e6:12.0f} MB  in the end")
    click.echo(f"disk              {took.disk / 1e6:12.0f} MB  at most")


if __name__ == "__main__":
    command()
