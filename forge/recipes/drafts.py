"""Recipes before their lock: what a language makes of a project's manifests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forge.effect import Failure
from forge.recipes import Recipe
from forge.recipes.project import Project

Side = Literal["merge", "base"]


@dataclass(frozen=True)
class Wanted:
    """The candidate that recipes are written for."""

    repo: str
    base_commit: str
    merged_at: datetime
    test_paths: tuple[str, ...]
    pythons: tuple[str, ...] = ()
    """Versions of Python whose images may be used."""
    images: tuple[str, ...] = ()
    """Images that may be used beside those that a language always uses."""
    tag: str | None = None
    """Of git's tags at the base that are versions, the nearest."""
    version: str | None = None
    """The version that a tool would make of it."""
    image: str | None = None
    """The image that somebody chose by hand."""
    base: Project | None = None
    """The project at the base, where its manifests differ."""


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
    lock_source: Side | None = None
    """Whose manifests the recipe's own lock is; null where it has none."""


Drafter = Callable[[Project, Wanted], list[Draft] | Failure]
