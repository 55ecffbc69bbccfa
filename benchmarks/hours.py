"""Measure what reading an hour of the archive costs, beside decompressing it and beside others.

Run `python -m benchmarks.hours [FILES]`; without FILES two hours are generated, one of each era.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from benchmarks.generated_hours import write_hour
from benchmarks.readers import READERS

RUST = "Rust"
RUST_FOLDER = Path(__file__).parent / "rust_reader"
BYTES = 400e6


class Bound(NamedTuple):
    """How many times longer one reader may take than another, or must."""

    reader: str
    other: str
    most: float

    def misses(self, seconds: dict[str, float]) -> bool:
        """Whether it is broken, as far as both were measured."""
        if not {self.reader, self.other} <= seconds.keys():
            return False
        return seconds[self.reader] > self.most * seconds[self.other]


BOUNDS = (
    Bound("forge", "ISA-L", 2.5),
    Bound("forge, issues", "ISA-L", 4.5),
    Bound("forge", "DuckDB", 1 / 3),
    Bound("forge", RUST, 1),
)


class Reading(NamedTuple):
    """The best of several runs: processor seconds, the most memory held, and what was found."""

    seconds: float
    peak: int
    found: dict[str, Any]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--times", default=5, show_default=True, help="runs of each, in turns.")
@click.option("--folder", type=click.Path(path_type=Path), help="keep generated hours here.")
def command(files: tuple[Path, ...], times: int, folder: Path | None) -> None:
    """Read hours in every way, each in a process of its own on one core; best of several runs."""
    with tempfile.TemporaryDirectory() as scratch:
        kept = folder or Path(scratch)
        commands = dict(_commands(Path(scratch)))
        misses = [
            f"{file.name}: {miss}"
            for file in files or generated(kept)
            for miss in _shown(file, _measured(commands, file, times))
        ]
    for miss in misses:
        click.echo(miss)
    click.echo(f"again: python -m benchmarks.hours {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(bool(misses))


def generated(folder: Path) -> Iterator[Path]:
    """An hour of each era; what stands in the folder is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for era, hour in (("full", datetime(2018, 8, 15, 14)), ("trimmed", datetime(2026, 3, 11, 14))):
        path = folder / f"{era}.json.gz"
        if not path.exists():
            click.echo(f"generating {path}", err=True)
            write_hour(path, era=era, hour=hour)  # type: ignore[arg-type]  # one of the two eras
        yield path


def decompressing(file: Path) -> float:
    """Processor seconds that ISA-L alone takes, the best of three."""
    words = [sys.executable, "-m", "benchmarks.readers", "ISA-L", str(file)]
    return min(_read(words).seconds for _ in range(3))


def _commands(scratch: Path) -> Iterator[tuple[str, list[str]]]:
    for name in READERS:
        yield name, [sys.executable, "-m", "benchmarks.readers", name]
    if shutil.which("cargo") is None:
        click.echo(f"{RUST}: not measured, there is no cargo", err=True)
        return
    click.echo("building the reader in Rust", err=True)
    build = ["cargo", "build", "--release", "--quiet", "--target-dir", str(scratch / "rust")]
    if subprocess.run(build, cwd=RUST_FOLDER, check=False).returncode:
        click.echo(f"{RUST}: not measured, cargo cannot build it", err=True)
        return
    yield RUST, [str(scratch / "rust/release/rust_reader")]


def _measured(commands: dict[str, list[str]], file: Path, times: int) -> dict[str, Reading]:
    best: dict[str, Reading] = {}
    for number in range(times):
        click.echo(f"{file.name}: run {number + 1} of {times}", err=True)
        for name, words in commands.items():
            reading = _read([*words, str(file)])
            earlier = best.get(name, reading)
            peak = max(reading.peak, earlier.peak)
            best[name] = min(reading, earlier)._replace(peak=peak)
    return best


def _read(words: list[str]) -> Reading:
    with one_core():
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"{' '.join(words)} failed:\n{done.stderr}")
    told = json.loads(done.stdout)
    return Reading(told.pop("seconds"), told.pop("peak"), told)


@contextmanager
def one_core() -> Iterator[None]:
    """Children that are started meanwhile run on one processor."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _shown(file: Path, readings: dict[str, Reading]) -> list[str]:
    bases = [readings[name] for name in ("ISA-L", "ISA-L, pieces")]
    gz, raw = file.stat().st_size, bases[0].found["raw"]
    click.echo(f"{file.name}: {gz / 1e6:.1f} MB, decompressed {raw / 1e6:.1f} MB")
    click.echo("                 seconds   x ISA-L  x pieces   peak MB    rows  merges")
    for name, (seconds, peak, found) in readings.items():
        ratios = "".join(f" {seconds / base.seconds:9.2f}" for base in bases)
        counts = "".join(f"{found.get(key, ''):>8}" for key in ("rows", "merges"))
        click.echo(f"  {name:14} {seconds:8.3f}{ratios} {peak / 1e6:9.0f}{counts}")
    return [*_misses(readings)]


def _misses(readings: dict[str, Reading]) -> Iterator[str]:
    seconds = {name: reading.seconds for name, reading in readings.items()}
    for bound in BOUNDS:
        if bound.misses(seconds):
            ratio = seconds[bound.reader] / seconds[bound.other]
            yield f"{bound.reader} takes {ratio:.2f} of {bound.other}, above {bound.most:.2f}"
    for name in ("forge", "forge, issues"):
        if readings[name].peak > BYTES:
            yield f"{name} holds {readings[name].peak / 1e6:.0f} MB"
    if len({found["merges"] for _, _, found in readings.values() if "merges" in found}) > 1:
        yield "the readers do not find the same merges"


if __name__ == "__main__":
    command()
