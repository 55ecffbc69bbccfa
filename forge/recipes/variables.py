"""Environment variables that a project sets for its tests, as far as a stranger may set them."""

import posixpath
import re
from collections.abc import Iterable

# With these names a stranger would change how images are built, tests run and letters are read.
RESERVED = re.compile(
    r"^(PATH|HOME|USER|SHELL|IFS|ENV|BASH.*|TMPDIR|TEMP|TMP|VIRTUAL_ENV|.*_PROXY"
    r"|(FORGE|LD|UV|PIP|GIT|DOCKER|PYTEST|COVERAGE|COV_CORE|TOX)_.*"
    r"|(FORCE|PY|CLI|MYPY_FORCE)_?COLORS?(_FORCE)?"
    r"|PYTHON(HOME|STARTUP|WARNINGS|USERBASE|SAFEPATH|EXECUTABLE|BREAKPOINT|INSPECT|NOUSERSITE))$"
)
NAME = re.compile(r"^[A-Z_][A-Z0-9_]*$")
REPOSITORY = "/testbed"
FOLDERS = ("{toxinidir}", "{tox_root}", "{env:PWD}", "${{ github.workspace }}", "$GITHUB_WORKSPACE")


def located(value: str, folder: str) -> str:
    """A value in which every tool's name for the repository's folder is that folder."""
    for name in FOLDERS:
        value = value.replace(name, folder)
    return value.strip()


def entered(folder: str, target: str) -> str:
    """The folder of the repository to which a path leads from another; its own from outside.

    >>> [entered("a", path) for path in ("b/../c", "..", "$GITHUB_WORKSPACE/d", "/tmp", "$X", "-")]
    ['a/c', '', 'd', '', 'a', 'a']
    """
    path = located(target, REPOSITORY)
    if re.search(r"^[~-]|[$`{]", path):
        return folder
    whole = posixpath.normpath(posixpath.join(REPOSITORY, folder, path)) + "/"
    return (
        whole.removeprefix(f"{REPOSITORY}/").rstrip("/")
        if whole.startswith(f"{REPOSITORY}/")
        else ""
    )


def plain(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Variables with values that hold no reference, names apart that are not a project's.

    >>> plain([("MODE", "{toxinidir}/a"), ("UV_INDEX", "x"), ("KEY", "${{ secrets.KEY }}")])
    {'MODE': '/testbed/a'}
    """
    found = {name: located(value, REPOSITORY) for name, value in pairs if NAME.match(name)}
    known = {n: v for n, v in found.items() if v.isprintable() and "{" not in v and "$" not in v}
    return {name: value for name, value in known.items() if not RESERVED.match(name)}
