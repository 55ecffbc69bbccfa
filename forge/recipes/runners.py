"""How a project's tests are listed and run: by the runner that the project itself uses."""

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project
from forge.recipes.pytest_config import options_of, plugins_of
from forge.recipes.scripts import RUNNERS
from forge.recipes.test_commands import Call, call_of

# A cache that is always new remembers no failures for `--lf`, `--ff` and their like.
PYTEST = (
    "python -m pytest --rootdir=/testbed --continue-on-collection-errors"
    ' -o cache_dir="$(mktemp -d)"'
)
TEST = '-o junit_family=xunit1 --maxfail=0 --junitxml="$FORGE_RESULT"'
# Verbosity is set, not lowered: the project's own -v or -q would change the shape of the list.
# Some modules wait for a network or a server when they are imported: then the touched tests do.
PROBE = """\
list_tests() {
  timeout 300 @PYTEST@ --collect-only --verbosity=-1 --disable-warnings "$@" | awk '
{ print > "/dev/stderr" }
/^[^ >].*::/ && !/^(ERROR|FAILED|E) / { print; found = 1 }
END { exit !found }'
}
list_tests"""
TOUCHED = """ || {
  touched=$(ls -d @PATHS@ 2>/dev/null)
  [ -n "$touched" ] && list_tests $touched
}"""
OTHERS = RUNNERS - {"pytest", "py.test", "pytest-xdist", "unittest", "doctest"}
RECORD = 'python "$FORGE_RUNNER"'
# nose has not started since Python 3.10, but its heirs do.
HEIRS = re.compile(r"^(pynose|nose2)\b", re.IGNORECASE)
PATTERN = re.compile(r"^[\w./*?-]+$")


@dataclass(frozen=True)
class Running:
    """The part of a recipe that lists and runs tests."""

    probe: str
    test: str
    results: str
    runner: str = ""


def running(project: Project, facts: Facts, touched: Sequence[str] = ()) -> Running:
    """How a project's tests are listed and run; the touched ones alone, where all cannot be."""
    call = call_of(project, facts)
    if call is None or call.runner in {"sympy", "script"}:
        own = _django(project, facts) or _sympy(project)
        if own:
            return own
    if call is None or call.runner in {"pytest", "sympy"}:
        return _pytest(project, facts, call, touched)
    if call.runner == "nose":
        own = _recorded("nose", call) if _has_heir(facts) else None
        return own or _pytest(project, facts, None, touched)
    return _recorded("unittest", call)


def called(project: Project, facts: Facts) -> Facts:
    """What follows from the project's own call: plugins, and runners that pytest stands for."""
    if running(project, facts).runner:
        return Facts()
    call = call_of(project, facts)
    if call and call.runner == "pytest":
        plugins = plugins_of(options_of(project, call.words, call.folder))
        return Facts(needs=(Need("config", "pytest", "command", plugins),) if plugins else ())
    words = (word for command in facts.test_commands for word in command.words)
    names = [name for name in map(posixpath.basename, words) if name in OTHERS]
    return Facts(dropped=tuple(f"{name}: pytest runs its tests" for name in dict.fromkeys(names)))


def _pytest(project: Project, facts: Facts, call: Call | None, touched: Sequence[str]) -> Running:
    own = options_of(project, call.words, call.folder) if call else []
    enter = f"cd {shlex.quote(project.root)}\n" if project.root else ""
    command = " ".join([PYTEST, *map(shlex.quote, (*facts.test_options, *own))])
    targets = '"${@/#//testbed/}"' if project.root else '"$@"'
    paths = shlex.join(f"/testbed/{path}" for path in touched)
    alone = TOUCHED.replace("@PATHS@", paths) if paths else ""
    probe = PROBE.replace("@PYTEST@", command) + alone
    return Running(f"{enter}{probe}\n", f"{enter}{command} {TEST} {targets}\n", "junit")


def _recorded(runner: str, call: Call) -> Running:
    """A runner that takes no paths: the record keeps it to those of the targets."""
    folder = shlex.quote(call.folder or ".")
    # unittest reads patterns itself; doctest has them from the shell.
    shell = PATTERN if call.runner == "doctest" else None
    words = (w if shell and shell.match(w) else shlex.quote(w) for w in call.words)
    command = " ".join(words)
    return Running(
        probe=f"{RECORD} list {folder} 0 {command}\n",
        test=f'{RECORD} run {folder} "$#" "$@" {command}\n',
        results="record",
        runner=runner,
    )


def _django(project: Project, facts: Facts) -> Running | None:
    script = project.files.get("tests/runtests.py", "")
    if (facts.name or "").lower() != "django" or "get_runner" not in script:
        return None
    alone = " --parallel=1" if "--parallel" in script else ""
    command = f"tests/runtests.py --settings=test_sqlite{alone}"
    return _with_targets("django", command, command)


def _sympy(project: Project) -> Running | None:
    script = project.files.get("bin/test", "")
    if "sympy.test(" not in script:
        return None
    own = " --use-sympy-runner" if "--use-sympy-runner" in script else ""
    command = f"bin/test --no-subprocess --no-colors{own}"
    # Where tests have a limit of time, the record can list them instead.
    return _with_targets("sympy", f"{command} --timeout=600", command)


def _with_targets(runner: str, listing: str, command: str) -> Running:
    return Running(
        probe=f"{RECORD} list . 0 {listing}\n",
        test=f'{RECORD} run . 0 {command} "$@"\n',
        results="record",
        runner=runner,
    )


def _has_heir(facts: Facts) -> bool:
    lines = (line for need in facts.needs for line in need.requirements)
    return any(map(HEIRS.match, lines))
