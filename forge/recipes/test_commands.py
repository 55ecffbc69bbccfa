"""Which runner a project's tests run under, by the commands with which it runs them itself."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from forge.recipes.facts import Facts, TestCommand
from forge.recipes.project import Project
from forge.recipes.variables import located

# Of several that one place runs: who has pytest runs the rest beside it.
KINDS = ("pytest", "sympy", "script", "unittest", "nose", "doctest")
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
DJANGO = frozenset({"django", "django-admin", "django-admin.py"})
SCRIPT = re.compile(r"^(\./)?((?:[\w.-]+/)*(?:run_?(?:unit_?)?tests?|manage)\.py)$")
# A command that names a runner without starting it.
OTHERS = frozenset({"install", "add", "remove", "echo", "grep", "which", "mypy", "pip", "apt-get"})
IN_PLACE = re.compile(r"[${}]")
LOUD_OR_HASTY = re.compile(
    r"-[vqfbc]+|-[vj] ?\d+|--(verbose|quiet|failfast|catch|buffer|locals)"
    r"|--(verbosity|parallel|processes|shuffle)([ =]\w+)?"
)
# A flag and its value; of flags that may stand alone, a number.
PAIR = re.compile(
    r"(-[stpkW]|--(start-directory|pattern|top-level-directory|settings|pythonpath|tag|exclude-tag"
    r"|ds|asyncio-mode|import-mode|doctest-glob)) [^-].*"
    r"|-c \S+\.(ini|cfg|toml)|(-[vj]|--(verbosity|parallel|processes|shuffle)) (\d+|auto)"
)
RUNS_UNITTEST = re.compile(
    r"^\s*import unittest$|unittest\.(main|\w*Test(Runner|Loader|Suite))|\bget_runner\b"
    r"|execute_from_command_line|doctest\.test",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Call:
    """A runner, and what Python is given to start it as the project does."""

    runner: str
    words: tuple[str, ...]
    folder: str = ""


def call_of(project: Project, facts: Facts) -> Call | None:
    """How the first place that names a runner calls it."""
    for _, commands in groupby(facts.test_commands, key=lambda command: command.reader):
        found = [call for command in commands if (call := _call(project, command))]
        if found:
            return min(found, key=lambda call: KINDS.index(call.runner))
    return None


def _call(project: Project, command: TestCommand) -> Call | None:
    here = posixpath.relpath(project.root or ".", command.folder or ".")
    # The project is installed so that it is its own folder.
    named = [word.replace("{envsitepackagesdir}", here) for word in command.words]
    words = [located(word, here) for word in named]
    for place, word in enumerate(words):
        if word in OTHERS:
            return None
        rest = words[place + 1 :]
        if found := _started(word, rest, project, command.folder):
            return replace(found, folder=command.folder)
    return None


def _started(word: str, rest: Sequence[str], project: Project, folder: str) -> Call | None:
    """What a word starts with the words after it, if it is a runner of tests.

    >>> _started("-m", ["unittest", "-v", "tests.a", "$X"], Project({}), "")
    Call(runner='unittest', words=('-m', 'unittest', 'tests.a'), folder='')
    """
    if word == "-m" and rest:
        path = rest[0].replace(".", "/") + ".py"
        if SCRIPT.match(path):
            text = project.files.get(posixpath.join(folder, path))
            return _script(("-m", rest[0]), rest[1:], text)
        return _program(rest[0], rest[1:])
    if word.removeprefix("./") == "bin/test":
        return Call("sympy", ("bin/test",))
    if script := SCRIPT.match(word):
        text = project.files.get(posixpath.join(folder, script[2]))
        return _script((script[2],), rest, text)
    return None if "/" in word and not word.startswith("/") else _program(word, rest)


def _program(word: str, rest: Sequence[str]) -> Call | None:
    name = posixpath.basename(word)
    if name in DJANGO and rest[:1] == ["test"]:
        return Call("script", ("-m", "django", *_kept(rest)))
    if name not in PROGRAMS:
        return None
    return Call(PROGRAMS[name], ("-m", MODULES.get(name, name), *_kept(rest)))


def _script(start: tuple[str, ...], rest: Sequence[str], text: str | None) -> Call | None:
    is_manage = start[-1].removesuffix(".py").endswith("manage")
    if text is None or (is_manage and [*rest[:1]] != ["test"]):
        return None
    if re.search(r"^\s*(import|from) pytest|pytest\.main", text, re.MULTILINE):
        return Call("pytest", ("-m", "pytest"))
    # One that starts other programs could not be watched.
    return Call("script", (*start, *_kept(rest))) if RUNS_UNITTEST.search(text) else None


def _kept(words: Sequence[str]) -> list[str]:
    """Words that choose tests or settings: none that stops early, prints more or is a blank.

    >>> _kept(["test", "-v", "2", "--parallel", "app", "-s", "{here}/a", "--shuffle", "--tag", "x"])
    ['test', 'app', '--tag', 'x']
    """
    pairs: list[list[str]] = []
    for word in words:
        if pairs and len(pairs[-1]) == 1 and PAIR.fullmatch(f"{pairs[-1][0]} {word}"):
            pairs[-1].append(word)
        else:
            pairs.append([word])
    known = [pair for pair in pairs if not any(map(IN_PLACE.search, pair))]
    return [w for pair in known if not LOUD_OR_HASTY.fullmatch(" ".join(pair)) for w in pair]
