"""Watches unittest, and runners that stand on it: Django's, setuptools', nose and nose2."""

import contextlib
import functools
import importlib
import os
import sys
import unittest
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

if TYPE_CHECKING:
    from forge.inside.record import React, Record

LETTERS = {
    "addSuccess": "P",
    "addExpectedFailure": "X",
    "addSkip": "S",
    "addFailure": "F",
    "addUnexpectedSuccess": "F",
    "addError": "E",
}
# No tests, but what stands for a module that did not load, or that skipped itself, or a fixture.
BROKEN = ("_FailedTest", "ModuleImportFailure", "LoadTestsFailure", "Failure")
SKIPPED, FIXTURE = "ModuleSkipped", "_ErrorHolder"
ENDINGS = (".py", "/__init__.py")


def start(record: "Record") -> None:
    """Take note of what results are told, and choose what the outermost suite runs."""
    _Suites(record).watch()
    _Results(record).watch(unittest.TestResult)
    with contextlib.suppress(ImportError):
        _Results(record).watch(importlib.import_module("nose2.result").PluggableTestResult)


class _Results:
    def __init__(self, record: "Record") -> None:
        self.record = record

    def watch(self, results: Any) -> None:
        self.record.watch(results, "startTest", self.start)
        self.record.watch(results, "stopTest", self.stop)
        self.record.watch(results, "addSubTest", self.subtest)
        for method, letter in LETTERS.items():
            self.record.watch(results, method, functools.partial(self.outcome, letter))

    def start(self, original: "React", owner: object, test: Any) -> Any:
        if not self.record.is_others(owner) and _is_test(test):
            self.record.start(owner, str(test))
        return original(test)

    def stop(self, original: "React", owner: object, test: Any) -> Any:
        if not self.record.is_others(owner):
            self.record.stop()
        return original(test)

    def subtest(self, original: "React", owner: object, test: Any, part: Any, error: Any) -> Any:
        if error is not None and not self.record.is_others(owner):
            is_failure = issubclass(error[0], test.failureException)
            self.record.note(str(test), "F" if is_failure else "E")
        return original(test, part, error)

    def outcome(self, letter: str, original: "React", owner: object, test: Any, *told: Any) -> Any:
        if not self.record.is_others(owner):
            self.note(getattr(test, "test_case", test), letter)  # a part that skips is no test
        return original(test, *told)

    def note(self, test: Any, letter: str) -> None:
        kind = type(test).__name__
        if kind == FIXTURE:
            self.note_fixture(str(test), letter)
        elif kind in BROKEN:
            self.note_broken(test)
        elif kind != SKIPPED:
            self.record.note(str(test), letter)

    def note_fixture(self, name: str, letter: str) -> None:
        # What sets up speaks for all tests of its class or module; what tears down, for itself.
        step, _, place = name.partition(" (")
        own = [t for t, places in self.record.chosen.items() if place.rstrip(")") in places]
        for test in own if step.startswith("setUp") and own else [name]:
            self.record.note(test, letter)

    def note_broken(self, test: Any) -> None:
        self.record.has_begun = True
        module, files = _module(test)
        self.record.broken.update([module, *map(self.record.relative, files)])


class _Suites:
    def __init__(self, record: "Record") -> None:
        self.record = record
        self.modules: Dict[int, str] = {}

    def watch(self) -> None:
        self.record.watch(unittest.TestSuite, "run", self.run)
        self.record.watch(unittest.TestLoader, "loadTestsFromModule", self.load)
        self.record.watch(unittest.TestLoader, "loadTestsFromName", self.load_name)

    def load(self, original: "React", _loader: Any, module: Any, *args: Any, **more: Any) -> Any:
        suite = original(module, *args, **more)
        for test in _tests(suite):
            # By the innermost module that lists it: a package may load its modules itself.
            self.modules.setdefault(id(test), getattr(module, "__file__", None) or "")
        return suite

    def load_name(self, original: "React", _loader: Any, name: str, *args: Any) -> Any:
        suite = original(name, *args)
        for test in _tests(suite):
            if type(test).__name__ in BROKEN:
                test.forge_name = name  # the test itself knows only the last part of it
        return suite

    def run(self, original: "React", suite: Any, result: Any, *args: Any) -> Any:
        record = self.record
        if record.is_inside or record.running:
            return original(result, *args)
        record.has_begun = record.is_inside = True
        self.prune(suite)
        chosen = list(filter(_is_test, _tests(suite)))
        record.chosen.update((str(test), _fixtures(test)) for test in chosen)
        for test in chosen if record.ids else []:
            record.print_id(str(test))
        ended = result if record.ids else original(result, *args)
        record.is_inside = False
        return ended

    def prune(self, suite: Any) -> Any:
        kept = []
        for part in suite:
            if hasattr(part, "__iter__"):
                kept.append(self.prune(part))
                continue
            places = self.places(part)
            if not places or any(map(self.record.is_wanted, places)):
                kept.append(part)
        suite._tests = kept  # noqa: SLF001 - a suite has no other way to lose a test
        return suite

    def places(self, test: Any) -> List[str]:
        """Paths of which one must be wanted: the module that lists a test, or what is broken."""
        if type(test).__name__ in BROKEN:
            found = [self.record.relative(path) for path in _module(test)[1]]
            return [p[: -len("/__init__.py")] if p.endswith(ENDINGS[1]) else p for p in found]
        own = getattr(sys.modules.get(type(test).__module__), "__file__", None)
        path = self.modules.get(id(test)) or own
        return [self.record.relative(path)] if path else []


def _tests(suite: Any) -> Iterator[Any]:
    if not hasattr(suite, "__iter__"):
        yield suite
        return
    for part in suite:
        yield from _tests(part)


def _is_test(test: Any) -> bool:
    return type(test).__name__ not in (*BROKEN, SKIPPED, FIXTURE)


def _fixtures(test: Any) -> List[str]:
    module = str(type(test).__module__)
    return [module, "{}.{}".format(module, type(test).__qualname__)]


def _module(test: Any) -> Tuple[str, List[str]]:
    """The module that did not load, as a path without ending, and its file where there is one."""
    name = getattr(test, "forge_name", None) or getattr(test, "_testMethodName", None) or str(test)
    names = str(name).split(".")
    for depth in range(len(names), 0, -1):
        module = "/".join(names[:depth])
        endings = ENDINGS if depth == len(names) else ENDINGS[:1]  # below it, a class or a test
        paths = (os.path.join(folder, module) + end for folder in sys.path for end in endings)
        found = [path for path in paths if os.path.isfile(path)][:1]
        if found:
            return module, found
    return "/".join(names), []
