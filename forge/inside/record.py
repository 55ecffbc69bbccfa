"""Starts a project's own test runner, and records what becomes of each test under its own name.

    record.py list . 0 -m unittest discover          prints the tests' ids, and runs none
    record.py run . 1 tests/test_a.py -m unittest    runs those of one target, for $FORGE_RESULT

It starts in the repository and enters the folder that comes second. What it watches is in the files
`record_*.py` beside it.
"""

import functools
import importlib
import json
import os
import runpy
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Set, TextIO, Tuple

WORST_LAST = "PXSFET"
React = Callable[..., Any]


class Record:
    """What became of the tests so far; `ids` is where they are printed instead of being run."""

    def __init__(self, targets: List[str], root: str, ids: Optional[TextIO] = None) -> None:
        self.targets = [target.rstrip("/") for target in targets]
        self.root, self.ids, self.process = os.path.realpath(root), ids, os.getpid()
        self.tests: Dict[str, List[Any]] = {}
        self.broken: Set[str] = set()
        self.chosen: Dict[str, List[str]] = {}
        self.running: Optional[Tuple[object, str, float]] = None
        self.has_begun = self.is_inside = False
        self.printed = 0

    def is_others(self, owner: object) -> bool:
        """Whether somebody speaks who is under test himself: the suite of a test's own."""
        return self.running is not None and self.running[0] is not owner

    def start(self, owner: object, name: str) -> None:
        """A test runs from now on."""
        self.running, self.has_begun = (owner, name, time.monotonic()), True

    def note(self, name: str, letter: str) -> None:
        """One outcome of a test; the worst counts."""
        self.has_begun = True
        known, seconds = self.tests.get(name, (letter, 0.0))
        self.tests[name] = [max(known, letter, key=WORST_LAST.index), seconds]

    def stop(self) -> None:
        """The running test has ended; of one that was not cut, silence is an error."""
        if self.running:
            _, name, began = self.running
            if isinstance(sys.exc_info()[1], KeyboardInterrupt):
                self.note(name, "T")
            elif name not in self.tests:
                self.note(name, "E")
            self.tests[name][1] += time.monotonic() - began
        self.running = None

    def print_id(self, name: str) -> None:
        """Print an id, instead of running it."""
        self.printed += 1
        print(name.replace("\n", " "), file=self.ids, flush=True)

    def relative(self, path: str) -> str:
        """A path as the repository knows it."""
        return os.path.relpath(os.path.realpath(path), self.root)

    def is_wanted(self, path: str) -> bool:
        """Whether a file, or a package by its folder, is among the targets or above one."""
        return not self.targets or any(
            path == target or path.startswith(target + "/") or target.startswith(path + "/")
            for target in self.targets
        )

    def watch(self, owner: Any, name: str, react: React) -> None:
        """Let `react(original, self, …)` stand for a method, where a class has it itself."""
        original = vars(owner).get(name)
        if original is None:
            return

        @functools.wraps(original)
        def watched(this: Any, *args: Any, **kwargs: Any) -> Any:
            return react(functools.partial(original, this), this, *args, **kwargs)

        setattr(owner, name, watched)

    def is_whole(self, ended: Optional[BaseException]) -> bool:
        """Whether the runner came to its end, or was interrupted because the time was up."""
        is_interrupted = isinstance(ended, KeyboardInterrupt)
        is_end = ended is None or (isinstance(ended, SystemExit) and not self.is_inside)
        return self.has_begun and os.getpid() == self.process and (is_end or is_interrupted)

    def write(self, path: str) -> None:
        """The result file, with the test that was cut while it ran."""
        if self.running:
            self.note(self.running[1], "T")
        rows = [[name, letter, round(took, 3)] for name, (letter, took) in self.tests.items()]
        with open(path, "w") as file:
            json.dump({"tests": rows, "broken_files": sorted(self.broken)}, file)


def load_watchers(record: Record) -> None:
    """Start to watch; a project may have modules of our names, so ours leave no trace."""
    folder = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(name[:-3] for name in os.listdir(folder) if name.startswith("record_")):
        importlib.import_module(name).start(record)
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path != folder]


def run(command: List[str]) -> None:
    """Do as `python COMMAND…` does, in this process."""
    if command[0] != "-m":
        sys.argv = command
        sys.path.insert(0, os.path.dirname(os.path.abspath(command[0])))
        runpy.run_path(command[0], run_name="__main__")
        return
    sys.argv = command[1:]
    sys.path.insert(0, os.getcwd())
    if command[1] == "doctest":  # run as a program, it would be another module
        raise SystemExit(importlib.import_module("doctest")._test())  # noqa: SLF001 - its own main
    runpy.run_module(command[1], run_name="__main__", alter_sys=True)


def main(what: str, folder: str, count: str, *rest: str) -> None:
    """List or run the tests of some targets; only a runner that was not cut short has a result."""
    targets, command = list(rest[: int(count)]), list(rest[int(count) :])
    record = Record(targets, os.getcwd(), _apart() if what == "list" else None)
    os.chdir(folder)
    load_watchers(record)
    ended: Optional[BaseException] = None
    try:
        run(command)
    except BaseException as error:  # noqa: BLE001 - it is raised again
        ended = error
    if record.ids:
        is_listed = record.printed > 0 and record.is_whole(ended)
        is_error = ended is not None and not isinstance(ended, SystemExit)
        ended = None if is_listed else ended if is_error else SystemExit("no test is listed")
    elif record.is_whole(ended):
        record.write(os.environ["FORGE_RESULT"])
    if ended is not None:
        raise ended


def _apart() -> TextIO:
    """Standard output for the ids alone: whatever else is printed is an error's."""
    ids = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return ids


if __name__ == "__main__":
    main(*sys.argv[1:])
