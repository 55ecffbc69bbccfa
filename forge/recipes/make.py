"""Makefiles and justfiles: the commands of a target, as far as their text tells."""

import re

from forge.recipes.project import Project

FILES = ("GNUmakefile", "Makefile", "makefile", "justfile", "Justfile", ".justfile")
TARGET = re.compile(r"^@?([\w./-]+)[^:=\n]*:(?![:=])([^\n=]*)$", re.MULTILINE)
VARIABLE = re.compile(r"^([A-Za-z_]\w*)\s*[:?]?=\s*(.*)$", re.MULTILINE)
REFERENCE = re.compile(r"\$[({](\w+)[)}]")
DEEPEST = 4


def script(project: Project, target: str, depth: int = 0) -> str:
    r"""The commands of a target, those of the targets that it needs first.

    >>> text = "PIP = pip\ntest: deps\n\t@pytest $(ARGS)\ndeps:\n\t$(PIP) install -e .[t]\n"
    >>> script(Project({"Makefile": text}), "test")
    'pip install -e .[t]\npytest '
    """
    content = next((text for name in FILES if (text := project.text(name))), "")
    found = next((m for m in TARGET.finditer(content) if m[1] == target), None)
    if not found or depth > DEEPEST:
        return ""
    needed = [script(project, name, depth + 1) for name in re.findall(r"[\w./-]+", found[2])[:20]]
    lines = re.match(r"(?:\n(?:[ \t]+[^\n]*|[ \t]*(?=\n)))*", content[found.end() :])
    body = lines[0].strip("\n") if lines else ""
    variables = dict(VARIABLE.findall(content))
    own = [_filled(line.strip().lstrip("@-"), variables) for line in body.splitlines()]
    return "\n".join(filter(None, [*needed, *own]))


def _filled(line: str, variables: dict[str, str]) -> str:
    return REFERENCE.sub(lambda found: variables.get(found[1], "").strip(), line)
