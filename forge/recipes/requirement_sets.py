"""Sets of requirements that may make a project's tests run, best declared first."""

import re
from typing import NamedTuple

from packaging.requirements import Requirement

from forge.recipes.facts import Facts, Need
from forge.recipes.requirement_lines import MOST_LINES, canonical, from_index, sort_out

DIRECT = frozenset({"vcs", "url"})
PLAINEST = frozenset({"test", "tests", "testing"})
SEEN_TO_WORK = "github_actions"


class Expanded(NamedTuple):
    """Requirements that an index can answer, and what had to be dropped, as `<what>: <why>`."""

    requirements: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def __or__(self, other: "Expanded") -> "Expanded":
        return Expanded(
            tuple(dict.fromkeys(self.requirements + other.requirements)),
            tuple(dict.fromkeys(self.dropped + other.dropped)),
        )

    def has(self, name: str) -> bool:
        """Whether the distribution is among the requirements."""
        return any(_name(requirement) == name for requirement in self.requirements)


class RequirementSet(NamedTuple):
    """One way to make the tests run."""

    reader: str
    expanded: Expanded


def requirement_sets(facts: Facts) -> list[RequirementSet]:
    """The best declaration of test dependencies, all of them together, and pytest alone."""
    plain = _plain(facts)
    tests = [n for n in facts.needs if n.purpose == "test" and n.distance is not None]
    expanded = [(need, expand(facts, need.requirements)) for need in tests]
    useful = [pair for pair in expanded if pair[1].requirements]
    best = sorted(useful, key=lambda pair: _order(*pair))[:1]
    sets = [RequirementSet(f"{n.reader}: {n.section}", plain | found) for n, found in best]
    together = plain
    for _, found in useful:
        together = together | found
    if useful:
        sets.append(RequirementSet("everything for tests", together | _loose(facts)))
    sets.append(RequirementSet("pytest alone", plain))
    return [RequirementSet(reader, _with_runner(found)) for reader, found in sets]


def expand(facts: Facts, lines: tuple[str, ...]) -> Expanded:
    """The lines with the project's own extras and groups in place of their names."""
    kept: dict[str, None] = {}
    dropped: dict[str, None] = {}
    waiting, seen = list(reversed(lines)), set[str]()
    while waiting and len(seen) < MOST_LINES:
        line = waiting.pop()
        if line in seen:
            continue
        seen.add(line)
        requirement, reason = ("", None) if line.startswith("group:") else sort_out(line)
        own = _own(facts, line, requirement) if reason is None else None
        if own is not None:
            waiting += reversed(own)
        elif reason in DIRECT and (named := from_index(requirement)):
            dropped[f"{requirement}: {reason}, taken from the index"] = None
            kept[named] = None
        elif reason:
            dropped[f"{requirement}: {reason}"] = None
        else:
            kept[requirement] = None
    return Expanded(tuple(kept), tuple(dropped))


def _own(facts: Facts, line: str, requirement: str) -> tuple[str, ...] | None:
    if line.startswith("group:"):
        return facts.groups.get(canonical(line.removeprefix("group:")), ())
    if requirement.startswith("."):
        names = re.findall(r"[\w.-]+", requirement[1:])
    elif facts.name and _name(requirement) == canonical(facts.name):
        names = sorted(Requirement(requirement).extras)
    else:
        return None
    return tuple(r for n in names for r in facts.extras.get(canonical(n), ()))


def _order(need: Need, found: Expanded) -> tuple[bool, bool, int, int]:
    words = set(re.split(r"[^a-z]+", need.section.lower()))
    is_seen_to_work = need.reader == SEEN_TO_WORK
    return not found.has("pytest"), not is_seen_to_work, need.distance or 0, len(words - PLAINEST)


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
