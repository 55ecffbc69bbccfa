"""What is left to ask GitHub of a month, and how long that takes: from the tables at hand."""

import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from functools import reduce
from typing import Any

import msgspec
import polars as pl

from forge.build import Options, limits_of
from forge.effect import OPEN, Effect
from forge.recollection import Questions, Recollection
from forge.selection import Exclusions, Selection
from forge.services.github import LANGUAGES, NAMED, PULL_REQUESTS, REPOSITORIES
from forge.services.github_documents import lists_of
from forge.services.github_hints import QUESTIONS
from forge.services.github_prices import Load, Price
from forge.settings import Settings
from forge.stage import Stage
from forge.store import Store

OF_REPOSITORIES, OF_LANGUAGES = "profile_repository", "list_languages"
OF_PULL_REQUESTS, OF_HINTS = "read_pull_request", "read_hints"
CONTENTS = Price(LANGUAGES, lists_of("RepositoryLanguages"))
PULLS = Price(PULL_REQUESTS, lists_of("PullRequest"))
# Nearly all close one issue.
HINTS = Price(QUESTIONS, lists_of("FirstCommit") + lists_of("Discussion"))
PRICES = {
    OF_REPOSITORIES: (Price(REPOSITORIES), Price(NAMED)),
    OF_LANGUAGES: (CONTENTS, CONTENTS),
    OF_PULL_REQUESTS: (PULLS, PULLS),
    OF_HINTS: (HINTS, HINTS),
}
"""By effect: of a question by GitHub's id, and of one by name; further pages come on top."""
SOURCE = "merges"
FLAG, UNTOLD = "flag ", ""
WITHOUT_IDS = {UNTOLD, '"git"', '"pool"'}
"""Sources of merges that know no ids of GitHub's: git is asked unless somebody wishes."""
TOLD: dict[str, Any] = {
    "enrich": str,
    "sample": float,
    "chosen": tuple[str, ...],
    "exclude": Exclusions,
}
"""Flags that bound what is asked."""


@dataclass(frozen=True)
class Estimate:
    """What is left to ask GitHub of a month."""

    repositories: int
    pull_requests: int
    discussions: int
    """Of candidates, once it is known which they are."""
    is_at_most: bool
    """Whether repositories that are not known yet may still put questions out."""
    calls: int
    points: int
    hours: float
    tokens: int
    is_token_set: bool
    share_to_cut: float
    """Of the pull requests, so that the rest fits an hour; 1 where none does."""


@dataclass(frozen=True)
class Unknown:
    """Nothing can be said before a table is built."""

    must_be_built: str = SOURCE


def estimate(left: dict[str, Questions], tokens: int) -> Estimate:
    """The figures of questions by effect, asked with so many tokens; by one where none is set."""
    is_token_set, tokens = tokens > 0, max(tokens, 1)
    unknown = left.get(OF_REPOSITORIES, Questions())
    # All that are not known yet may pass.
    passing = left.get(OF_LANGUAGES, Questions()).plus(unknown)
    pulls = left.get(OF_PULL_REQUESTS, Questions())
    most = {OF_REPOSITORIES: unknown, OF_LANGUAGES: passing, OF_PULL_REQUESTS: pulls}
    load = _load(left | most)
    fits = fitting(left | most, tokens)
    return Estimate(
        repositories=passing.count,
        pull_requests=pulls.count,
        discussions=left.get(OF_HINTS, Questions()).count,
        is_at_most=unknown.count > 0,
        calls=load.calls,
        points=load.points,
        hours=round(load.hours(tokens), 3),
        tokens=tokens,
        is_token_set=is_token_set,
        share_to_cut=round(1 - fits / pulls.count, 4) if pulls.count else 0.0,
    )


def fitting(left: dict[str, Questions], tokens: int) -> int:
    """How many pull requests an hour of the tokens answers, with their share of the other calls.

    What repositories are has to be known before any criterion cuts.

    >>> fitting({OF_REPOSITORIES: Questions(300_000), OF_PULL_REQUESTS: Questions(2_000_000)}, 1)
    132000
    """
    pulls = left[OF_PULL_REQUESTS].count

    def hours(kept: int) -> float:
        cut = {e: q if e == OF_REPOSITORIES else q.part(kept, pulls) for e, q in left.items()}
        return _load(cut).hours(tokens)

    return max(0, bisect_right(range(pulls + 1), 1.0, key=hours) - 1) if pulls else 0


def _load(left: dict[str, Questions]) -> Load:
    loads = [
        price.load(count)
        for effect, questions in left.items()
        for price, count in zip(PRICES[effect], astuple(questions), strict=True)
    ]
    return reduce(Load.plus, loads, Load(0, 0))


@dataclass
class Estimating:
    """A build whose questions to GitHub are counted; `moving` names the tables it would make."""

    store: Store
    stages: list[Stage]
    moving: set[str]
    selection: Selection
    options: Options
    settings: Settings
    made: dict[str, pl.LazyFrame] = field(default_factory=dict)
    left: dict[str, Questions] = field(default_factory=dict)

    def estimate(self) -> Estimate | Unknown | None:
        """The figures; None where GitHub is not asked, or of nothing more."""
        asking = [stage for stage in self.stages if stage.name in self.moving and asks(stage)]
        if not asking or self.selection.enrich != "github":
            return None
        if not self._is_there(SOURCE):
            return Unknown()
        for stage in asking:
            if all(map(self._is_there, stage.upstream)):
                self.made[stage.name] = self._made(stage)
        if not any(questions.count for questions in self.left.values()):
            return None
        return estimate(self.left, len(self.settings.github_tokens))

    def _is_there(self, table: str) -> bool:
        return table in self.made or bool(self.store.records(table))

    def _made(self, stage: Stage) -> pl.LazyFrame:
        """The rows of a stage that are kept, or may be when GitHub has answered."""
        limits = limits_of(stage, self.options.limits)
        given = {name: self.selection.flag(name) for name in stage.flags}
        run = Recollection(
            stage=stage,
            settings=self.settings,
            identity=self.settings.github_url.url,
            effects=frozenset(PRICES),
            retry=self.options.retry,
            left=self.left,
        )
        upstream = [self._rows(table) for table in stage.upstream]
        rows = stage.function(*upstream, **given, run=run, **({"limits": limits} if limits else {}))
        is_standing = pl.col("fate").is_in(["kept", OPEN])
        held: pl.LazyFrame = rows.filter(is_standing).select(stage.schema.column_names())
        return held

    def _rows(self, table: str) -> pl.LazyFrame:
        schema = next(one.schema for one in self.stages if one.name == table)
        return self.made.get(table, self.store.scan(table, schema))


def stood(store: Store, stages: list[Stage], selection: Selection, settings: Settings) -> Selection:
    """The selection with the flags of the last build, which are taken to stand.

    What is too long for a manifest, such as a list of repositories, cannot be told, and bounds
    nothing.
    """
    records = [r for stage in stages for r in store.records(stage.name).values()]
    flags: dict[str, Any] = {}
    for record in sorted(records, key=lambda record: record.written_ns):
        flags |= {n.removeprefix(FLAG): v for n, v in record.ingredients.items() if FLAG in n}
    has_ids = flags.get("source", UNTOLD) not in WITHOUT_IDS and bool(settings.github_tokens)
    flags.setdefault("enrich", '"github"' if has_ids else '"git"')
    told = {name: _value(name, flags[name]) for name in TOLD if name in flags}
    return replace(selection, **{n: value for n, value in told.items() if value is not None})


def _value(name: str, text: str) -> Any:
    with suppress(msgspec.DecodeError, msgspec.ValidationError):
        return msgspec.json.decode(
            text, type=TOLD[name], dec_hook=lambda _, held: Exclusions.model_validate(held)
        )
    return None


def asks(stage: Stage) -> bool:
    """Whether a stage has questions to GitHub whose number can be told before."""
    return any(effect.name in PRICES for effect in effects_of(stage))


def effects_of(stage: Stage) -> Iterator[Effect]:
    """The questions that a stage's module declares."""
    members = vars(sys.modules[stage.module]).values()
    return (member for member in members if isinstance(member, Effect))
