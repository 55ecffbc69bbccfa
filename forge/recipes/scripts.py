"""What a script installs, and the tests it runs, through all the tools that it calls."""

import functools
import operator
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from forge.recipes import conda, make, nox, pixi, tox
from forge.recipes.commands import (
    ASSIGNED,
    bare,
    commands,
    installed,
    operands,
    system_packages,
    values,
)
from forge.recipes.facts import TestCommand
from forge.recipes.installers import managed, program
from forge.recipes.learned import Learned
from forge.recipes.project import Project
from forge.recipes.python_tools import TESTER, hatch_lines, hatch_script
from forge.recipes.requirement_lines import included
from forge.recipes.variables import entered

DEEPEST = 6
MOST_COMMANDS = 2_000
RUNNERS = frozenset({
    "pytest", "py.test", "unittest", "nose", "nose2", "nosetests", "pynose", "trial", "stestr",
    "green", "ward", "twisted.trial", "zope-testrunner", "zope.testrunner", "testtools.run",
    "doctest", "pytest-xdist", "xdoctest", "avocado", "behave",
})  # fmt: skip
# Programs of which `test` is one command of several.
COMMANDERS = ("manage.py", "setup.py", "manage", "django", "django-admin", "django-admin.py")
RUNS = re.compile(
    r"(^|[/.])(run[_-]?tests?(_all)?|testsuite|run_all)(\.py|\.sh)?$|(^|/)tests?/.*\.py$"
    r"|/tests?(\.py|\.sh)?$|^bin/doctest$"
)
INTERPRETER = re.compile(r"^(.*/)?(python[\d.]*|pypy3|coverage|\$\w+)$")
FOLDER = re.compile(r"^(?:(?:-e|--editable)[= ]|(?=\.{1,2}/))([\w./-]+)(\[[\w,. -]+\])?$")
SERVERS = re.compile(r"^(postgres\w*|mysql\w*|mariadb\w*|redis\w*|mongo\w*|rabbitmq\w*|docker)$")


@dataclass
class Reach:
    """How much more is read for one question: scripts call each other, and themselves."""

    home: str
    """The folder of the project whose tests are asked for."""
    commands: int = MOST_COMMANDS
    depth: int = 0


def learn(project: Project, script: str, reach: Reach | None = None) -> Learned:
    r"""What a script does, as far as its text tells.

    >>> learned = learn(Project({}), "sudo apt install graphviz\npip install mock && pytest -x")
    >>> learned.lines, learned.system_packages, learned.tests[0].words
    (('mock',), ('graphviz',), ('pytest', '-x'))
    """
    reach = reach or Reach(project.root)
    learned = Learned()
    reach.depth += 1
    for command in commands(script):
        if reach.depth > DEEPEST or reach.commands == 0:
            break
        reach.commands -= 1
        project = _entered(project, command)
        learned = learned | _of_command(project, command, reach)
    reach.depth -= 1
    return learned


def _entered(project: Project, command: Sequence[str]) -> Project:
    """The project as it is seen from where a command leads."""
    is_move = command[:1] in (["cd"], ["pushd"]) and len(command) > 1
    return replace(project, root=entered(project.root, command[1])) if is_move else project


def _of_command(project: Project, command: list[str], reach: Reach) -> Learned:
    has_display = bool({"xvfb-run", "Xvfb", "/usr/bin/xvfb-run"} & {*command})
    words = program(bare(command))
    lines = [*installed(command), *(managed(project, bare(command)) or [])]
    known = [_at_home(project, line, reach.home) for line in lines if "$" not in line]
    learned = Learned(
        lines=included(known, project.files, project.root),
        system_packages=tuple(system_packages(command)),
        has_display=has_display,
        environment=tuple(_exported(command)),
    )
    if not words:
        return learned
    return learned | _surrounding(words) | _called(project, words, reach)


def _at_home(project: Project, line: str, home: str) -> str:
    """The line, a path in it that leads to the project's folder written as a dot."""
    found = FOLDER.match(line)
    is_path = found and found[1] not in {".", "./"}
    is_home = found and is_path and entered(project.root, found[1]) == home
    return f".{found[2] or ''}" if found and is_home else line


def _exported(command: Sequence[str]) -> list[tuple[str, str]]:
    pairs = command[1:] if command[:1] == ["export"] else []
    return [(name, value) for name, _, value in (p.partition("=") for p in pairs) if value]


def _surrounding(words: list[str]) -> Learned:
    """What a command starts beside the tests."""
    line = " ".join(words[:6])
    if re.match(r"^docker(-compose| compose)\b.*\bup\b|^docker run\b", " ".join(words)):
        return Learned(surroundings=(f"services: {line}",))
    if words[0] in {"systemctl", "service"} and "start" in words:
        names = [word for word in words[1:] if SERVERS.match(word.removesuffix(".service"))]
        return Learned(surroundings=tuple(f"services: {name}" for name in names))
    if words[:2] == ["git", "lfs"] and {"pull", "fetch", "checkout"} & {*words}:
        return Learned(surroundings=(f"lfs: {line}",))
    return Learned()


def _called(project: Project, words: list[str], reach: Reach) -> Learned:
    words = _without_launcher(words)
    tool = TOOLS.get(words[0]) if words else None
    if tool:
        return tool(project, words[1:], reach)
    if words and (content := _script(project, words)):
        return learn(project, content, reach) | Learned(tests=_tests(project, words))
    return Learned(tests=_tests(project, words))


def _without_launcher(words: list[str]) -> list[str]:
    """A command without `python -m`, `uvx`, `pipx run` and the like, where it starts a tool."""
    place = next((n for n, w in enumerate(words[:8]) if w.partition("@")[0] in TOOLS), 0)
    head = {*words[:place]}
    is_launched = head & {"uvx", "pipx", "tool", "-m", "uv"} and "install" not in head
    return [words[place].partition("@")[0], *words[place + 1 :]] if is_launched else words


def _script(project: Project, words: list[str]) -> str:
    """The text of a script of the repository that a command runs, or that stands in it."""
    is_shell = words[0] in {"bash", "sh", "source", ".", "zsh"}
    flags = [word for word in words[1:2] if is_shell and re.match(r"^-[a-z]*c$", word)]
    if flags:
        return " ".join(words[2:3])
    path = words[1] if is_shell and len(words) > 1 else words[0]
    is_path = "/" in path or path.endswith(".sh")
    return project.text(posixpath.normpath(path)) if is_path and not path.endswith(".py") else ""


def _tests(project: Project, words: list[str]) -> tuple[TestCommand, ...]:
    """The command where it is one that runs tests."""
    rest = _started(words)
    is_test = bool(rest) and (
        rest[0].rpartition("/")[2] in RUNNERS
        or bool(RUNS.search(rest[0]))
        or (rest[0].endswith(COMMANDERS) and "test" in rest[1:3])
    )
    return (TestCommand("", tuple(words), project.root),) if is_test else ()


def _started(words: list[str]) -> list[str]:
    """The module or script that an interpreter starts, with its words; else the command itself.

    >>> _started(["coverage", "run", "--omit", "a/*", "-m", "unittest", "-v"])
    ['unittest', '-v']
    """
    if not words or not INTERPRETER.match(words[0]):
        return words
    rest = [*words[1:]]
    while rest and (rest[0].startswith("-") or rest[0] == "run"):
        flag = rest.pop(0)
        if flag == "-m":
            return _started(rest)
        if flag in {"-W", "-X", "--source", "--omit", "--include", "--rcfile", "--data-file"}:
            rest = rest[1:]
    return rest


def _tox(project: Project, words: list[str], reach: Reach) -> Learned:
    chosen = [name for value in values(words, "-e", "-f") for name in value.split(",")]
    known = _run_at_home(project, tox.names(project), reach.home)
    chosen = [_matching(name, known) for name in chosen]
    names = [name for name in chosen if "$" not in name and name not in {"ALL", "py"}]
    names = names or _default_tox(known)
    found = [tox.environment(project, name) for name in names[:1]]
    return _joined(
        Learned(one.lines, environment=one.variables, pythons=_named(names))
        | learn(replace(project, root=one.folder), _shell(one.script), reach)
        for one in found
    )


def _matching(name: str, known: Sequence[str]) -> str:
    """The last of the known names that a name with variables in it may stand for."""
    pattern = re.sub(r"(\\\$\w+|\\\$\\\{\w+\\\})", ".+", re.escape(name))
    fitting = [one for one in known if re.fullmatch(pattern, one)] if "$" in name else []
    return fitting[-1] if fitting else name


def _run_at_home(project: Project, names: list[str], home: str) -> list[str]:
    """Of the environments of a whole repository those that run in one project's folder, if any."""
    if home == project.root:
        return names
    return [name for name in names if tox.environment(project, name).folder == home] or names


def _default_tox(names: list[str]) -> list[str]:
    tests = [name for name in names if re.match(r"^(py(thon)?(\d|-|$)|3\.|test|unit)", name)]
    # Of several Pythons the newest that is listed, which mostly comes last.
    plain = [name for name in tests if not re.search(r"pypy|lowest|min|oldest|dev|main", name)]
    return (plain or tests or ["py"])[-1:]


def _shell(script: str) -> str:
    return re.sub(r"\{env(?:python|bindir/python)\}", "python", script)


def _nox(project: Project, words: list[str], reach: Reach) -> Learned:
    chosen = values(words, "-s", "-e", "--session", "--sessions")
    names = [re.sub(r"(-3\.\d+|\(.*\))$", "", name.split("(")[0]) for name in chosen]
    known = nox.sessions(project)
    tests = [name for name in known if re.match(r"^(unit)?_?tests?", name)]
    wanted = [name for name in names if name in known] or tests[:1]
    return _joined(
        Learned(nox.lines(project, name), pythons=_named(chosen))
        | learn(project, nox.script(project, name), reach)
        for name in wanted[:2]
    )


def _hatch(project: Project, words: list[str], reach: Reach) -> Learned:
    rest = [word for word in words if not word.startswith(("-", "+"))]
    if rest[:1] == ["test"]:
        return Learned(hatch_lines(project, TESTER), tests=_tests(project, ["pytest"]))
    name = next(iter(values(words, "-e", "--env")), "")
    if rest[:1] != ["run"] or len(rest) < 2:
        return Learned()
    called, _, script = rest[1].rpartition(":") if not name else (name, "", rest[-1])
    called = re.sub(r"\.py3.*$|^\+\S*", "", called) or "default"
    text = hatch_script(project, called, script) or " ".join([script, *rest[2:]])
    return Learned(hatch_lines(project, called)) | learn(project, text, reach)


def _pixi(project: Project, words: list[str], reach: Reach) -> Learned:
    name = next(iter(values(words, "-e", "--environment")), "")
    rest = [
        w
        for n, w in enumerate(words)
        if not w.startswith("-") and words[n - 1] not in {"-e", "--environment"}
    ]
    if rest[:1] not in (["run"], ["install"]) or "$" in name:
        return Learned()
    text = (pixi.task(project, rest[1]) or " ".join(rest[1:])) if rest[1:] else ""
    made = Learned(tuple(pixi.lines(project, name)), pythons=_named([name]))
    return made | learn(project, text, reach)


def _make(project: Project, words: list[str], reach: Reach) -> Learned:
    named = operands(words, {"-C", "--directory", "-f", "--file", "-j"})
    targets = [word for word in named if not ASSIGNED.match(word)]
    folder = next(iter(values(words, "-C", "--directory")), ".")
    there = replace(project, root=entered(project.root, folder))
    return _joined(learn(there, make.script(there, t), reach) for t in targets[:5] or [""])


def _conda(project: Project, words: list[str], reach: Reach) -> Learned:
    del reach
    files = values(words, "-f", "--file")
    lines = [line for name in files for line in conda.lines_of_file(project, project.path(name))]
    if {"install", "create"} & {*words}:
        flagged = {"-c", "--channel", "-n", "--name", "-p", "--prefix", "-f", "--file", "--solver"}
        named = [word for word in operands(words, flagged) if word not in {"install", "create"}]
        pairs = [conda.SPECIFIER.match(word) for word in named]
        lines += [conda.pip_line(p[1], p[3] or "")[0] for p in pairs if p]
    return Learned(tuple(line for line in lines if line and "$" not in line))


Tool = Callable[[Project, list[str], Reach], Learned]
TOOLS: dict[str, Tool] = {
    "tox": _tox, "nox": _nox, "hatch": _hatch, "pixi": _pixi, "make": _make, "just": _make,
    "conda": _conda, "mamba": _conda, "micromamba": _conda,
}  # fmt: skip


def _named(names: Sequence[str]) -> tuple[str, ...]:
    """Pythons that the names of environments bear.

    >>> _named(["py312-fast", "tests-3.11", "lint", "pypy39"])
    ('3.12', '3.11')
    """
    found = [re.search(r"(?<!py)(?:\bpy|\b)3\.?(\d{1,2})(?![\dt])", name) for name in names]
    return tuple(f"3.{match[1]}" for match in found if match)


def _joined(learned: Iterable[Learned]) -> Learned:
    return functools.reduce(operator.or_, learned, Learned())
