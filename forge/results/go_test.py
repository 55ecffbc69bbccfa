"""What `go test -json` says of each test, under `<folder of its package>::<its name>`.

The text of this file is embedded in every eval.sh, so it needs nothing but the standard library.
Before the events stand lines of `go list`, which know the folder of each package.
"""

import json
import os
import re
from typing import Any, Callable, Dict, List, Optional

from forge.results.cases import Case, Result, UnreadableError

WORST_LAST = "PSFT"
LETTERS = {"pass": "P", "skip": "S", "fail": "F"}
LISTED = ("PASS\n", "FAIL\n")  # said once all tests have had their turn
INTERRUPTED = "signal: interrupt\n"
CACHED = re.compile(r"^ok\s.*\(cached\)$")
# Go before 1.24 tells of them in words only.
UNBUILT = re.compile(r"^FAIL\s+(\S+) \[(?:build|setup) failed\]$")


class Package:
    """What became of one package so far."""

    def __init__(self) -> None:
        self.running: List[str] = []
        self.is_listed = self.is_skipped = self.is_cut = False
        self.is_ended = False


def read(content: bytes, is_file: Callable[[str], bool]) -> Result:  # noqa: ARG001 - readers agree
    r"""The tests that events tell of, once each.

    >>> told = b'{"ImportPath": "a.org/b", "Dir": "b"}\n'
    >>> told += b'{"Action": "pass", "Package": "a.org/b", "Test": "TestX/y", "Elapsed": 0.5}\n'
    >>> read(told, lambda path: True)
    Result(tests=[Case(id='b::TestX/y', letter='P', seconds=0.5)], broken_files=['b'])
    """
    reader = _Reader()
    for line in content.decode("utf-8", "replace").split("\n"):
        reader.take(line)
    if not reader.packages:
        raise UnreadableError("the result file tells of no package")
    return reader.result()


class _Reader:
    def __init__(self) -> None:
        self.folders = {}  # type: Dict[str, str]
        self.packages = {}  # type: Dict[str, Package]
        self.tests = {}  # type: Dict[str, Case]

    def take(self, line: str) -> None:
        event = _event(line)
        if event is None:
            unbuilt = UNBUILT.match(line)
            if unbuilt:
                self._package(unbuilt.group(1))
        elif "Dir" in event:
            self.folders[str(event.get("ImportPath"))] = _folder(str(event["Dir"]))
        elif isinstance(event.get("Package"), str):
            self._told(event["Package"], event)

    def _told(self, name: str, event: Dict[str, Any]) -> None:
        package, action, test = self._package(name), event.get("Action"), event.get("Test")
        if action == "output":
            self._printed(package, str(event.get("Output")), is_of_test=test is not None)
        elif test is None:
            package.is_ended = package.is_ended or action in LETTERS
            package.is_skipped = package.is_skipped or action == "skip"
        elif action == "run":
            package.running.append(test)
        elif action in LETTERS:
            package.running = [other for other in package.running if other != test]
            self._add(name, test, LETTERS[action], event.get("Elapsed"))

    def _printed(self, package: Package, text: str, *, is_of_test: bool) -> None:
        package.is_cut = package.is_cut or text == INTERRUPTED
        if not is_of_test:
            package.is_listed = package.is_listed or text in LISTED
            if CACHED.match(text):
                raise UnreadableError("an earlier run's results came from a cache: " + text.strip())

    def result(self) -> Result:
        broken = set()
        for name, package in self.packages.items():
            # Its process ended in the midst of them, or was ended when the time was up.
            is_cut = package.is_cut or not package.is_ended
            for test in package.running:
                self._add(name, test, "T" if is_cut else "F", None)
            if not (package.is_listed or package.is_skipped):
                broken.add(self._path(name))
        return Result(list(self.tests.values()), sorted(broken))

    def _add(self, package: str, test: str, letter: str, seconds: Any) -> None:
        name = "{}::{}".format(self._path(package), test)
        took = round(float(seconds), 3) if isinstance(seconds, (int, float)) else 0.0
        if name in self.tests:  # of the package's own tests and of its outer ones
            earlier = self.tests[name]
            letter = max(letter, earlier.letter, key=WORST_LAST.index)
            took = round(took + earlier.seconds, 3)
        self.tests[name] = Case(name, letter, took)

    def _package(self, name: str) -> Package:
        return self.packages.setdefault(name, Package())

    def _path(self, package: str) -> str:
        return self.folders.get(package) or os.path.normpath(package)


def _event(line: str) -> Optional[Dict[str, Any]]:
    try:
        event = json.loads(line)
    except ValueError:  # words between events, or a line that was cut
        return None
    return event if isinstance(event, dict) else None


def _folder(path: str) -> str:
    return os.path.relpath(path) if os.path.isabs(path) else path
