"""What the user asked to be built: flags that stages may depend on by name."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from forge.errors import UsageError

GITHUB_SOURCES = ("search", "repositories", "code-search")
"""Sources of merges that GitHub alone tells, to a token."""
UNBOUNDED_SOURCES = ("archive", "search", "code-search")
"""Sources whose repositories nobody named."""
BOUNDS = ("--pool", "--rows", "--repositories", "--sample", "--source git")


class Named(BaseModel):
    """A pull request that the user named, with what the user's file says of it."""

    model_config = ConfigDict(frozen=True)

    repo: str
    number: int
    base_commit: str | None = None
    title: str | None = None
    body: str | None = None
    change: str | None = None
    """The diff that is wanted, in place of what brought it in."""
    created_at: datetime | None = None
    """When it was proposed, UTC; a change without its merge is dated by this."""


class Exclusions(BaseModel):
    """Repositories, pull requests (owner/name#1) and authors never to touch, in lower case."""

    model_config = ConfigDict(frozen=True)

    repositories: frozenset[str] = frozenset()
    pull_requests: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Selection:
    """The partition that is built, and its bounds."""

    month: str
    window: tuple[int, ...] | None = None
    keep: tuple[str, ...] = ()
    source: str = "archive"
    git_source: str | None = None
    query: str = ""
    """What GitHub is searched for: qualifiers of merges, or a file that repositories hold."""
    walked: tuple[str, ...] = ()
    """Repositories whose merges GitHub lists."""
    enrich: str = "git"
    named: tuple[Named, ...] = ()
    exclude: Exclusions = field(default_factory=Exclusions)
    chosen: tuple[str, ...] = ()
    sample: float | None = None
    per_repository: int | None = None
    hand_recipes: dict[str, str] = field(default_factory=dict)
    tasks: int | None = None
    judge: str | None = None
    """The model that judges, with its sampling; None: heuristics do."""
    difficulty: tuple[str, ...] = ()
    """Levels wanted; none: all."""

    @property
    def is_bounded(self) -> bool:
        """Whether somebody said how many repositories may be fetched."""
        return self.source not in UNBOUNDED_SOURCES or bool(self.chosen) or self.sample is not None

    @property
    def walk_window(self) -> tuple[int, ...] | None:
        """The hours of a walk: with other sources, those that are held count whatever is asked."""
        return self.window if self.source in {"repositories", "code-search"} else None

    def flag(self, name: str) -> Any:
        """The value of a flag that a stage names in its signature."""
        return getattr(self, name)


def hours_of(month: str) -> list[datetime]:
    """All hours of a calendar month, UTC; none of a pool.

    >>> len(hours_of("2026-03"))
    744
    """
    if month.startswith("pool-"):
        return []
    first = first_hour(month)
    following = (first + timedelta(days=32)).replace(day=1)
    return [
        first + timedelta(hours=n) for n in range(int((following - first).total_seconds() // 3600))
    ]


def first_hour(month: str) -> datetime:
    """The first hour of a month, UTC."""
    with suppress(ValueError):
        first = datetime.strptime(month, "%Y-%m")
        # `2026-3` would be another folder of the same month.
        if f"{first:%Y-%m}" == month:
            return first
    raise UsageError(f"no such month: {month!r}\nsay it as YYYY-MM, such as 2026-03")
