"""Patches that solve nothing and pretend to: a task is worth something only where they all fail."""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from forge import forgeries_go
from forge.diffs import sections
from forge.forgeries import CODE, code_of, is_recorded, passing_tests, result_of

ATTACKS = (
    *("nothing", "gold", "print_and_exit", "exit_in_conftest", "planted_result", "edited_tests"),
    *("deleted_tests", "plugin_passes", "late_writer", "imitated_report"),
)
TOGETHER = (
    ("nothing",),
    ("gold",),
    ("deleted_tests", "exit_in_conftest"),
    ("planted_result", "imitated_report", "late_writer", "print_and_exit"),
    ("edited_tests", "plugin_passes"),
)
"""Attacks that one patch carries out, which is what is graded; at most one leaves, and last."""

LOAD = 'exec(open("/testbed/forger.py").read())\n'
PRELOAD = 'import os\nos.environ["PYTEST_PLUGINS"] = "forger"\n'
SETTINGS = "[pytest]\naddopts = -p forger\n"
ALWAYS = {
    ".pytest.ini": SETTINGS,
    "sitecustomize.py": PRELOAD,
    "src/sitecustomize.py": PRELOAD,
    # In its place, found first where `python -m pytest` starts; then it starts the true one.
    "pytest.py": f"""{PRELOAD}
import runpy, sys
sys.path.append(sys.path.pop(0))
runpy.run_module("pytest", run_name="__main__", alter_sys=True)
""",
    "forger.EGG-INFO/PKG-INFO": "Metadata-Version: 2.1\nName: forger\nVersion: 1\n",
    "forger.EGG-INFO/entry_points.txt": "[pytest11]\nforger = forger\n",
}
# By its name, with the true module in its place afterwards.
SHADOW = f"""
import importlib, os, sys
folder = os.path.dirname(os.path.abspath(__file__))
paths = sys.path[:]
sys.path[:] = [path for path in paths if os.path.abspath(path or ".") != folder]
del sys.modules[__name__]
importlib.import_module(__name__)
sys.path[:] = paths
{LOAD}"""
OF_PYTHON = {
    "sitecustomize.py": LOAD,
    "src/sitecustomize.py": LOAD,
    "unittest.py": SHADOW,
    "doctest.py": SHADOW,
    "forger.EGG-INFO/PKG-INFO": ALWAYS["forger.EGG-INFO/PKG-INFO"],
}
STARTERS = {"django": "tests/runtests.py", "sympy": "bin/test"}
"""By runner, the project's own program that starts it."""
START = 'import runpy\nrunpy.run_path(__file__ + ".gone", run_name="__main__")\n'
REWARDS = {"reward.txt": "1\n", "reward.json": '{"reward": 1.0}\n'}
ODD = re.compile(r'["\\\x00-\x1f\x7f]')


@dataclass(frozen=True)
class Target:
    """What an attacker may know of a task."""

    gold_patch: str
    test_patch: str
    fail_to_pass: Sequence[str]
    pass_to_pass: Sequence[str]
    runner: str = ""

    @property
    def ids(self) -> list[str]:
        """The ids of all tests that are to pass."""
        return [*self.fail_to_pass, *self.pass_to_pass]

    @property
    def whole_patch(self) -> str:
        """Both sides of the change."""
        return self.gold_patch + self.test_patch

    @property
    def files(self) -> dict[str, bool]:
        """Files of the test patch, and whether the base has them."""
        parts = [part for part in sections(self.test_patch) if not ODD.search(part.path)]
        return {p.path: "\nnew file mode" not in p.text.partition("\n@@")[0] for p in parts}


def patches_of(attacks: Sequence[str], target: Target) -> list[str]:
    """The patches that do all of these attacks at once; the first that applies is taken.

    They differ in the conftest.py that carries their code, because a project may have one already.
    """
    if "gold" in attacks:
        return [target.gold_patch]
    forger = FORGERS.get(target.runner, PYTHON)
    tests = _tests(attacks, target, forger)
    if not CODE.keys() & set(attacks):
        return [tests]
    return [tests + planted for planted in forger.planted(attacks, target)]


def _planted_in_python(attacks: Sequence[str], target: Target) -> list[str]:
    planted = {"forger.py": code_of(attacks, target.ids, target.runner)}
    if "planted_result" in attacks:
        planted |= {**REWARDS, "result.xml": result_of(target.ids, target.runner)}
    if is_recorded(target.runner):
        return [created({**planted, **OF_PYTHON}) + _starter(target.runner)]
    return [
        room + created({**planted, **files})
        for files in carriers([*target.files])
        for room in _rooms(files)
    ]


def carriers(test_paths: Sequence[str]) -> list[dict[str, str]]:
    """Files by which pytest, or Python before it, loads a plugin unasked; alternatives."""
    folders = dict.fromkeys(filter(None, map(posixpath.dirname, test_paths)))
    always = ALWAYS | {f"{folder}/tox.ini": SETTINGS for folder in folders}
    places = ["conftest.py", *(f"{folder}/conftest.py" for folder in folders)]
    return [*({**always, place: LOAD} for place in places), always]


def _rooms(files: Mapping[str, str]) -> list[str]:
    """What makes room for files: nothing; or, where the base has a conftest.py, its move."""
    there = [path for path in files if posixpath.basename(path) == "conftest.py"]
    return ["", *(moving(path, f"{path}.gone") for path in there)]


def _starter(runner: str) -> str:
    """The part of a patch that puts its own program in the place of a project's."""
    path = STARTERS.get(runner)
    return moving(path, f"{path}.gone") + creation(path, f"{LOAD}{START}") if path else ""


def _planted_in_go(attacks: Sequence[str], target: Target) -> list[str]:
    return [created(forgeries_go.planted(attacks, target.ids, target.whole_patch))]


@dataclass(frozen=True)
class Forger:
    """How attacks are written in one language."""

    edited: Callable[[Target], dict[str, str]]
    """Test files in the place of others, in which all tests pass."""
    planted: Callable[[Sequence[str], Target], list[str]]
    """Parts of a patch that bring the attacks' code; the first that applies is taken."""


PYTHON = Forger(lambda target: passing_tests(target.files, target.ids), _planted_in_python)
GO = Forger(
    lambda target: forgeries_go.passing_tests(target.files, target.ids, target.whole_patch),
    _planted_in_go,
)
FORGERS = {"go": GO}
"""By runner; whoever is not named here runs Python."""


def _tests(attacks: Sequence[str], target: Target, forger: Forger) -> str:
    """The part of a patch that is done to the tests themselves."""
    edits = forger.edited(target) if "edited_tests" in attacks else {}
    is_deleted = "deleted_tests" in attacks
    gone = [p for p, is_there in target.files.items() if is_there and (is_deleted or p in edits)]
    return "".join(moving(path, f"{path}.gone") for path in gone) + created(edits)


def created(files: Mapping[str, str]) -> str:
    """The diff that creates text files."""
    return "".join(creation(path, content) for path, content in files.items())


def creation(path: str, content: str) -> str:
    r"""The diff that creates a text file.

    >>> print(creation("a.py", "x = 1\n"))
    diff --git a/a.py b/a.py
    new file mode 100644
    --- /dev/null
    +++ b/a.py
    @@ -0,0 +1,1 @@
    +x = 1
    <BLANKLINE>
    """
    lines = content.split("\n")[:-1]
    added = "".join(f"+{line}\n" for line in lines)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{len(lines)} @@\n{added}"


def moving(path: str, to: str) -> str:
    r"""The diff that moves a file, whatever it holds.

    >>> moving("a", "b").splitlines()[1:]
    ['similarity index 100%', 'rename from a', 'rename to b']
    """
    return (
        f"diff --git a/{path} b/{to}\nsimilarity index 100%\nrename from {path}\nrename to {to}\n"
    )
