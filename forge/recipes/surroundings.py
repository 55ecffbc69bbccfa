"""What tests find around them on the project's own machines, and what that means without it."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from forge.effect import Failure, Kind
from forge.recipes.facts import Facts
from forge.recipes.project import Project

SUBMODULE = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)
LFS = re.compile(r"^([^\s#]\S*)\s.*\bfilter=lfs\b", re.MULTILINE)
DISPLAY = ("xvfb", "xauth")
MOST = 10


@dataclass(frozen=True)
class Missing:
    """One kind of surroundings that no recipe brings: how its absence shows, and what it is."""

    kind: Kind
    reason: str
    symptom: re.Pattern[str]


MISSING = {
    "services": Missing(
        "policy",
        "needs_services",
        re.compile(
            r"(?i)connection ?(was )?refused|could not connect|can't connect|connecterror"
            r"|failed to connect|OperationalError|ConnectionError|server selection|docker daemon"
            r"|name or service not known|failure in name resolution|getaddrinfo|DOCKER_HOST"
        ),
    ),
    "gpu": Missing(
        "policy", "needs_gpu", re.compile(r"(?i)\bcuda\b|nvidia|libcud|no gpu|cudart|\brocm\b")
    ),
    "lfs": Missing(
        "data",
        "needs_lfs",
        re.compile(r"(?i)git-lfs|version https://git-lfs|unpickl|cannot identify image|bad magic"),
    ),
    "submodules": Missing(
        "data",
        "needs_submodules",
        re.compile(r"(?i)submodule|no such file|not found|does not exist|cannot find|no module"),
    ),
    "display": Missing(
        "policy",
        "needs_display",
        re.compile(r"(?i)\$DISPLAY|cannot open display|x server|could not load the qt|xcb|\bglx\b"),
    ),
}


def read_surroundings(project: Project) -> Facts:
    """Submodules, files in LFS and servers that the project's own files name."""
    modules = SUBMODULE.findall(project.files.get(".gitmodules", ""))
    attributes = [t for p, t in project.files.items() if p.endswith(".gitattributes")]
    large = [pattern for content in attributes for pattern in LFS.findall(content)]
    return Facts(
        surroundings=(
            *(f"submodules: {path}" for path in modules[:MOST]),
            *(f"lfs: {pattern}" for pattern in large[:MOST]),
        )
    )


def under_display(script: str) -> str:
    r"""A script under an X server that draws nowhere.

    >>> under_display('cd a\npytest "$@"\n')
    'xvfb-run -a bash -c \'cd a\npytest "$@"\n\' bash "$@"\n'
    """
    return f'xvfb-run -a bash -c {shlex.quote(script)} bash "$@"\n'


def fetching(facts: Facts) -> str:
    """Shell that fetches the submodules; empty where there are none.

    Their history does not stay. One that cannot be had stops nothing: tests may do without.
    """
    paths = [s.partition(": ")[2] for s in facts.surroundings if s.startswith("submodules: ")]
    if not paths:
        return ""
    named = " ".join(map(shlex.quote, paths))
    return (
        "cp .git/config /tmp/forge-config\n"
        f"git submodule --quiet update --init --depth 1 -- {named}"
        " || echo 'forge: not every submodule can be had'\n"
        f'for path in {named}; do rm -rf "$path/.git"; done\nrm -rf .git/modules\n'
        "cp /tmp/forge-config .git/config\n"
    )


def lacking(surroundings: Sequence[str], words: str) -> Failure | None:
    """The failure that what is missing explains, where the words of a failure show it.

    >>> lacking(["services: redis:7"], "E  redis.exceptions.ConnectionError: Error 111").reason
    'needs_services'
    >>> lacking(["services: redis:7"], "E  SyntaxError") is None
    True
    """
    for name, missing in MISSING.items():
        named = [one for one in surroundings if one.startswith(f"{name}: ")]
        shown = missing.symptom.search(words)
        if named and shown:
            line = _line(words, shown.start())
            return Failure(missing.kind, missing.reason, f"{', '.join(named)}\nseen: {line}")
    return None


def _line(words: str, place: int) -> str:
    start, end = words.rfind("\n", 0, place) + 1, words.find("\n", place)
    return words[start : end if end > 0 else len(words)].strip()[:500]
