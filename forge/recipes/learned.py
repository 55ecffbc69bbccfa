"""What scripts do to a machine, and what of it stands when one has followed another."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from forge.recipes.facts import TestCommand, both
from forge.recipes.requirement_lines import MOST_LINES, canonical


@dataclass(frozen=True)
class Learned:
    """What a script does to a machine before and while it runs tests."""

    lines: tuple[str, ...] = ()
    """What it installs into Python, as lines of a requirements file."""
    system_packages: tuple[str, ...] = ()
    tests: tuple[TestCommand, ...] = ()
    """The commands that run tests, or may."""
    environment: tuple[tuple[str, str], ...] = ()
    pythons: tuple[str, ...] = ()
    has_display: bool = False
    surroundings: tuple[str, ...] = ()

    def __or__(self, later: "Learned") -> "Learned":
        names = [field.name for field in fields(self)]
        found = Learned(**{name: both(getattr(self, name), getattr(later, name)) for name in names})
        return replace(found, lines=_installed(self.lines, later.lines))

    def commands(self, reader: str) -> tuple[TestCommand, ...]:
        """The tests, as commands of one reader."""
        return tuple(replace(test, reader=reader) for test in self.tests)


def _installed(first: Sequence[str], then: Sequence[str]) -> tuple[str, ...]:
    """What stands after two installs: where they cannot both hold, what the later one asked for.

    >>> _installed(["numpy>=2", "attrs", "six==1.16"], ["numpy<2", "six>=1"])
    ('attrs', 'six==1.16', 'numpy<2', 'six>=1')
    """
    asked = {name: spec for line in then if (name := _asked(line)[0]) and (spec := _asked(line)[1])}
    kept = [
        line
        for line in first
        if not ((own := _asked(line))[0] in asked and _excludes(own[1], asked[own[0]]))
    ]
    return tuple(dict.fromkeys([*kept, *then]))[:MOST_LINES]


@functools.lru_cache(maxsize=10_000)
def _asked(line: str) -> tuple[str, SpecifierSet]:
    """The name that a line asks for everywhere, and its versions; no name for any other line."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return "", SpecifierSet()
    return "" if requirement.marker else canonical(requirement.name), requirement.specifier


@functools.lru_cache(maxsize=1_000)
def _excludes(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether no version is seen that both allow, among those that they name and their like."""
    named = [spec.version.removesuffix(".*") for spec in (*one, *other)]
    likely = {"0", "9999", *named, *(f"{version}.1" for version in named)}
    both_hold = one & other
    return bool(named) and not any(both_hold.contains(v, prereleases=True) for v in likely)
