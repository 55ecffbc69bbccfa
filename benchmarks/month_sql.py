"""Measure `sql/merges.sql` over the events of an hour, a day and a month.

Run `python -m benchmarks.month_sql`.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any

import click

from benchmarks.readers import peak

FIRST = datetime(2026, 3, 1)
# A month then has 9 million events and 2 million merges.
EVENTS, MERGES, OPENED = 12_000, 2_700, 3_100
REPEATED = 27
REPOSITORIES = 400_000
# One hour of a day is in full payloads, with texts.
FULL_EVERY, TEXT = 24, "Round half to even, as the ledger of the bank does. " * 28
OTHERS = ("labeled", "unlabeled", "closed", "assigned", "reopened")
BYTES = 1.5e9


@click.command()
@click.option("--hours", default=(1, 24, 744), multiple=True, show_default=True, help="sizes.")
@click.option("--folder", type=click.Path(path_type=Path), help="keep generated events here.")
def command(hours: tuple[int, ...], folder: Path | None) -> None:
    """Run the month's SQL over ever more hours, each time in a process of its own."""
    peaks = []
    with tempfile.TemporaryDirectory() as scratch:
        files = generated(folder or Path(scratch), max(hours))
        click.echo("hours    events     merges   seconds  s/million   peak MB  spilled MB")
        for number in hours:
            told = _run(files[:number], Path(scratch))
            events = number * EVENTS
            click.echo(
                f"{number:5} {events:9,} {told['rows']:10,} {told['seconds']:9.2f}"
                f" {told['seconds'] / events * 1e6:10.2f} {told['peak'] / 1e6:9.0f}"
                f" {told['spilled'] / 1e6:11.0f}"
            )
            peaks.append(told["peak"])
    click.echo(f"again: python -m benchmarks.month_sql {' '.join(sys.argv[1:])}".rstrip())
    raise SystemExit(max(peaks) > BYTES)


def generated(folder: Path, hours: int) -> list[Path]:
    """The events of each hour, as a build keeps them; what stands in the folder stays."""
    files = [folder / f"{number:03}.parquet" for number in range(hours)]
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files):
        if not path.exists():
            _write(path, number)
        if number % 100 == 0:
            click.echo(f"hour {number} of {hours}", err=True)
    return files


def _write(path: Path, number: int) -> None:
    from forge.dumps import EventWriter
    from forge.events import Events

    chance = random.Random(number)  # noqa: S311 - the same hour every time
    names = Events.column_names()
    with EventWriter(path) as writer:
        for line, (action, key) in enumerate(_told(chance, number), start=1):
            row = _row(chance, action, key) | {"line": line}
            row["hour"] = FIRST + timedelta(hours=number)
            row["created_at"] = row["hour"] + timedelta(seconds=3600 * line / EVENTS)
            if number % FULL_EVERY == 0:
                row |= _full(row)
            writer.add(tuple(row.get(name) for name in names), 1_000)


def _told(chance: random.Random, number: int) -> list[tuple[str, int]]:
    # Half of what is opened in an hour is merged in it or in the next one.
    first = number * MERGES
    told = [("merged", first + place) for place in range(MERGES - REPEATED)]
    told += [("merged", first + chance.randrange(MERGES - REPEATED)) for _ in range(REPEATED)]
    told += [("opened", first + MERGES // 2 + place) for place in range(OPENED)]
    left = EVENTS - len(told)
    told += [(chance.choice(OTHERS), chance.randrange(10**8)) for _ in range(left)]
    chance.shuffle(told)
    return told


def _row(chance: random.Random, action: str, key: int) -> dict[str, Any]:
    place = key * 7919 % REPOSITORIES
    hexes = chance.randbytes(40).hex()
    return {
        "type": "PullRequestEvent",
        "event_id": str(7_000_000_000 + chance.randrange(2_000_000_000)),
        "action": action,
        "is_merge": action == "merged",
        "repository_id": 600_000_000 + place,
        "repo": f"owner-{place % 90_000}/project-{place}",
        "number": key // REPOSITORIES + 1,
        "pull_request_id": 3_000_000_000 + key,
        "actor": f"user-{chance.randrange(200_000)}",
        "head_sha": hexes[:40],
        "head_ref": f"fix-{hexes[:6]}",
        "head_repository_id": 600_000_000 + place,
        "base_ref": "main",
        "base_sha": hexes[40:],
    }


def _full(row: dict[str, Any]) -> dict[str, Any]:
    is_merge, at = row["is_merge"], row["created_at"]
    more = {"author": row["actor"], "author_type": "User", "title": f"Round {row['head_ref']}"}
    more |= {"body": TEXT[row["line"] % 700 :], "opened_at": at, "merge_commit": row["head_sha"]}
    merged = {"action": "closed", "merged_at": at, "merger": row["actor"]}
    return more | (merged if is_merge else {})


def _run(files: list[Path], scratch: Path) -> dict[str, Any]:
    names = scratch / "files.json"
    names.write_text(json.dumps([str(file) for file in files]))
    words = [sys.executable, "-m", "benchmarks.month_sql", str(names)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(done.stderr)
    return dict(json.loads(done.stdout))


def answer(files: list[Path], scratch: Path) -> dict[str, Any]:
    """What the SQL costs as a build runs it; for a process of its own."""
    import pyarrow.parquet as pq

    from forge.events import Events
    from forge.fingerprint import sql_text
    from forge.found import Found
    from forge.run import connect, create_view

    spill, out, done, largest = scratch / "duckdb", scratch / "merges", Signal(), [0]
    watcher = Thread(target=_watch, args=(spill, done, largest))
    watcher.start()
    began = time.perf_counter()
    with connect(spill) as duck:
        create_view(duck, "events", files, Events)
        create_view(duck, "found", [], Found)
        values = {"source": "archive", "hours": None}
        duck.sql(sql_text("merges"), params=values).write_parquet(str(out))
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    rows = pq.read_metadata(out).num_rows
    return {"seconds": seconds, "peak": peak(), "spilled": largest[0], "rows": rows}


def _watch(folder: Path, done: Signal, largest: list[int]) -> None:
    while not done.wait(0.05):
        sizes = [_size(path) for path in folder.glob("*")]
        largest[0] = max(largest[0], sum(sizes))


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:  # it came and went
        return 0


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].endswith("files.json"):
        listed = Path(sys.argv[1])
        facts = answer([Path(name) for name in json.loads(listed.read_text())], listed.parent)
        print(json.dumps(facts))  # noqa: T201 - the answer
    else:
        command()
