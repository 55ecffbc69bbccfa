"""Tiny projects that bring or choose their own runner, each with a fix and its hidden tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forge.recipes.facts import Facts, TestCommand
from forge.recipes.project import Project
from forge.recipes.runners import Running, running

SUMS = "def add(a, b):\n    return a - b\n"
GOLD = {"sums.py": "def add(a, b):\n    return a + b\n"}


@dataclass(frozen=True)
class Toy:
    """A project, the tests that its fix brings, and their ids."""

    base: Mapping[str, str]
    hidden: Mapping[str, str]
    fail_to_pass: list[str]
    pass_to_pass: list[str]
    command: str = ""
    name: str | None = None
    gold: Mapping[str, str] = field(default_factory=lambda: GOLD)

    @property
    def running(self) -> Running:
        """What forge makes of the project's files and of its command in a workflow."""
        words = tuple(self.command.split())
        commands = (TestCommand("github_actions", words),) if words else ()
        return running(Project(dict(self.base)), Facts(name=self.name, test_commands=commands))


CASES = """import unittest
from sums import add
class Sums(unittest.TestCase):
    def test_zero(self):
        self.assertEqual(add(0, 0), 0)
"""
ADDS = "    def test_add(self):\n        self.assertEqual(add(1, 1), 2)\n"
UNITTEST = Toy(
    base={"sums.py": SUMS, "tests/__init__.py": "", "tests/test_sums.py": CASES},
    hidden={"tests/test_sums.py": CASES + ADDS},
    fail_to_pass=["test_add (tests.test_sums.Sums.test_add)"],
    pass_to_pass=["test_zero (tests.test_sums.Sums.test_zero)"],
    command="coverage run -m unittest -v",
)
ZERO = "from sums import add\ndef test_zero():\n    assert add(0, 0) == 0\n"
DOCTEST = Toy(
    base={"sums.py": SUMS, "tests/zero.txt": ">>> from sums import add\n>>> add(0, 0)\n0\n"},
    hidden={"tests/one.txt": ">>> from sums import add\n>>> add(1, 1)\n2\n"},
    fail_to_pass=["one.txt"],
    pass_to_pass=["zero.txt"],
    command="python -m doctest -v tests/*.txt",
)
DISCOVER_RUNNER = """import unittest
class DiscoverRunner:
    def build_suite(self, labels):
        loader = unittest.TestLoader()
        return loader.loadTestsFromNames(labels) if labels else loader.discover("tests")
    def run_tests(self, labels):
        ended = unittest.TextTestRunner().run(self.build_suite(labels))
        return len(ended.failures) + len(ended.errors)
"""
RUNTESTS = """import argparse, sys
from django.test.utils import get_runner
parser = argparse.ArgumentParser()
parser.add_argument("--settings")
parser.add_argument("--parallel", type=int)
parser.add_argument("labels", nargs="*")
sys.exit(bool(get_runner()().run_tests(parser.parse_args().labels)))
"""
DJANGO = Toy(
    base={
        "sums.py": SUMS,
        "django/__init__.py": "",
        "django/test/__init__.py": "",
        "django/test/runner.py": DISCOVER_RUNNER,
        "django/test/utils.py": "from django.test.runner import DiscoverRunner\n"
        "def get_runner():\n    return DiscoverRunner\n",
        "tests/runtests.py": RUNTESTS,
        "tests/adding/__init__.py": "",
        "tests/adding/tests.py": CASES,
    },
    hidden={"tests/adding/tests.py": CASES + ADDS},
    fail_to_pass=["test_add (adding.tests.Sums.test_add)"],
    pass_to_pass=["test_zero (adding.tests.Sums.test_zero)"],
    name="Django",
)
SYMPY_RUNTESTS = """import inspect, sys
class PyTestReporter:
    def entering_test(self, f): print(f.__name__, end=" ")
    def test_pass(self, char="."): print("ok")
    def test_fail(self, exc_info): print("F")
    def test_exception(self, exc_info): print("E")
    def import_error(self, filename, exc_info): print("no import of", filename)
class SymPyTests:
    def __init__(self, reporter): self._reporter = reporter
    def _timeout(self, function, timeout, fail_on_timeout): function()
    def test_file(self, filename, sort=True, timeout=False):
        gl = {"__file__": filename}
        try:
            with open(filename) as file: exec(compile(file.read(), filename, "exec"), gl)
        except ImportError:
            self._reporter.import_error(filename, sys.exc_info())
            return
        for f in [f for name, f in gl.items() if name.startswith("test_")]:
            self._reporter.entering_test(f)
            try:
                self._timeout(f, timeout, False) if timeout else f()
            except AssertionError: self._reporter.test_fail(sys.exc_info())
            except Exception: self._reporter.test_exception(sys.exc_info())
            else: self._reporter.test_pass()
"""
SYMPY_INIT = """import glob, os
from sympy.testing.runtests import PyTestReporter, SymPyTests
def test(*paths, timeout):
    tests = SymPyTests(PyTestReporter())
    for path in sorted(paths or glob.glob("sympy/*/tests/test_*.py")):
        tests.test_file(os.path.abspath(path), timeout=timeout)
"""
BIN_TEST = """import argparse, os, sys
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
parser = argparse.ArgumentParser()
parser.add_argument("--no-subprocess", action="store_true")
parser.add_argument("--no-colors", action="store_true")
parser.add_argument("--timeout", type=int)
parser.add_argument("tests", nargs="*")
options = parser.parse_args()
import sympy
sympy.test(*options.tests, timeout=options.timeout)
"""
SYMPY_TEST = "sympy/core/tests/test_sums.py"
SYMPY = Toy(
    base={
        "sums.py": SUMS,
        "bin/test": BIN_TEST,
        "sympy/__init__.py": SYMPY_INIT,
        "sympy/testing/__init__.py": "",
        "sympy/testing/runtests.py": SYMPY_RUNTESTS,
        SYMPY_TEST: ZERO,
    },
    hidden={SYMPY_TEST: f"{ZERO}def test_add():\n    assert add(1, 1) == 2\n"},
    fail_to_pass=[f"{SYMPY_TEST}:test_add"],
    pass_to_pass=[f"{SYMPY_TEST}:test_zero"],
)
TOYS = {"unittest": UNITTEST, "doctest": DOCTEST, "django": DJANGO, "sympy": SYMPY}
