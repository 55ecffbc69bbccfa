"""Progress on stderr, and one line per committed part on stdout."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from forge.cli import _text

if TYPE_CHECKING:
    from forge.build import Outcome

PLAIN_SECONDS = 10


class Shown:
    """A bar per effect on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}
        self.told = time.monotonic()

    def asked(self, effect: str, done: int, total: int) -> None:
        """So many of an effect's questions are answered."""
        if not self.bars.console.is_terminal:
            self._tell(effect, done, total)
        elif effect not in self.tasks:
            self.tasks[effect] = self.bars.add_task(effect, completed=done, total=total)
        else:
            self.bars.update(self.tasks[effect], completed=done, total=total)

    def _tell(self, effect: str, done: int, total: int) -> None:
        if time.monotonic() - self.told > PLAIN_SECONDS:
            self.told = time.monotonic()
            _text.echo(f"{effect}: {done:,} of {total:,}", err=True)

    def committed(self, outcome: "Outcome", *, to_stdout: bool) -> None:
        """A part is on disk."""
        for task in self.tasks.values():
            self.bars.remove_task(task)
        self.tasks.clear()
        if to_stdout:
            self.bars.console.file.flush()
            _text.echo(line(outcome))


def line(outcome: "Outcome") -> str:
    """One part in one line: what it holds, and why the rest is not in it."""
    record = outcome.record
    fates = {"rejected": record.rejected, "open": record.open, "deferred": record.deferred}
    counts = [f"{rows:,} {fate}" for fate, rows in fates.items() if rows]
    state = "fresh" if outcome.is_fresh else f"{record.seconds:.1f} s"
    name = outcome.table if outcome.part == "part" else f"{outcome.table}/{outcome.part}"
    return f"{name:<24} {record.rows:>9,} rows  {state:>9}  {', '.join(counts)}".rstrip()


@contextmanager
def shown() -> Iterator[Shown]:
    """Progress for as long as the block runs."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(file=sys.stderr)
    is_hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=is_hidden) as bars:
        yield Shown(bars)
