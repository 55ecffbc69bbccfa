"""requirements.txt and its many relatives."""

import posixpath
import re

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project
from forge.recipes.requirement_lines import included, joined

# requirements/test.txt, test-requirements.txt, requirements_dev.in
FILE = re.compile(r"(?i)^(?:(?P<folder>requirements|reqs|deps)/)?(?P<stem>[\w.-]+)\.(txt|in|pip)$")
WORD = re.compile(r"(?i)(requirements?|reqs)")
PLAIN = frozenset({"", "base", "common", "main", "prod", "production", "default", "core"})


def read_requirements(project: Project) -> Facts:
    """Each file of requirements, by the rest of its name."""
    found = {path: section for path in _own(project) if (section := section_of(path)) is not None}
    needs = [_need(project, path, section) for path, section in sorted(found.items(), key=_order)]
    return Facts(needs=tuple(need for need in needs if need.requirements))


def section_of(path: str) -> str | None:
    """What the requirements of a file are for, by its name; null for other files.

    >>> [section_of(p) for p in ("requirements.txt", "requirements/test.txt", "deps/dev.in")]
    ['', 'test', 'dev']
    """
    matched = FILE.match(path)
    if not matched or not (matched["folder"] or WORD.search(matched["stem"])):
        return None
    return WORD.sub("", matched["stem"]).strip("-_.").lower()


def _own(project: Project) -> list[str]:
    own = [p for p in project.files if p.startswith(f"{project.root}/") or not project.root]
    names = sorted(posixpath.relpath(path, project.root or ".") for path in own)
    # A compiled list stands for its source.
    return [
        n for n in names if not n.endswith(".in") or f"{n.removesuffix('.in')}.txt" not in names
    ]


def _order(found: tuple[str, str]) -> tuple[bool, int, str]:
    return found[1] not in PLAIN, len(found[1]), found[0]


def _need(project: Project, path: str, section: str) -> Need:
    folder = posixpath.dirname(project.path(path))
    lines = included(joined(project.text(path)), project.files, folder)
    need = Need("test", "requirements", path, lines)
    if section in PLAIN and need.has_runner:
        return Need("test", "requirements", f"{path} for development", lines)
    return Need("run", "requirements", path, lines) if section in PLAIN else need
