"""Sets of requirements that may make a project's tests run, best declared first."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from packaging.requirements import Requirement

from forge.recipes.facts import Facts, Need, Place
from forge.recipes.requirement_lines import MOST_LINES, canonical, from_index, sort_out

DIRECT = frozenset({"vcs", "url"})
PLAINEST = frozenset({"test", "tests", "testing"})
SEEN_TO_WORK = "github_actions"
TOGETHER = "everything for tests"
DECLARED = 2
"""Declarations that are tried before all of them together."""
FAR = 4
"""The standing of a job that no pull request must pass."""
# In the order in which they are believed, where they are equally near to tests.
BELIEVED = (
    SEEN_TO_WORK, "tox", "nox", "hatch", "pdm", "poetry", "uv", "pipfile", "pixi", "conda",
    "pyproject", "setup_cfg", "setup_py", "requirements", "make", "readme",
)  # fmt: skip
LAST = frozenset({"conda", "make", "readme"})
"""Commands and lists that serve other ends too."""


class Expanded(NamedTuple):
    """Requirements that an index can answer, and what had to be dropped, as `<what>: <why>`."""

    requirements: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    """Names of the repository's other projects among what is required."""

    def __or__(self, other: "Expanded") -> "Expanded":
        return Expanded(
            tuple(dict.fromkeys(self.requirements + other.requirements)),
            tuple(dict.fromkeys(self.dropped + other.dropped)),
            tuple(dict.fromkeys(self.siblings + other.siblings)),
        )

    def has(self, name: str) -> bool:
        """Whether the distribution is among the requirements."""
        return any(_name(requirement) == name for requirement in self.requirements)


class RequirementSet(NamedTuple):
    """One way to make the tests run."""

    reader: str
    expanded: Expanded
    place: Place = Place()
    """The machine on which the project itself runs them so, as far as it says."""


def requirement_sets(facts: Facts) -> list[RequirementSet]:
    """Declarations of test dependencies, best first, all of them together, and pytest alone.

    The second is by another reader than the first, where there is one. What lies together comes
    third: the more it holds, the more of it may break.
    """
    plain, main = _plain(facts), main_place(facts)
    ordered = sorted(_useful(facts), key=lambda pair: _order(*pair))
    best = {need.reader: need for need, _ in reversed(ordered)}
    declared = [
        (
            best[need.reader] is need,
            RequirementSet(f"{need.reader}: {need.section}", plain | found, _place(need, main)),
        )
        for need, found in ordered
    ]
    firsts = [found for is_first, found in declared if is_first]
    rest = [found for is_first, found in declared if not is_first]
    sets = [*firsts[:DECLARED], *_together(facts, ordered, main), *firsts[DECLARED:]]
    sets += [RequirementSet("pytest alone", plain, _bare(main)), *rest]
    return [found._replace(expanded=_with_runner(found.expanded)) for found in sets]


def main_place(facts: Facts) -> Place:
    """The machine on which a pull request must pass; an empty one where nothing names it."""
    places = [need.place for need in facts.needs if need.place]
    return min(places, key=lambda place: place.standing, default=Place())


def _place(need: Need, main: Place) -> Place:
    return need.place or replace(main, pythons=())


def _bare(main: Place) -> Place:
    """The machine without packages, which Debian may lack, nor variables, which may name them."""
    return replace(main, environment={}, system_packages=())


def _useful(facts: Facts) -> list[tuple[Need, Expanded]]:
    tests = [n for n in facts.needs if n.purpose == "test" and (n.place or n.distance is not None)]
    expanded = [(need, expand(facts, need.requirements)) for need in tests]
    return [pair for pair in expanded if pair[1].requirements]


def _together(
    facts: Facts, useful: list[tuple[Need, Expanded]], main: Place
) -> list[RequirementSet]:
    near = [found for need, found in useful if _standing(need) < FAR]
    together = _plain(facts)
    for found in near:
        together = together | found
    return [RequirementSet(TOGETHER, together | _loose(facts), _bare(main))] if useful else []


def expand(facts: Facts, lines: tuple[str, ...]) -> Expanded:
    """The lines with the project's own extras and groups in place of their names."""
    kept: dict[str, None] = {}
    dropped: dict[str, None] = {}
    siblings: dict[str, None] = {}
    waiting, seen = list(reversed(lines)), set[str]()
    while waiting and len(seen) < MOST_LINES:
        line = waiting.pop()
        if line in seen:
            continue
        seen.add(line)
        requirement, reason = ("", None) if line.startswith("group:") else sort_out(line)
        own = _own(facts, line, requirement) if reason in {None, "path"} else None
        if own is not None:
            waiting += reversed(own)
        elif (name := _distribution(requirement)) in facts.siblings:
            waiting += reversed(facts.siblings[name].requirements)
            siblings[name] = None
        elif reason in DIRECT and (named := from_index(requirement)):
            dropped[f"{requirement}: {reason}, taken from the index"] = None
            kept[named] = None
        elif reason:
            dropped[f"{requirement}: {reason}"] = None
        else:
            kept[requirement] = None
    return Expanded(tuple(kept), tuple(dropped), tuple(siblings))


def _distribution(requirement: str) -> str:
    """The name that a line begins with; a folder's is mostly its project's, too.

    >>> [_distribution(line) for line in ("A_b>=1", "a @ file:b", "-e ./libs/a[x]", "-r a.txt")]
    ['a-b', 'a', 'a', '']
    """
    found = re.match(
        r"(?:(?:-e |--editable[ =])?\.{1,2}/(?:[\w.-]+/)*)?([A-Za-z0-9][\w.-]*)", requirement
    )
    return canonical(found[1]) if found else ""


def _own(facts: Facts, line: str, requirement: str) -> tuple[str, ...] | None:
    if line.startswith("group:"):
        return _all_of(facts.groups, [line.removeprefix("group:")])
    if requirement.startswith((".[", ". ")) or requirement == ".":
        names = re.findall(r"[\w.-]+|\*", requirement[1:])
    elif facts.name and _distribution(requirement) == canonical(facts.name):
        names = re.findall(r"[\w.-]+", "".join(re.findall(r"\[([^\]]*)\]", requirement)[:1]))
    else:
        return None
    return _all_of(facts.extras, names)


def _all_of(lists: Mapping[str, tuple[str, ...]], names: Iterable[str]) -> tuple[str, ...]:
    """The lists of these names; of the name `*`, all."""
    chosen = [c for n in names for c in ([*lists] if n == "*" else [canonical(n)])]
    return tuple(r for name in chosen for r in lists.get(name, ()))


def _order(need: Need, found: Expanded) -> tuple[bool, bool, int, bool, int, int, int]:
    words = set(re.split(r"[^a-z]+", need.section.lower()))
    is_seen_to_work = need.reader == SEEN_TO_WORK and _standing(need) < FAR
    return (
        not found.has("pytest"),
        not is_seen_to_work,
        _standing(need),
        need.reader in LAST,
        need.distance or 0,
        BELIEVED.index(need.reader),
        0 if need.place else len(words - PLAINEST),
    )


def _standing(need: Need) -> int:
    return need.place.standing if need.place else 0


def _plain(facts: Facts) -> Expanded:
    """What the project needs to run, to configure pytest, and, if it is compiled, to be built."""
    run = [n for n in facts.needs if n.purpose == "run"]
    first = [n for n in run if n.reader == run[0].reader]
    build = [n for n in facts.needs if n.purpose == "build" and facts.is_compiled]
    config = [n for n in facts.needs if n.purpose == "config"]
    lines = tuple(line for need in first + build + config for line in need.requirements)
    return expand(facts, lines)


def _loose(facts: Facts) -> Expanded:
    files = [n for n in facts.needs if n.purpose == "run" and n.reader == "requirements"]
    lines = tuple(line for need in files for line in need.requirements)
    # Virtual environments held setuptools until Python 3.12, and old tests import pkg_resources.
    return expand(facts, (*lines, "setuptools"))


def _with_runner(found: Expanded) -> Expanded:
    return found if found.has("pytest") else found | Expanded(("pytest",))


def _name(requirement: str) -> str:
    return canonical(Requirement(requirement).name) if requirement[:1] != "." else ""
