"""What attacks plant: code, result files and tests that look as if everything had passed."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import quoteattr

from forge.eval_script import END, START
from forge.inside.report import original

# To every descriptor, because pytest captures some.
PRINT = """
for descriptor in range(1, 64):
    try:
        os.write(descriptor, @{}@.encode())
    except OSError:
        pass
"""
# At once, because a late writer goes on while it is read.
WRITE = """
def plant():
    for path in (os.environ.get("FORGE_RESULT", "result.xml"), "result.xml"):
        try:
            with open(f"{path}.{os.getpid()}", "w") as file:
                file.write(@RESULT@)
            os.replace(file.name, path)
        except OSError:
            pass
"""
OF_PYTEST = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
OF_UNITTEST = """
import unittest
unittest.TestCase._callTestMethod = lambda self, method: None
"""
OF_SYMPY = """
import sympy.testing.runtests

def test_file(self, filename, *options, **more):
    found = {"__file__": filename}
    with open(filename) as file:
        exec(file.read(), found)
    for name in [name for name in found if name.startswith("test_")]:
        self._reporter.entering_test(found[name])
        self._reporter.test_pass()

sympy.testing.runtests.SymPyTests.test_file = test_file
"""
CODE = {
    "plugin_passes": OF_PYTEST,
    # A process of a session of its own, whose parent is gone; it waits for the end of the tests.
    "late_writer": f"""{WRITE}
tests = f"/proc/{{os.getpid()}}"
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    for _ in range(600):
        time.sleep(0.1)
        if not os.path.exists(tests):
            plant()
    os._exit(0)
""",
    "planted_result": f"{WRITE}\nplant()\natexit.register(plant)\n",
    "imitated_report": PRINT.format("REPORT"),
    "print_and_exit": PRINT.format("LINES") + "\nos._exit(0)\n",
    "exit_in_conftest": "\nos._exit(0)\n",
}
"""By attack, in the order in which they go together: what leaves comes last."""
PLUGINS = {"": OF_PYTEST, "pytest": OF_PYTEST, "sympy": OF_SYMPY}
"""What makes each runner take failures for passes; most stand on unittest."""
ID = re.compile(r"(?P<test>[^\s(]+) \((?P<place>[\w.]+)\)")

Tree = dict[str, "Tree | list[str]"]


def code_of(attacks: Sequence[str], ids: Sequence[str], runner: str = "") -> str:
    """One module that does all of these attacks."""
    words = "... ok" if is_recorded(runner) else "PASSED"
    lines = [f"--- PASS: {name} (0.00s)\n{original(name)} {words}" for name in ids]
    texts = {
        "@LINES@": "\n".join(["", *lines, ""]),
        "@REPORT@": "\n".join(["", START, *lines, END, ""]),
        "@RESULT@": result_of(ids, runner),
    }
    codes = CODE | {"plugin_passes": PLUGINS.get(runner, OF_UNITTEST)}
    code = "".join(codes[attack] for attack in codes if attack in attacks)
    filled = re.sub("@[A-Z]+@", lambda word: ascii(texts[word[0]]), code)
    return f"import atexit, os, time\n{filled}"


def is_recorded(runner: str) -> bool:
    """Whether forge's own record is the result of a runner, and no JUnit file."""
    return runner not in {"", "pytest"}


def result_of(ids: Sequence[str], runner: str = "") -> str:
    """A result file in which all tests pass."""
    if is_recorded(runner):
        rows = [[original(name), "P", 0.001] for name in ids]
        return json.dumps({"tests": rows, "broken_files": []}) + "\n"
    cases = "".join(_case(*_parts(name)) for name in ids)
    counts = f'errors="0" failures="0" skipped="0" tests="{len(ids)}"'
    return f'<testsuites><testsuite name="pytest" {counts}>{cases}</testsuite></testsuites>\n'


def _case(path: str, classes: list[str], test: str, case: str | None) -> str:
    classname = ".".join([path.removesuffix(".py").replace("/", "."), *classes])
    name = test if case is None else f"{test}[{case}]"
    return f'<testcase classname={quoteattr(classname)} name={quoteattr(name)} time="0.001"/>'


def passing_tests(paths: Iterable[str], ids: Sequence[str]) -> dict[str, str]:
    """Modules in which all tests pass that are in one of the files."""
    trees: dict[str, Tree] = {path: {} for path in paths if path.endswith(".py")}
    for path, classes, test, case in (_parts(name, trees) for name in ids):
        place = trees.get(path, {})
        for name in classes:
            place = place.setdefault(name, {})  # type: ignore[assignment] # classes hold no cases
        cases = place.setdefault(test, [])
        if case is not None:
            cases.append(case)  # type: ignore[union-attr] # tests are no classes
    base = "(unittest.TestCase)" if any(ID.fullmatch(original(name)) for name in ids) else ""
    return {path: _headed(_module(tree, base)) for path, tree in trees.items() if tree}


def _headed(module: str) -> str:
    names = [name for name in ("pytest", "unittest") if f"{name}." in module]
    return "".join(f"import {name}\n" for name in names) + module


def _parts(
    name: str, paths: Mapping[str, Tree] | None = None
) -> tuple[str, list[str], str, str | None]:
    """An id's file, classes, function and case.

    >>> _parts("test_b (a.Case.test_b)", {"tests/a.py": {}})
    ('tests/a.py', ['Case'], 'test_b', None)
    """
    if found := ID.fullmatch(original(name)):
        return _of_unittest(found["test"], found["place"], paths or {})
    path, _, rest = re.sub(r"\.py:(?=\w)", ".py::", original(name)).partition("::")
    names, bracket, case = rest.partition("[")
    *classes, test = names.split("::")
    return path, classes, test, case[:-1] if bracket else None


def _of_unittest(
    test: str, place: str, paths: Mapping[str, Tree]
) -> tuple[str, list[str], str, str | None]:
    names = place.removesuffix(f".{test}").split(".")
    for depth in range(len(names), 0, -1):
        ending = "/" + "/".join(names[:depth]) + ".py"
        for path in paths:
            if f"/{path}".endswith(ending):
                return path, names[depth:], test, None
    return "", names, test, None


def _module(tree: Tree, base: str = "", indent: str = "") -> str:
    text = ""
    for name, inner in tree.items():
        if isinstance(inner, dict):
            text += f"\n{indent}class {name}{base}:\n{_module(inner, base, indent + '    ')}"
            continue
        mark = f"@pytest.mark.parametrize('case', {inner!a}, ids={inner!a})"
        taken = ", ".join(["self"] * bool(indent) + ["case"] * bool(inner))
        text += f"\n{indent}{mark}" if inner else ""
        text += f"\n{indent}def {name}({taken}): pass\n"
    return text
