"""`forge build` of a served month in a process of its own, watched from outside."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import click

MONTH = "2026-03"
SECONDS = 0.2


class Watched(NamedTuple):
    """What a build took: seconds, processor seconds, and the most memory and disk at a time."""

    seconds: float
    busy: float
    memory: int
    disk: int


def built(url: str, root: Path, *, hours: int, to: str, workers: int) -> Watched:
    """Build the first hours of the month up to a table, in a root of its own."""
    words = [sys.executable, "-m", "forge", "build", "--month", MONTH, "--to", to]
    words += ["--hours", f"0-{hours - 1}"]
    places = {"FORGE_ROOT": str(root), "FORGE_ARCHIVE_URL": url, "FORGE_WORKERS": str(workers)}
    places["FORGE_MEMO"] = str(root / "memo")
    began, log = time.perf_counter(), root.parent / f"{root.name}.log"
    with log.open("wb") as out:
        child = subprocess.Popen(words, env=os.environ | places, stdout=out, stderr=out)
        memory, disk, busy = _watch(child.pid, root)
    seconds = time.perf_counter() - began
    if busy is None:
        raise click.ClickException(log.read_text(encoding="utf-8", errors="replace")[-2000:])
    return Watched(seconds, busy, memory, disk)


def _watch(pid: int, root: Path) -> tuple[int, int, float | None]:
    memory = disk = 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            busy = usage.ru_utime + usage.ru_stime
            return memory, max(disk, used(root)), None if status else busy
        memory, disk = max(memory, held(pid)), max(disk, used(root))
        time.sleep(SECONDS)


def held(pid: int) -> int:
    """Memory of a process and of all that it started; what they share counts once."""
    try:
        shares = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        threads = Path(f"/proc/{pid}/task").iterdir()
        children = [
            int(child)
            for thread in threads
            for child in (thread / "children").read_text(encoding="ascii").split()
        ]
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return 0
    own = int(shares.partition("\nPss:")[2].split()[0]) * 1024
    return own + sum(map(held, children))


def used(folder: Path) -> int:
    """Bytes that the files of a folder take on the disk."""
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.lstat().st_blocks * 512
        except FileNotFoundError:  # drafts come and go
            continue
    return found
