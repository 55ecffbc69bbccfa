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
    programs: tuple[str, ...] = ()
    """Modules of forge.inside that lie beside $FORGE_RUNNER, which is the first of them."""
    targets: Callable[[Sequence[str]], list[str]] | None = None
    """What it is given for touched paths of tests, where that is not as its language has it."""

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
    """What its tests run under, unless a recipe names another."""
    targets: Callable[[Sequence[str]], list[str]]
    """What the runner is given for touched paths of tests; nothing means all."""
    draft: Drafter
    """Recipes before their lock, best first, from a project's manifests."""
    other_runners: tuple[Runner, ...] = ()
    """Runners of projects that choose, or bring, their own."""

    def runner_of(self, name: str) -> Runner:
        """The runner that a recipe names; by no name, the usual one."""
        return next(r for r in (self.runner, *self.other_runners) if name in {"", r.name})

    @property
    def runner_paths(self) -> str:
        """Paths of all files of all its runners."""
        return "|".join(runner.paths for runner in (self.runner, *self.other_runners))

    def rules(self, runner: str = "") -> str:
        """Which files decide what a test's result means, as `forge.inside.base` reads it."""
        named = self.runner_of(runner)
        files = f"{self.tests}|{named.files}"
        others = {"settings": named.settings, "modules": named.modules}
        return json.dumps({"name": named.name, "files": files, **others})

    def targets_of(self, runner: str, test_paths: Sequence[str]) -> list[str]:
        """What a recipe's runner is given for touched paths of tests."""
        return (self.runner_of(runner).targets or self.targets)(test_paths)


def languages() -> dict[str, Language]:
    """All languages by name."""
    return {language.name: language for language in values(sys.modules[__name__], Language)}
