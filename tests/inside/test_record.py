import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forge.inside import record
from forge.results.record import read

HERE = Path(record.__file__).parent
WATCHERS = ("record.py", "record_unittest.py", "record_doctest.py")
OUTCOMES = """
import unittest
class A(unittest.TestCase):
    def test_p(self): pass
    def test_f(self): self.fail()
    def test_e(self): 1 / 0
    @unittest.skip("")
    def test_s(self): pass
    @unittest.expectedFailure
    def test_x(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i): self.assertNotEqual(i, 1)
    def test_subtest_skips(self):
        with self.subTest(i=1): self.skipTest("")
    def test_suite_of_its_own(self):
        class Inner(unittest.TestCase):
            def test_inner(self): self.fail()
        unittest.TestLoader().loadTestsFromTestCase(Inner).run(unittest.TestResult())
"""
FIXTURES = """
import unittest
class Up(unittest.TestCase):
    @classmethod
    def setUpClass(cls): 1 / 0
    def test_a(self): pass
    def test_b(self): pass
class Down(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): 1 / 0
    def test_a(self): pass
class Skips(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise unittest.SkipTest("")
    def test_a(self): pass
"""
SET_UP_MODULE = """
import unittest
def setUpModule(): 1 / 0
class A(unittest.TestCase):
    def test_a(self): pass
"""
PASSES = "import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n"
UNITTEST = ("-m", "unittest", "discover")


class Place:
    """A project, and forge's record of its tests."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder / "project", folder / "programs"
        self.programs.mkdir()
        for name in WATCHERS:
            shutil.copy(HERE / name, self.programs)
        self.result = folder / "result"

    def write(self, files: dict[str, str]) -> None:
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(content)

    def start(self, what: str, *targets: str, command: tuple[str, ...], folder: str = "."):
        words = [what, folder, str(len(targets)), *targets, *command]
        return subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, self.programs / "record.py", *words],
            cwd=self.folder,
            env={**os.environ, "FORGE_RESULT": str(self.result), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *targets: str, command: tuple[str, ...] = UNITTEST, folder: str = "."):
        """The letters by id, and what is broken."""
        self.start("run", *targets, command=command, folder=folder).communicate()
        found = read(self.result.read_bytes(), bool)
        return {short(case.id): case.letter for case in found.tests}, found.broken_files

    def listed(self, command: tuple[str, ...] = UNITTEST) -> tuple[int, list[str]]:
        process = self.start("list", command=command)
        out, _ = process.communicate()
        return process.returncode, [short(line) for line in out.splitlines()]


def short(name: str) -> str:
    """An id as Python 3.10 and older print it."""
    test, _, place = name.partition(" (")
    return f"{test} ({place.removesuffix(')').removesuffix(f'.{test}')})" if place else name


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def test_every_outcome_of_unittest_has_its_letter(place):
    place.write({"test_a.py": OUTCOMES})
    letters, broken = place.run()
    assert broken == []
    assert letters == {
        "test_p (test_a.A)": "P",
        "test_f (test_a.A)": "F",
        "test_e (test_a.A)": "E",
        "test_s (test_a.A)": "S",
        "test_x (test_a.A)": "X",
        "test_unexpected (test_a.A)": "F",
        "test_subtests (test_a.A)": "F",
        "test_subtest_skips (test_a.A)": "S",
        "test_suite_of_its_own (test_a.A)": "P",
    }


def test_set_up_speaks_for_all_its_tests_and_tear_down_for_itself(place):
    place.write({"test_a.py": FIXTURES, "test_b.py": SET_UP_MODULE})
    letters, _ = place.run()
    assert letters == {
        "test_a (test_a.Up)": "E",
        "test_b (test_a.Up)": "E",
        "test_a (test_a.Down)": "P",
        "tearDownClass (test_a.Down)": "E",
        "test_a (test_a.Skips)": "S",
        "test_a (test_b.A)": "E",
    }


def test_module_that_does_not_load_is_broken_under_both_its_names_and_one_that_skips_is_not(place):
    skips = "import unittest\nraise unittest.SkipTest('')\n"
    place.write({"tests/test_a.py": "import nowhere", "tests/test_b.py": skips})
    letters, broken = place.run(command=("-m", "unittest", "discover", "-s", "tests"))
    assert (letters, broken) == ({}, ["test_a", "tests/test_a.py"])


def test_ids_are_listed_as_they_are_run_and_what_tests_print_is_no_id(place):
    place.write({"test_a.py": "print('a (b)')\n" + OUTCOMES, "test_b.py": "import nowhere"})
    code, listed = place.listed()
    assert (code, sorted(listed)) == (0, sorted(place.run()[0]))


def test_project_without_tests_lists_none_and_fails(place):
    place.write({"a.py": ""})
    assert place.listed() == (1, [])


@pytest.mark.parametrize(
    ("targets", "modules"),
    [
        ([], ["test_a (tests.test_a.A)", "test_a (tests.unit.test_b.A)"]),
        (["tests/test_a.py"], ["test_a (tests.test_a.A)"]),
        (["tests/unit"], ["test_a (tests.unit.test_b.A)"]),
        (["tests/unit/"], ["test_a (tests.unit.test_b.A)"]),
        (["tests"], ["test_a (tests.test_a.A)", "test_a (tests.unit.test_b.A)"]),
        (["test"], []),
    ],
)
def test_runner_that_takes_no_paths_runs_those_of_the_targets(place, targets, modules):
    packages = {"tests/__init__.py": "", "tests/unit/__init__.py": ""}
    place.write({**packages, "tests/test_a.py": PASSES, "tests/unit/test_b.py": PASSES})
    assert sorted(place.run(*targets)[0]) == modules


def test_target_whose_package_does_not_load_is_broken(place):
    place.write({"tests/__init__.py": "import nowhere", "tests/test_a.py": PASSES})
    assert place.run("tests/test_a.py") == ({}, ["tests", "tests/__init__.py"])


@pytest.mark.parametrize("name", ["tests.test_b", "tests.test_b.A", "tests.test_b.A.test_a"])
def test_module_that_is_called_by_its_name_and_does_not_load_is_broken(place, name):
    place.write({"tests/__init__.py": "", "tests/test_b.py": "import nowhere"})
    found = place.run(command=("-m", "unittest", name))
    assert found == ({}, ["tests/test_b", "tests/test_b.py"])


def test_module_that_is_nowhere_is_broken_under_its_name(place):
    place.write({"tests/__init__.py": "", "tests/test_a.py": PASSES})
    command = ("-m", "unittest", "tests.test_a", "tests.test_gone")
    assert place.run(command=command) == ({"test_a (tests.test_a.A)": "P"}, ["tests/test_gone"])


def test_tests_that_a_package_loads_itself_belong_to_their_modules(place):
    loads = """
import unittest
from tests import test_a, test_b
def load_tests(loader, tests, pattern):
    return unittest.TestSuite(map(loader.loadTestsFromModule, [test_a, test_b]))
"""
    place.write({"tests/__init__.py": "", "tests/all.py": loads})
    place.write({"tests/test_a.py": PASSES, "tests/test_b.py": PASSES})
    found = place.run("tests/test_b.py", command=("-m", "unittest", "tests.all"))
    assert found == ({"test_a (tests.test_b.A)": "P"}, [])


def test_script_of_a_project_runs_in_its_folder_with_its_arguments(place):
    script = "import sys, unittest, helper\nunittest.main('test_a', argv=sys.argv[:1])\n"
    place.write({"sub/run_tests.py": script, "sub/helper.py": "", "sub/test_a.py": PASSES})
    found = place.run("sub/test_a.py", command=("run_tests.py", "-v"), folder="sub")
    assert found == ({"test_a (test_a.A)": "P"}, [])


def test_project_may_have_modules_of_our_names(place):
    own = PASSES.replace("pass", "import record, record_unittest as r; r.OWN + record.OWN")
    place.write({"record.py": "OWN = 1\n", "record_unittest.py": "OWN = 1\n", "test_a.py": own})
    assert place.run() == ({"test_a (test_a.A)": "P"}, [])


@pytest.mark.parametrize("leaves", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_runner_that_is_cut_short_has_no_result(place, leaves):
    place.write({"test_a.py": PASSES.replace("pass", f"import os; {leaves}")})
    place.start("run", command=UNITTEST).communicate()
    assert not place.result.exists()


def test_set_up_that_leaves_python_is_no_end(place):
    leaves = "import sys, unittest\nclass A(unittest.TestCase):\n    @classmethod\n"
    leaves += "    def setUpClass(cls): sys.exit(0)\n    def test_a(self): pass\n"
    place.write({"test_a.py": leaves})
    place.start("run", command=UNITTEST).communicate()
    assert not place.result.exists()


def test_process_that_a_test_forks_writes_no_result(place):
    forks = PASSES.replace("pass", "import os, sys, time; os.fork() or sys.exit(time.sleep(1))")
    place.write({"test_a.py": forks})
    assert place.run() == ({"test_a (test_a.A)": "P"}, [])


def test_test_that_runs_when_the_time_is_up_is_cut(place):
    slow = "    def test_b(self): open('here', 'w').close(); time.sleep(60)\n"
    place.write({"test_a.py": f"import time\n{PASSES}{slow}"})
    process = place.start("run", command=UNITTEST)
    while not (place.folder / "here").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate()
    found = json.loads(place.result.read_text())
    assert [(short(name), letter) for name, letter, _ in found["tests"]] == [
        ("test_a (test_a.A)", "P"),
        ("test_b (test_a.A)", "T"),
    ]


def test_doctests_have_their_own_names(place):
    module = '"""\n>>> 1\n1\n"""\ndef f():\n    """\n    >>> 1\n    2\n    """\n'
    skips = ">>> 1 / 0  # doctest: +SKIP\n"
    place.write({"pkg/a.py": module, "pkg/b.txt": skips, "c.txt": ">>> 1\n1\n"})
    command = ("-m", "doctest", "pkg/a.py", "pkg/b.txt", "c.txt")
    assert place.run(command=command) == ({"a": "P", "a.f": "F", "b.txt": "S", "c.txt": "P"}, [])
    assert place.run("pkg/b.txt", command=command) == ({"b.txt": "S"}, [])
    assert place.listed(command) == (0, ["a", "a.f", "b.txt", "c.txt"])
