"""Makefiles and justfiles: the commands of a target, as far as their text tells."""

import re

from forge.recipes.project import Project

FILES = ("GNUmakefile", "Makefile", "makefile", "justfile", "Justfile", ".justfile")
RULE = re.compile(r"^@?([\w./-][^:=#\n]*)::?(?![:=])([^=#\n]*)(?:#.*)?$", re.MULTILINE)
VARIABLE = re.compile(r"^([A-Za-z_]\w*)\s*[:?]?=\s*(.*)$", re.MULTILINE)
REFERENCE = re.compile(r"\$[({](\w+)[)}]|\{\{\s*(\w+)\s*\}\}")
BODY = re.compile(r"(?:\n(?:[ \t]+[^\n]*|[ \t]*(?=\n)))*")
LONGEST = 1_000
MOST_TARGETS = 50


def script(project: Project, target: str) -> str:
    r"""The commands of a target, those of the targets that it needs first; of none, the first's.

    >>> text = "PIP = pip\ntest: deps  ## all\n\t@pytest $(ARGS)\ndeps:\n\t$(PIP) install -e .[t]\n"
    >>> script(Project({"Makefile": text}), "test")
    'pip install -e .[t]\npytest '
    """
    content = next((text for name in FILES if (text := project.text(name))), "")
    short = "\n".join(line for line in content.splitlines() if len(line) <= LONGEST)
    named = (name for rule in RULE.finditer(short) for name in rule[1].split())
    first = next((name for name in named if not name.startswith(".")), "")
    return "\n".join(_lines(short, target or first, dict(VARIABLE.findall(short)), set()))


def _lines(content: str, target: str, variables: dict[str, str], seen: set[str]) -> list[str]:
    if target in seen or len(seen) > MOST_TARGETS:
        return []
    seen.add(target)
    rules = [rule for rule in RULE.finditer(content) if target in rule[1].split()]
    needed = [
        line
        for rule in rules
        for name in re.findall(r"[\w./-]+", rule[2])
        for line in _lines(content, name, variables, seen)
    ]
    bodies = [body for rule in rules if (body := BODY.match(content, rule.end()))]
    own = [line.strip().lstrip("@-") for body in bodies for line in body[0].splitlines()]
    return [*needed, *(_filled(line, variables) for line in own if line)]


def _filled(line: str, variables: dict[str, str]) -> str:
    return REFERENCE.sub(lambda found: variables.get(found[1] or found[2], "").strip(), line)
