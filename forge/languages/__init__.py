"""What forge knows of a programming language: one value per language, each in its own file."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forge.discover import values
from forge.recipes.drafts import Drafter


@dataclass(frozen=True)
class Runner:
    """A test runner's own files, which decide what a test's result means."""

    name: str
    """The word that its tables in shared settings bear."""
    files: str
    """Paths of files that it or its interpreter loads unasked, tests aside."""
    settings: str
    """Paths of files that hold its settings among those of other tools."""
    modules: str
    """Paths, matched up to the module, of what would be its own if their folder were searched."""

    @property
    def paths(self) -> str:
        """Paths of all its files."""
        return f"{self.files}|{self.settings}"


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
    runner: Runner
    """What its tests run under."""
    targets: Callable[[Sequence[str]], list[str]]
    """What the runner is given for touched paths of tests; nothing means all."""
    draft: Drafter
    """Recipes before their lock, best first, from a project's manifests."""

    @property
    def rules(self) -> str:
        """Which files decide what a test's result means, as `forge.inside.base` reads it."""
        runner = self.runner
        files = f"{self.tests}|{runner.files}"
        others = {"settings": runner.settings, "modules": runner.modules}
        return json.dumps({"name": runner.name, "files": files, **others})


def languages() -> dict[str, Language]:
    """All languages by name."""
    return {language.name: language for language in values(sys.modules[__name__], Language)}
