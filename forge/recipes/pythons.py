"""Which Python a project is built with."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from forge.recipes.facts import Facts
from forge.recipes.project import Project

# First stable release: PEP 494, 537, 569, 596, 619, 664, 693, 719 and 745.
RELEASED = {
    "3.6": datetime(2016, 12, 23),
    "3.7": datetime(2018, 6, 27),
    "3.8": datetime(2019, 10, 14),
    "3.9": datetime(2020, 10, 5),
    "3.10": datetime(2021, 10, 4),
    "3.11": datetime(2022, 10, 24),
    "3.12": datetime(2023, 10, 2),
    "3.13": datetime(2024, 10, 7),
    "3.14": datetime(2025, 10, 7),
}
PATCHES = range(25)
DEBIAN = {"3.6": "bullseye"}
"""The last release of Debian that a Python's official image was made for, where it is an older."""
# Packages take a year to publish wheels for a new Python; who names it alone knows better.
SETTLING = timedelta(days=365)


def read_python_version(project: Project) -> Facts:
    """The version that pyenv and uv would take."""
    found = re.search(
        r"(?m)^[ \t]*(?:cpython-|python-)?(3\.\d{1,2})", project.text(".python-version")
    )
    return Facts(pinned_python=found[1] if found else None)


def choose_python(facts: Facts, available: Sequence[str], merged_at: datetime) -> str | None:
    """The version to build with: pinned, else the newest that is named or allowed, and settled.

    One that has not settled is taken where nothing says that an older one will do. Of what is
    older than all that are available, the oldest may still run it. Null where none of those that
    were out when the pull request was merged is allowed.
    """
    known = [v for v in RELEASED if v in available]
    out = [v for v in known if RELEASED[v] <= merged_at] or known[:1]
    allowed = [v for v in out if all(_allows(spec, v) for spec in facts.python)]
    pinned = [v for v in allowed if v == facts.pinned_python]
    named = [v for v in allowed if v in facts.pythons]
    settled = [v for v in allowed if RELEASED[v] + SETTLING <= merged_at]
    proven = [v for v in named if v in settled] or (settled if facts.python else [])
    return next(iter(pinned or proven[::-1] or named[::-1] or settled[::-1] or allowed[::-1]), None)


def first_python(facts: Facts, available: Sequence[str], merged_at: datetime) -> str | None:
    """The version that is named first; what is pinned or compiled may know no newer one."""
    chosen = choose_python(facts, available, merged_at)
    if facts.pinned_python == chosen:
        return chosen
    choices = (
        choose_python(replace(facts, pythons=(v,)), available, merged_at) for v in facts.pythons
    )
    return next(
        (found for v, found in zip(facts.pythons, choices, strict=False) if found == v), chosen
    )


def image_of(version: str) -> str:
    """The official image of a Python, by its Docker Hub name.

    >>> image_of("3.6"), image_of("3.11")
    ('python:3.6-slim-bullseye', 'python:3.11-slim-bookworm')
    """
    return f"python:{version}-slim-{DEBIAN.get(version, 'bookworm')}"


def _allows(specifier: str, version: str) -> bool:
    try:
        allowed = SpecifierSet(specifier)
    except InvalidSpecifier:
        return True
    return any(allowed.contains(f"{version}.{patch}") for patch in PATCHES)
