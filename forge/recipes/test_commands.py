"""Which runner a project's tests run under, by the commands with which it runs them itself."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from forge.recipes.facts import Facts, TestCommand
from forge.recipes.project import Project

# Of several that one place runs: who has pytest runs the rest beside it.
RUNNERS = ("pytest", "sympy", "script", "unittest", "nose", "doctest")
PROGRAMS = {
    "pytest": "pytest",
    "py.test": "pytest",
    "unittest": "unittest",
    "doctest": "doctest",
    "nosetests": "nose",
    "pynose": "nose",
    "nose": "nose",
    "nose2": "nose",
}
MODULES = {"nosetests": "nose", "pynose": "nose"}
SCRIPT = re.compile(r"^(\./)?((?:[\w.-]+/)*(?:run_?(?:unit_?)?tests?|manage)\.py)$")
# A command that names a runner without starting it.
OTHERS = frozenset({"install", "add", "remove", "echo", "grep", "which", "mypy", "pip", "apt-get"})
IN_PLACE = re.compile(r"[${}]")
LOUD_OR_HASTY = re.compile(
    r"^(-[vqfbc]+|--(verbose|quiet|failfast|catch|buffer|locals|verbosity=\d|parallel(=\w+)?))$"
)
RUNS_UNITTEST = re.compile(
    r"^\s*import unittest$|unittest\.(main|\w*Test(Runner|Loader|Suite))|\bget_runner\b"
    r"|execute_from_command_line|doctest\.test",
    re.MULTILINE,
)
SUITE_FUNCTION = re.compile(r"(^|[._])(suite|main|all_tests)$")


@dataclass(frozen=True)
class Call:
    """A runner, and what Python is given to start it as the project does."""

    runner: str
    words: tuple[str, ...]
    folder: str = ""


def call_of(project: Project, facts: Facts) -> Call | None:
    """How the first place that names a runner calls it."""
    for _, commands in groupby(facts.test_commands, key=lambda command: command.reader):
        found = [call for command in commands if (call := _call(project, facts, command))]
        if found:
            return min(found, key=lambda call: RUNNERS.index(call.runner))
    return None


def _call(project: Project, facts: Facts, command: TestCommand) -> Call | None:
    for place, word in enumerate(command.words):
        if word in OTHERS:
            return None
        rest = command.words[place + 1 :]
        if found := _started(word, rest, project, command.folder, facts):
            return replace(found, folder=command.folder)
    return None


def _started(
    word: str, rest: Sequence[str], project: Project, folder: str, facts: Facts
) -> Call | None:
    """What a word starts with the words after it, if it is a runner of tests.

    >>> _started("-m", ["unittest", "-v", "tests.a", "$X"], Project({}), "", Facts())
    Call(runner='unittest', words=('-m', 'unittest', 'tests.a'), folder='')
    """
    if word == "-m" and rest:
        return _program(rest[0], rest[1:])
    if word.removeprefix("./") == "bin/test":
        return Call("sympy", ("bin/test",))
    if posixpath.basename(word) == "setup.py" and "test" in rest:
        return _suite(facts)
    if script := SCRIPT.match(word):
        return _script(script[2], rest, project.files.get(posixpath.join(folder, script[2])))
    return None if "/" in word and not word.startswith("/") else _program(word, rest)


def _program(word: str, rest: Sequence[str]) -> Call | None:
    name = posixpath.basename(word)
    if name not in PROGRAMS:
        return None
    return Call(PROGRAMS[name], ("-m", MODULES.get(name, name), *_kept(rest)))


def _script(path: str, rest: Sequence[str], text: str | None) -> Call | None:
    if text is None or (path.endswith("manage.py") and [*rest[:1]] != ["test"]):
        return None
    if re.search(r"^\s*(import|from) pytest|pytest\.main", text, re.MULTILINE):
        return Call("pytest", ("-m", "pytest"))
    # One that starts other programs could not be watched.
    return Call("script", (path, *_kept(rest))) if RUNS_UNITTEST.search(text) else None


def _suite(facts: Facts) -> Call | None:
    """What `setup.py test` ran, in the days when setuptools knew the word."""
    named = [c.words[1] for c in facts.test_commands if c.words[0] == "setup.py:test_suite"]
    if not named or named[0].startswith("nose"):
        return None
    if SUITE_FUNCTION.search(named[0]):
        return Call("unittest", ("-m", "unittest", named[0]))
    return Call("unittest", ("-m", "unittest", "discover", "-s", named[0], "-t", ".", "-p", "*.py"))


def _kept(words: Sequence[str]) -> list[str]:
    """Words that choose tests or settings: none that stops early, prints more or is a blank."""
    return [w for w in words if not IN_PLACE.search(w) and not LOUD_OR_HASTY.match(w)]
