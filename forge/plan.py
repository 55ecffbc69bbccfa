"""What a build would do, without doing it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from forge.build import Options, buckets_of, limits_of, part_of
from forge.freshness import blank, changed
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Stage
from forge.store import PART, Store

NEVER = "never built"
LOST = "its file is gone or was changed"


@dataclass(frozen=True)
class Planned:
    """One part: why it would be made, or which tables decide whether it would."""

    table: str
    part: str
    reasons: list[str]
    waits_for: list[str] = field(default_factory=list)

    @property
    def is_fresh(self) -> bool:
        """Whether a build would leave it as it is."""
        return not self.reasons and not self.waits_for


@dataclass(frozen=True)
class Planning:
    """A build that is only thought through.

    `known_flags` are those of the selection's flags that count; for others, what the last build had
    is taken to stand (None: all count).
    """

    store: Store
    stages: list[Stage]
    selection: Selection
    options: Options
    known_flags: frozenset[str] | None = None

    def parts(self) -> Iterator[Planned]:
        """Every part of every stage, upstream first."""
        moving: dict[str, set[str]] = {}
        for stage in self.stages:
            for part in self._parts_of(stage):
                waits_for = [t for t in stage.upstream if self._moves(stage, moving, t, part)]
                unsure = {changed(table) for table in waits_for}
                reasons = [r for r in self._reasons(stage, part) if r not in unsure]
                if reasons or waits_for:
                    moving.setdefault(stage.name, set()).add(part)
                yield Planned(stage.name, part, reasons, waits_for)

    def _moves(self, stage: Stage, moving: dict[str, set[str]], table: str, part: str) -> bool:
        parts = moving.get(table, set())
        is_own = stage.by == "bucket" and all(p.startswith("bucket-") for p in parts)
        return part in parts if is_own else bool(parts)

    def _parts_of(self, stage: Stage) -> list[str]:
        if stage.by != "bucket":
            return [PART]
        schemas = {known.name: known.schema for known in self.stages}
        root = self._first_of_group(stage)
        held = buckets_of(self.store.scan(root, schemas[root]))
        return [part_of(bucket) for bucket in held]

    def _first_of_group(self, stage: Stage) -> str:
        known = {stage.name: stage for stage in self.stages}
        while known[stage.upstream[0]].by == "bucket":
            stage = known[stage.upstream[0]]
        return stage.upstream[0]

    def _reasons(self, stage: Stage, part: str) -> list[str]:
        record = self.store.record(stage.name, part)
        if record is None:
            is_known = part in self.store.manifest(stage.name).parts
            return [LOST if is_known else NEVER]
        flags = {name: self.selection.flag(name) for name in stage.flags}
        planned = blank(self.store, stage, part, limits_of(stage, self.options.limits), flags)
        for name, value in record.ingredients.items():
            if not self._counts(name):
                planned.ingredients[name] = value
        return self.options.reasons(stage.name, record, planned)

    def _counts(self, ingredient: str) -> bool:
        kind, _, name = ingredient.partition(" ")
        return kind != "flag" or self.known_flags is None or name in self.known_flags


def plan(
    chosen: list[Stage], selection: Selection, settings: Settings, options: Options
) -> list[Planned]:
    """What a build with these arguments would make, and why."""
    store = Store(settings.root, selection.month)
    return list(Planning(store, chosen, selection, options).parts())
