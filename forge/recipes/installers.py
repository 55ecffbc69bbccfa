"""What Python's project managers install when a command calls them: their groups and extras."""

import re
from collections.abc import Sequence
from itertools import pairwise

from forge.recipes.project import Project, strings, table

EVERY = "*"
"""In place of a group's or an extra's name: all of them."""


def managed(project: Project, words: Sequence[str]) -> list[str] | None:
    """Lines that a command of uv, Poetry, PDM or Pipenv installs; null for any other command.

    >>> managed(Project({}), ["uv", "sync", "--group", "tests", "--extra=a"])
    ['group:dev', 'group:tests', '.[a]']
    >>> managed(Project({}), ["poetry", "install", "--only", "main,test"])
    ['group:test']
    """
    manager = MANAGERS.get((words[0], words[1])) if len(words) > 1 else None
    return manager(project, list(words[2:])) if manager else None


def _uv(project: Project, words: list[str]) -> list[str]:
    options = words[: _end_of_options(words)]
    files = [f"-r {name}" for name in _of(options, "--with-requirements")]
    if {"--no-sync", "--no-project"} & {*options}:
        return files + _with(options)
    uv = table(project.toml("pyproject.toml"), "tool", "uv")
    default = uv.get("default-groups", ["dev"])
    groups = [EVERY] if default == "all" else list(strings(default))
    if {"--no-default-groups", "--no-dev", "--only-dev"} & {*options} or _of(
        options, "--only-group"
    ):
        groups = []
    groups += [EVERY] if "--all-groups" in options else []
    groups += ["dev"] if {"--dev", "--only-dev"} & {*options} else []
    groups += _of(options, "--group", "--only-group")
    left_out = {*_of(options, "--no-group")}
    extras = [EVERY] if "--all-extras" in options else _of(options, "--extra")
    return _lines([g for g in groups if g not in left_out], extras) + files + _with(options)


def _with(options: list[str]) -> list[str]:
    return [w for w in _of(options, "--with", "--with-editable") if not w.startswith((".", "/"))]


def _end_of_options(words: list[str]) -> int:
    """Where the program begins that `uv run` or `pixi run` starts.

    >>> _end_of_options(["--group", "t", "--isolated", "pytest", "-n"])
    3
    """
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] != "--":
        has_value = words[place] in VALUED and "=" not in words[place]
        place += 2 if has_value else 1
    return place


VALUED = frozenset({
    "--group", "--only-group", "--no-group", "--extra", "--no-extra", "--with",
    "--with-editable", "--env-file", "-p", "--with-requirements", "--python", "--package",
    "--project", "--directory", "--index", "--index-url", "--extra-index-url",
    "--resolution", "--prerelease", "--config-setting", "-C", "-e", "--environment",
})  # fmt: skip


def program(words: Sequence[str]) -> list[str]:
    """The command that a manager starts, without the manager.

    >>> program(["uv", "run", "--group", "t", "--", "pytest", "-x"])
    ['pytest', '-x']
    """
    rest = list(words)
    while (
        len(rest) > 2 and rest[0] in {"uv", "poetry", "pdm", "pipenv", "rye"} and "run" in rest[1:2]
    ):
        rest = rest[2:]
        rest = rest[_end_of_options(rest) :]
        rest = rest[1:] if rest[:1] == ["--"] else rest
    return rest


def _poetry(project: Project, words: list[str]) -> list[str]:
    poetry = table(project.toml("pyproject.toml"), "tool", "poetry")
    optional = {n for n, g in table(poetry, "group").items() if table(g).get("optional") is True}
    only = _of(words, "--only")
    groups = [*table(poetry, "group"), *(["dev"] if "dev-dependencies" in poetry else [])]
    groups = groups or ["dev"]
    without = {*_of(words, "--without"), *(["dev"] if "--no-dev" in words else [])}
    chosen = only or [g for g in groups if g not in optional | without] + _of(words, "--with")
    if "--only-root" in words or "--no-dev" in words:
        chosen = only
    if "--all-groups" in words:
        chosen = [EVERY]
    extras = [EVERY] if "--all-extras" in words else _of(words, "-E", "--extras")
    return _lines([g for g in chosen if g != "main"], extras)


def _pdm(project: Project, words: list[str]) -> list[str]:
    named = _of(words, "-G", "--group", "--with")
    named = [EVERY if name == ":all" else name for name in named]
    is_bare = {"--prod", "--production", "--no-default", "--no-dev"} & {*words}
    declared = table(project.toml("pyproject.toml"), "tool", "pdm", "dev-dependencies")
    every = [*declared, *table(project.toml("pyproject.toml"), "dependency-groups")]
    groups = list(dict.fromkeys([*([] if is_bare else every), *named]))
    # PDM takes a name for a group or for an extra, whichever there is.
    extras = [EVERY] if EVERY in named else [n for n in named if n not in every]
    return _lines(groups, extras)


def _pipenv(project: Project, words: list[str]) -> list[str]:
    del project
    return ["group:pipenv-dev"] if {"--dev", "-d"} & {*words} else []


def _lines(groups: Sequence[str], extras: Sequence[str]) -> list[str]:
    return [f"group:{name}" for name in groups] + [f".[{name}]" for name in extras]


def _of(words: Sequence[str], *flags: str) -> list[str]:
    """Values of flags, as `--a b`, `--a=b`, `--a "b c"` or `--a b,c`."""
    found = [value for flag, value in pairwise(words) if flag in flags]
    found += [w.partition("=")[2] for w in words if "=" in w and w.partition("=")[0] in flags]
    return [name for value in found for name in re.split(r"[ ,]+", value) if name]


MANAGERS = {
    ("uv", "sync"): _uv,
    ("uv", "run"): _uv,
    ("uv", "export"): _uv,
    ("poetry", "install"): _poetry,
    ("poetry", "sync"): _poetry,
    ("poetry", "export"): _poetry,
    ("pdm", "install"): _pdm,
    ("pdm", "sync"): _pdm,
    ("pipenv", "install"): _pipenv,
    ("pipenv", "sync"): _pipenv,
}
