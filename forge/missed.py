"""Criteria that a pull request missed, with its values, and the limits that were in force."""

import importlib
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dataframely as dy
import msgspec
import polars as pl

from forge.columns import PULL_REQUEST
from forge.criteria import Criteria, Tolerant
from forge.pools import read_hand_recipes
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Stage, StageLimits
from forge.store import PartRecord, Store
from forge.texts import read_text, toml

LIMITS_FILE = Path("forge.toml")
LONGEST = 70


@dataclass(frozen=True)
class InForce:
    """A limit as the table was made with it, and who set it."""

    value: Any
    source: str


@dataclass(frozen=True)
class Missed:
    """One criterion: what the row has, what was wanted, and the limits it depends on."""

    criterion: str
    values: dict[str, Any] = field(default_factory=dict)
    wanted: str | None = None
    limits: dict[str, InForce] = field(default_factory=dict)


@dataclass(frozen=True)
class Judge:
    """Says what a pull request missed; `known` are its keys, `seen` values from upstream tables."""

    settings: Settings
    store: Store
    schemas: dict[str, type[dy.Schema]]
    known: dict[str, set[Any]]
    seen: dict[str, Any]

    def missed(self, stage: Stage, reasons: list[str]) -> list[Missed]:
        """Each reason for which a table did not keep the row."""
        limits = _limits(self.store, stage)
        wishes = _criteria(stage, limits)
        alone = self._again(stage, limits)
        # What hangs on other rows too (duplicates, bounds) has other values when it is alone.
        same = set(alone.get("reasons") or [])
        values = {reason: self.seen | (alone if reason in same else {}) for reason in reasons}
        return [_missed(stage, reason, wishes, limits, values[reason]) for reason in reasons]

    def _again(self, stage: Stage, limits: StageLimits | None) -> dict[str, Any]:
        """The row that a pure stage makes of this pull request alone, with its working columns."""
        if stage.runs:
            return {}
        recipes = read_hand_recipes(self.settings.recipes)
        selection = Selection(self.store.month, hand_recipes=recipes)
        given: dict[str, Any] = {name: selection.flag(name) for name in stage.flags}
        given |= {"limits": limits} if limits else {}
        try:
            upstream = [self._its_rows(table) for table in stage.upstream]
            rows = self._only(stage.function(*upstream, **given)).collect()
        except Exception:  # noqa: BLE001 - without values the story is still worth telling
            return {}
        return rows.row(0, named=True) if len(rows) == 1 else {}

    def _its_rows(self, table: str) -> pl.LazyFrame:
        return self._only(self.store.scan(table, self.schemas[table]))

    def _only(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        columns = rows.collect_schema().names()
        its = [pl.col(n).is_in(list(self.known[n])) for n in PULL_REQUEST if n in columns]
        return rows.filter(its) if its else rows


def _missed(
    stage: Stage,
    reason: str,
    wishes: Criteria,
    limits: StageLimits | None,
    values: dict[str, Any],
) -> Missed:
    name = reason.removesuffix(":unknown")
    if name not in wishes:
        return Missed(reason)
    wish = _expression(wishes[name])
    return Missed(
        reason,
        values={root: values[root] for root in wish.meta.root_names() if root in values},
        wanted=_readable(wish),
        limits=_in_force(stage, name, limits),
    )


def _limits(store: Store, stage: Stage) -> StageLimits | None:
    """The limits that the table was made with."""
    if not stage.limits:
        return None
    records: list[PartRecord] = [*store.manifest(stage.name).parts.values()]
    made_with = records[0].ingredients if records else {}
    texts = {n.removeprefix("limit "): v for n, v in made_with.items() if n.startswith("limit ")}
    known = {n: msgspec.json.decode(v) for n, v in texts.items() if n in stage.limits.model_fields}
    return stage.limits(**known)


def _criteria(stage: Stage, limits: StageLimits | None) -> Criteria:
    function = getattr(importlib.import_module(stage.module), "criteria", None)
    names = [*inspect.signature(function).parameters] if function else ["none"]
    if not function or names not in ([], ["limits"]) or (names and limits is None):
        return {}
    return function(*([limits] if names else []))  # type: ignore[no-any-return]


def _expression(wish: pl.Expr | Tolerant) -> pl.Expr:
    return wish.criterion if isinstance(wish, Tolerant) else wish


def _in_force(stage: Stage, name: str, limits: StageLimits | None) -> dict[str, InForce]:
    """The limits that this criterion reads: those whose change changes its expression."""
    if limits is None:
        return {}
    wish = _expression(_criteria(stage, limits)[name])
    return {
        limit: InForce(value, source(stage, limit, value))
        for limit, value in limits
        if not _expression(_criteria(stage, _moved(limits, limit, value))[name]).meta.eq(wish)
    }


def _moved(limits: StageLimits, limit: str, value: Any) -> StageLimits:
    other: Any = value
    if isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = value + 1
    elif isinstance(value, str):
        other = value + "?"
    elif isinstance(value, list | tuple | set | frozenset):
        other = type(value)([*value, "?"])
    return limits.model_copy(update={limit: other})


def source(stage: Stage, limit: str, value: Any, file: Path = LIMITS_FILE) -> str:
    """Who set a limit to this value: the default, forge.toml, or else the command line."""
    section = _section(file, stage.name)
    kind = stage.limits or StageLimits
    if limit in section and getattr(kind(**{limit: section[limit]}), limit) == value:
        return file.name
    return "default" if getattr(kind(), limit) == value else "--limit"


def _section(file: Path, name: str) -> dict[str, Any]:
    if not file.exists():
        return {}
    section = toml(read_text(file)).get(name)
    return section if isinstance(section, dict) else {}


def _readable(wish: pl.Expr) -> str | None:
    """The expression without the noise of its notation, where it is short enough to read.

    >>> _readable(pl.col("licence").is_not_null() | False)
    'licence.is_not_null()'
    """
    text = re.sub(r'col\("([^"]+)"\)', r"\1", str(wish))
    text = re.sub(r"dyn (?:int|float): ", "", text)
    text = re.sub(r"\(([\w.]+(?:\(\))?)\)", r"\1", text)
    text = re.sub(r"\(\[([^\[\]]*)\]\)", r"(\1)", text)
    text = re.sub(r"^\[([^\[\]]*)\]$", r"\1", text).removesuffix(" | false")
    text = re.sub(r"\(([\w.]+)\)", r"\1", text)
    return text if len(text) <= LONGEST else None
