"""Recipes before their lock: what a language makes of a project's manifests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from forge.effect import Failure
from forge.recipes import Recipe
from forge.recipes.project import Project


@dataclass(frozen=True)
class Wanted:
    """The candidate that recipes are written for."""

    repo: str
    base_commit: str
    merged_at: datetime
    test_paths: tuple[str, ...]
    pythons: tuple[str, ...] = ()
    """Versions of Python whose images may be used."""
    image: str | None = None
    """The image that somebody chose by hand."""


@dataclass(frozen=True)
class Draft:
    """A recipe without its lock, and what the lock is resolved from."""

    reader: str
    """The declaration that it follows."""
    recipe: Recipe
    requirements: str | None = None
    """Lines for the resolver; null where the recipe needs none, or has its lock."""
    own_name: str | None = None
    """The project's name in the index, which no lock may hold."""
    dropped: tuple[str, ...] = ()
    """What was declared and is left out, as `<what>: <why>`."""


Drafter = Callable[[Project, Wanted], list[Draft] | Failure]
