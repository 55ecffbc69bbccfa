"""Each thing that the grader distrusts is one that an attack needs: trusted, the attack resolves.

And what no grader outside the test process can refuse, so that the README's list of it is true.
"""

import importlib.util
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from judging import FAIL_TO_PASS, GREEN, PASS_TO_PASS, TESTS, Judge, judge_of_sums

import forge.grading
from forge.forgeries import code_of, result_of

IDS = FAIL_TO_PASS + PASS_TO_PASS
LINES = "; ".join(f"echo '--- PASS: {name} (0.00s)'" for name in IDS)
# Code under test, which no reset takes away; what it does alone must not be believed.
LATE = f"""
import os, time
tests = os.getpid()
if os.fork() == 0:
    os.setsid()
    time.sleep(3)
    with open(os.environ["FORGE_RESULT"], "w") as file:
        file.write({result_of(IDS)!r})
    os._exit(0)
os._exit(0)
"""
SLEEPS = "    time.sleep(3)\n"
KILLS = """
    end = time.time() + 3
    while time.time() < end:
        os.kill(-1, 9)
"""
IMITATES = {"sums.py": code_of(["imitated_report", "exit_in_conftest"], IDS)}
EXITS = {"sums.py": code_of(["exit_in_conftest"], IDS)}

RESULT = ("os.path.join(out, 'result', 'result')", "'/testbed/result.xml'")
REWARD = ("\nreport\n", f"\nif [ -s /testbed/reward.txt ]; then {LINES}; else report; fi\n")
RESET = ('as_forge 300 /forge/bin/python3 -I -S -B "$out/bin/base.py"', "true")
PLUGINS = ("in found(rules['files']) + planted + list(settings):", "in []:")
OUTPUT = ("sed 's/>>>>>/> > >/g; s/^/| /'", "cat")
PROCESSES = ("os.kill(-1, 9)", "0")
HESITATES = ("os.kill(-1, 9)", "import time; time.sleep(1); os.kill(-1, 9)")
AS_FORGE = ("os.setresuid(65533, 1000, 65533)", "os.setresuid(1000, 1000, 1000)")
EXIT_CODE = ("bool(statuses) and not failed and not broken", 'tested.status["exit_code"] == 0')

SCRIPTS = {
    "the repository's result file is read": (RESULT, "planted_result"),
    "the repository's reward file is read": (REWARD, "planted_result"),
    "edited tests are not reset": (RESET, "edited_tests"),
    "plugins are not taken away": (PLUGINS, "plugin_passes"),
    "printed markers are believed": (OUTPUT, IMITATES),
    "processes are not ended": (PROCESSES, {"sums.py": LATE}),
}


@pytest.fixture(scope="module")
def judge(docker_engine, tmp_path_factory) -> Iterator[Judge]:  # noqa: ARG001 - skips without it
    with judge_of_sums(tmp_path_factory.mktemp("teeth")) as judge:
        yield judge


def mutated(text: str, change: tuple[str, str]) -> str:
    """The text with the one place changed that a mutation is about."""
    assert text.count(change[0]) == 1, change
    return text.replace(*change)


def grader(change: tuple[str, str]) -> Callable[..., object]:
    """`graded` of a grading module with a mutation."""
    origin = importlib.util.find_spec("forge.grading")
    source = mutated(origin.loader.get_source("forge.grading"), change)
    module = ModuleType("forge.grading")
    module.__dict__["__name__"] = forge.grading.__name__
    exec(compile(source, "grading", "exec"), module.__dict__)  # noqa: S102 - our own source
    return module.graded


@pytest.mark.parametrize("name", SCRIPTS)
def test_attack_resolves_as_soon_as_the_script_trusts_it(judge, name):
    change, attack = SCRIPTS[name]
    patch = judge.attack(attack) if isinstance(attack, str) else attack
    assert not judge.grade(patch).is_resolved
    script = mutated(judge.row["eval_script"], change)
    assert judge.grade(patch, eval_script=script).is_resolved


def test_attack_resolves_as_soon_as_the_exit_code_is_trusted(judge):
    assert not judge.grade(EXITS).is_resolved
    assert judge.grade(EXITS, by=grader(EXIT_CODE)).is_resolved


def test_process_of_the_tests_cannot_end_who_ends_it(judge):
    patch = {"sums.py": LATE.replace(SLEEPS, KILLS)}
    script = mutated(judge.row["eval_script"], HESITATES)
    assert not judge.grade(patch, eval_script=script).is_resolved
    assert judge.grade(patch, eval_script=mutated(script, AS_FORGE)).is_resolved


def test_image_without_a_copy_of_its_tests_is_not_graded(judge):
    script = judge.row["eval_script"].replace("/forge/kept.tar.gz", "/forge/no.tar.gz")
    report = judge.grade("", eval_script=script)
    assert (report.is_resolved, report.statuses) == (False, {})
    printed = judge.docker.artifacts.path(report.report).read_text()
    assert printed == "this image keeps no copy of its tests: build it again\n"


# What the README says cannot be refused, by name; the code under test is `sums.py`.
READS = f"""
import re
def add(a, b):
    with open("{TESTS}") as file:
        told = dict(re.findall(r"add\\((.*)\\) == (.*)", file.read()))
    return int(told[f"{{a}}, {{b}}"])
"""
EQUALS = """
class Anything(int):
    def __eq__(self, other):
        return True
def add(a, b):
    return Anything()
"""
PATCHES = """
from _pytest.reports import TestReport
made = TestReport.from_item_and_call.__func__
def forged(cls, item, call):
    report = made(cls, item, call)
    report.outcome = "passed"
    return report
TestReport.from_item_and_call = classmethod(forged)
def add(a, b):
    return 0
"""
SHADOWS = {"shlex.py": code_of(["planted_result", "exit_in_conftest"], IDS)}
UNREFUSED = {
    "writes the result file and leaves": code_of(["planted_result", "exit_in_conftest"], IDS),
    "writes the result file at the end": code_of(["planted_result"], IDS) + "add = None\n",
    "changes the runner in memory": PATCHES,
    "reads the hidden tests": READS,
    "returns what equals anything": EQUALS,
}


@pytest.mark.parametrize("name", UNREFUSED)
def test_code_under_test_can_still_forge(judge, name):
    report = judge.grade({"sums.py": UNREFUSED[name]})
    assert (report.is_resolved, report.statuses) == (True, GREEN)


def test_module_that_is_found_before_pythons_own_can_still_forge(judge):
    assert judge.grade(SHADOWS).is_resolved
