"""Watches SymPy's own runner, which has been in two places; ids are `path:function`."""

import contextlib
import functools
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge.inside.record import React, Record

LETTERS = {
    "test_pass": "P",
    "test_xpass": "P",
    "test_xfail": "X",
    "test_skip": "S",
    "test_fail": "F",
    "test_exception": "F",
    "import_error": "E",
}


def start(record: "Record") -> None:
    """Take note of what the runner reports."""
    runtests = _runtests()
    watcher = _Watcher(record)
    record.watch(runtests.SymPyTests, "test_file", watcher.enter_file)
    record.watch(runtests.PyTestReporter, "entering_test", watcher.enter_test)
    for method, letter in LETTERS.items():
        outcome = functools.partial(watcher.outcome, letter)
        record.watch(runtests.PyTestReporter, method, outcome)
    if record.ids:  # with a limit of time, this is what runs a test
        record.watch(runtests.SymPyTests, "_timeout", lambda *_told: None)


class _Watcher:
    def __init__(self, record: "Record") -> None:
        self.record, self.file = record, ""

    def enter_file(self, original: "React", _tests: Any, path: str, *a: Any, **more: Any) -> Any:
        self.record.has_begun = True
        self.file = self.record.relative(path)
        return original(path, *a, **more)

    def enter_test(self, original: "React", owner: Any, function: Any) -> Any:
        name = "{}:{}".format(self.file, function.__name__)
        self.record.start(owner, name)
        if self.record.ids:
            self.record.print_id(name)
        return original(function)

    def outcome(self, letter: str, original: "React", _owner: Any, *told: Any) -> Any:
        if self.record.running:
            self.record.note(self.record.running[1], letter)
            self.record.stop()
        else:
            self.record.broken.add(self.file)
        return original(*told)


def _runtests() -> Any:
    with contextlib.suppress(ImportError):
        return importlib.import_module("sympy.testing.runtests")
    return importlib.import_module("sympy.utilities.runtests")
