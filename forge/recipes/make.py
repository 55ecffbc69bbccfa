"""Makefiles and justfiles: the commands of a target, as far as their text tells."""

import re

from forge.recipes.project import Project

FILES = ("GNUmakefile", "Makefile", "makefile", "justfile", "Justfile", ".justfile")
TARGET = re.compile(r"^@?([\w./-]+)[^:=\n]*:(?![:=])([^\n=]*)$", re.MULTILINE)
VARIABLE = re.compile(r"^([A-Za-z_]\w*)\s*[:?]?=\s*(.*)$", re.MULTILINE)
REFERENCE = re.compile(r"\$[({](\w+)[)}]")
BODY = re.compile(r"(?:\n(?:[ \t]+[^\n]*|[ \t]*(?=\n)))*")
LONGEST = 1_000
MOST_TARGETS = 50


def script(project: Project, target: str) -> str:
    r"""The commands of a target, those of the targets that it needs first.

    >>> text = "PIP = pip\ntest: deps\n\t@pytest $(ARGS)\ndeps:\n\t$(PIP) install -e .[t]\n"
    >>> script(Project({"Makefile": text}), "test")
    'pip install -e .[t]\npytest '
    """
    content = next((text for name in FILES if (text := project.text(name))), "")
    short = "\n".join(line for line in content.splitlines() if len(line) <= LONGEST)
    return "\n".join(_lines(short, target, dict(VARIABLE.findall(short)), set()))


def _lines(content: str, target: str, variables: dict[str, str], seen: set[str]) -> list[str]:
    found = next((m for m in TARGET.finditer(content) if m[1] == target), None)
    if not found or target in seen or len(seen) > MOST_TARGETS:
        return []
    seen.add(target)
    body = BODY.match(content, found.end())
    own = [line.strip().lstrip("@-") for line in body[0].splitlines()] if body else []
    needed = [
        line
        for name in re.findall(r"[\w./-]+", found[2])
        for line in _lines(content, name, variables, seen)
    ]
    return [*needed, *(_filled(line, variables) for line in own if line)]


def _filled(line: str, variables: dict[str, str]) -> str:
    return REFERENCE.sub(lambda found: variables.get(found[1], "").strip(), line)
