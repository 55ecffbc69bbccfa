"""`forge` as a process of its own, and what it took."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import click

# No setting of the developer's own may change a figure.
OWN = {name: value for name, value in os.environ.items() if not name.startswith("FORGE_")}


class Took(NamedTuple):
    """Seconds of a command, seconds of the processor, and its memory at most."""

    seconds: float
    busy: float
    memory: int


def started(root: Path, *words: str, url: str, tokens: str) -> "subprocess.Popen[bytes]":
    """A command over a root, with a GitHub; what it says is lost."""
    places = {"FORGE_ROOT": str(root), "FORGE_GITHUB_URL": url, "FORGE_GITHUB_TOKENS": tokens}
    command = [sys.executable, "-m", "forge", *words]
    with (root.parent / "forge.log").open("wb") as log:
        return subprocess.Popen(command, env=OWN | places, stdout=log, stderr=log)


def took(root: Path, *words: str, url: str, tokens: str = "none") -> Took:
    """What a command takes over a root."""
    began = time.perf_counter()
    child = started(root, *words, url=url, tokens=tokens)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        said = (root.parent / "forge.log").read_text(encoding="utf-8", errors="replace")
        raise click.ClickException(f"forge {' '.join(words)}: {said[-2_000:]}")
    seconds = time.perf_counter() - began
    return Took(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def aside(write: Callable[[], None]) -> None:
    """Do it in a process of its own: a child's memory counts from that of who starts it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(write).result()
