"""What the files of a project say about building and testing it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

from forge.recipes.project import Project

TEST = frozenset({"test", "tests", "testing", "pytest", "unittest", "unit", "testsuite"})
DEVELOP = frozenset({"dev", "develop", "devel", "development", "developer"})
EVERYTHING = frozenset({"all", "ci", "full", "complete", "check", "checks"})
RUNNER = re.compile(r"^pytest(\[|[^\w.\[-]|$)", re.IGNORECASE)

Purpose = Literal["run", "test", "build", "config"]


@dataclass(frozen=True)
class Place:
    """A machine on which a project runs its tests, as its automation describes it."""

    standing: int = 0
    """0: the main one; the more, the farther from what a pull request must pass."""
    pythons: tuple[str, ...] = ()
    """In the order in which they are named."""
    environment: Mapping[str, str] = field(default_factory=dict)
    system_packages: tuple[str, ...] = ()
    """Debian packages."""
    has_display: bool = False
    surroundings: tuple[str, ...] = ()
    """What the machine has beside its packages, as `services: postgres:16`."""


@dataclass(frozen=True)
class Need:
    """Requirements that one place of a project lists, as they stand there.

    `.[extra]` and `group:name` among them refer to the project's own lists.
    """

    purpose: Purpose
    reader: str
    section: str
    requirements: tuple[str, ...]
    place: "Place | None" = None
    """Where the tests run that need it, where its reader knows."""

    @property
    def distance(self) -> int | None:
        """How far the section's name is from "test"; null where it has nothing to do with tests.

        >>> [Need("test", "tox", name, ()).distance for name in ("unit-tests", "dev", "ci", "docs")]
        [0, 1, 2, None]
        """
        words = set(re.split(r"[^a-z]+", self.section.lower()))
        return next((n for n, w in enumerate((TEST, DEVELOP, EVERYTHING)) if words & w), None)

    @property
    def has_runner(self) -> bool:
        """Whether pytest itself is among the requirements."""
        return any(map(RUNNER.match, self.requirements))


@dataclass(frozen=True)
class TestCommand:
    """A simple command of a place that runs tests, whether or not it is the one that does."""

    reader: str
    words: tuple[str, ...]
    folder: str = ""
    """Where it starts, in the repository."""

    __test__ = False


class Sibling(NamedTuple):
    """Another project of the same repository."""

    folder: str
    requirements: tuple[str, ...]
    """What it needs to run."""


@dataclass(frozen=True)
class Facts:
    """What one reader learned, or all of them together; the first who knows a single fact wins."""

    name: str | None = None
    is_installable: bool = False
    is_compiled: bool = False
    fallback_version: str | None = None
    """The version that the project gives itself where git cannot tell."""
    python: tuple[str, ...] = ()
    """Version specifiers, all of which must hold."""
    pinned_python: str | None = None
    pythons: tuple[str, ...] = ()
    """Versions that the project names as those it is tested with, such as 3.11."""
    needs: tuple[Need, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    siblings: Mapping[str, Sibling] = field(default_factory=dict)
    """Other projects of the repository, by their names."""
    environment: Mapping[str, str] = field(default_factory=dict)
    surroundings: tuple[str, ...] = ()
    """What lies or runs beside the project's files, as `submodules: vendor/a`."""
    test_commands: tuple[TestCommand, ...] = ()
    """Commands of places that run tests, in the order in which the readers rank."""
    test_options: tuple[str, ...] = ()
    """What the test runner must be told beside what its configuration says."""
    dropped: tuple[str, ...] = ()
    """What was declared and is left out, as `<what>: <why>`."""

    @property
    def runtime(self) -> tuple[str, ...]:
        """What the project needs to run, as the first place that says so lists it."""
        return next((need.requirements for need in self.needs if need.purpose == "run"), ())

    def __or__(self, other: "Facts") -> "Facts":
        names = [field.name for field in fields(self)]
        return Facts(**{name: both(getattr(self, name), getattr(other, name)) for name in names})


def both(one: Any, other: Any) -> Any:
    """Two facts of a kind as one: lists in their order, and the first who knows a single fact.

    >>> both(("a",), ("b",)), both({"x": 1}, {"x": 2, "y": 3}), both(None, "3.9"), both(True, False)
    (('a', 'b'), {'x': 1, 'y': 3}, '3.9', True)
    """
    if isinstance(one, tuple):
        return one + other
    return {**other, **one} if isinstance(one, Mapping) else one or other


Reader = Callable[[Project], Facts]


def read(project: Project, readers: Iterable[Reader]) -> Facts:
    """Everything that the readers learn together."""
    facts = Facts(dropped=project.unreadable)
    for reader in readers:
        facts = facts | _guarded(reader, project)
    return facts


def _guarded(reader: Reader, project: Project) -> Facts:
    try:
        return reader(project)
    except Exception as error:  # noqa: BLE001 - strangers' files; one of them must not stop a month
        return Facts(dropped=(f"{reader.__name__}: {type(error).__name__}",))
