"""What forge knows of a programming language: one value per language, each in its own file."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forge.discover import values
from forge.recipes.drafts import Drafter


@dataclass(frozen=True)
class Language:
    """Patterns are regular expressions without look-around: Polars and `re` agree on them."""

    name: str
    source: str
    """Paths of this language's files, tests among them."""
    tests: str
    """Paths of tests and of what only tests read: fixtures, snapshots, expected outputs."""
    manifests: str
    """Paths of files that say how the project is built and tested."""
    targets: Callable[[Sequence[str]], list[str]]
    """What the runner is given for touched paths of tests; nothing means all."""
    draft: Drafter
    """Recipes before their lock, best first, from a project's manifests."""


def languages() -> dict[str, Language]:
    """All languages by name."""
    return {language.name: language for language in values(sys.modules[__name__], Language)}
