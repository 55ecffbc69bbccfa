"""Build a month: every stage in order, by bucket where it says so, only what is not fresh."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

import polars as pl

import forge.stages
from forge.ask import Progress
from forge.contract import check_law
from forge.criteria import hand_on
from forge.discover import values
from forge.disk import explained
from forge.errors import UsageError
from forge.freshness import blank, changes, unfinished
from forge.lock import locked
from forge.run import Run, Session
from forge.selection import Selection
from forge.settings import Settings
from forge.slices import bucket_of
from forge.stage import Stage, StageLimits
from forge.store import PART, PartRecord, Store, digest_of

Limits = dict[str, dict[str, Any]]
VERDICTS = "verdicts"


@dataclass(frozen=True)
class Outcome:
    """What a build did to one part of one table."""

    table: str
    part: str
    is_fresh: bool
    record: PartRecord


@dataclass(frozen=True)
class Options:
    """How to build, as against what."""

    force: frozenset[str] = frozenset()
    retry: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=dict)

    def reasons(self, table: str, record: PartRecord, planned: PartRecord) -> list[str]:
        """Why a committed part is to be made again; none where it is fresh."""
        forced = ["forced"] if table in self.force else []
        return [*forced, *unfinished(record, self.retry), *changes(record, planned)]


def stages() -> list[Stage]:
    """All stages, upstream first."""
    found = {stage.name: stage for stage in values(forge.stages, Stage)}
    order = TopologicalSorter(
        {name: stage.upstream for name, stage in found.items()}
    ).static_order()
    return [found[name] for name in order]


def stages_to(table: str | None) -> list[Stage]:
    """The stages that a table needs, itself included; all without a name."""
    everything = stages()
    if table is None:
        return everything
    if table not in {stage.name for stage in everything}:
        names = ", ".join(stage.name for stage in everything)
        raise UsageError(f"no such table: {table}\nthe tables are {names}")
    needed = {table}
    for stage in reversed(everything):
        if stage.name in needed:
            needed.update(stage.upstream)
    return [stage for stage in everything if stage.name in needed]


def limits_of(stage: Stage, limits: Limits) -> StageLimits | None:
    """A stage's thresholds, the user's over the defaults."""
    return stage.limits(**limits.get(stage.name, {})) if stage.limits else None


@dataclass
class Build:
    """One execution over one root and month."""

    selection: Selection
    options: Options
    session: Session
    store: Store
    stages: list[Stage]

    def outcomes(self) -> Iterator[Outcome]:
        """Make what is not fresh, yielding each part when it is committed."""
        for group in grouped(self.stages):
            if group[0].by == "bucket":
                yield from self._buckets(group)
            else:
                yield self._part(group[0], PART)

    def _buckets(self, group: list[Stage]) -> Iterator[Outcome]:
        done = self._done(group)
        for bucket in self._held_buckets(group[0]):
            if self._has_enough(done):
                break
            for stage in group:
                yield self._part(stage, part_of(bucket))
            done.add(part_of(bucket))
        self._settle_buckets(group, done)

    def _held_buckets(self, first: Stage) -> list[int]:
        return buckets_of(self.store.scan(first.upstream[0], self.schemas[first.upstream[0]]))

    def _done(self, group: list[Stage]) -> set[str]:
        """Parts that count before any is made: where a bound is set, those that are fresh."""
        if self.selection.tasks is None:
            return set()
        parts = self.store.manifest(VERDICTS).parts
        return {part for part in parts if not any(self._reasons(s, part) for s in group)}

    def _has_enough(self, done: set[str]) -> bool:
        wanted = self.selection.tasks
        return wanted is not None and self._verified(done) >= wanted

    def _verified(self, done: set[str]) -> int:
        parts = self.store.manifest(VERDICTS).parts
        return sum(record.rows for part, record in parts.items() if part in done)

    def _settle_buckets(self, group: list[Stage], done: set[str]) -> None:
        """Drop parts that are no longer what a build would make, and name what was not reached."""
        held = {part_of(bucket) for bucket in self._held_buckets(group[0])}
        kept = {part for part in held if part in done or self._stands(group, part)}
        first = group[0].upstream[0]
        rows = self.store.scan(first, self.schemas[first]).select(
            bucket=bucket_of(pl.col("repository_id"))
        )
        numbers = [int(part.split("-")[1]) for part in held - kept]
        left = rows.filter(pl.col("bucket").is_in(numbers)).select(pl.len()).collect().item()
        for stage in group:
            self.store.drop(stage.name, set(self.store.manifest(stage.name).parts) - kept)
            manifest = self.store.manifest(stage.name)
            manifest.deferred = {"tasks": left} if left else {}
            self.store.write_manifest(stage.name, manifest)

    def _stands(self, group: list[Stage], part: str) -> bool:
        """Whether a bucket that was not reached holds what a build would make, open rows apart."""
        records = [(self.store.record(stage.name, part), stage) for stage in group]
        return all(record and not changes(record, self._blank(s, part)) for record, s in records)

    @property
    def schemas(self) -> dict[str, Any]:
        return {stage.name: stage.schema for stage in self.stages}

    def _part(self, stage: Stage, part: str) -> Outcome:
        record = self.store.record(stage.name, part)
        if record and not self._reasons(stage, part):
            return Outcome(stage.name, part, is_fresh=True, record=record)
        return self._make(stage, part)

    def _reasons(self, stage: Stage, part: str) -> list[str]:
        """Why a part is to be made; none where it is fresh."""
        record = self.store.record(stage.name, part)
        if record is None:
            return ["not built"]
        return self.options.reasons(stage.name, record, self._blank(stage, part))

    def _blank(self, stage: Stage, part: str) -> PartRecord:
        limits = limits_of(stage, self.options.limits)
        return blank(self.store, stage, part, limits, self._flags(stage))

    def _flags(self, stage: Stage) -> dict[str, Any]:
        return {name: self.selection.flag(name) for name in stage.flags}

    def _make(self, stage: Stage, part: str) -> Outcome:
        started, record = time.monotonic(), self._blank(stage, part)
        limits = limits_of(stage, self.options.limits)
        given = self._flags(stage) | ({"limits": limits} if limits else {})
        run = Run(self.session, stage, self.store, self.schemas)
        upstream = [self._upstream(stage, table, part) for table in stage.upstream]
        rows = stage.function(*upstream, **given, **({"run": run} if stage.runs else {}))
        rows = self._handed_on(stage, part, rows)
        draft = self.store.draft(stage, part, rows)
        check_law(stage, upstream, draft.kept, draft.rejected)
        record.digest = digest_of(draft.kept)
        record.rows, record.rejected = draft.counts["kept"], draft.counts["rejected"]
        record.open, record.deferred = draft.counts["open"], draft.counts["deferred"]
        record.failures, record.seconds = run.failures, round(time.monotonic() - started, 3)
        self.store.commit(stage.name, part, draft, record)
        if run.outage:
            raise run.outage
        return Outcome(stage.name, part, is_fresh=False, record=record)

    def _handed_on(self, stage: Stage, part: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Decided rows, open where an upstream table has to ask of them again."""
        key = {*stage.rejected_key} & {*rows.collect_schema().names()}
        for table in stage.upstream if stage.is_decided else ():
            is_same = stage.by == self._stage(table).by == "bucket"
            opened = self.store.opened(table, part if is_same else None)
            if not opened.is_empty() and key.issuperset(opened.columns):
                rows = hand_on(rows, table, opened)
        return rows

    def _upstream(self, stage: Stage, table: str, part: str) -> pl.LazyFrame:
        schema = self.schemas[table]
        if stage.by != "bucket":
            return self.store.scan(table, schema)
        if self._stage(table).by == "bucket":
            return self.store.scan(table, schema, part)
        return self.store.scan(table, schema).filter(
            bucket_of(pl.col("repository_id")) == int(part.split("-")[1])
        )

    def _stage(self, table: str) -> Stage:
        return next(stage for stage in self.stages if stage.name == table)


def buckets_of(rows: pl.LazyFrame) -> list[int]:
    """Buckets that hold rows; which repository falls into which is a matter of hash."""
    buckets = rows.select(bucket=bucket_of(pl.col("repository_id"))).unique().collect()
    return sorted(buckets["bucket"])


def part_of(bucket: int) -> str:
    """The name of a bucket's part."""
    return f"bucket-{bucket:02}"


def grouped(ordered: list[Stage]) -> list[list[Stage]]:
    """Stages one by one, consecutive ones by bucket together."""
    groups: list[list[Stage]] = []
    for stage in ordered:
        if stage.by == "bucket" and groups and groups[-1][0].by == "bucket":
            groups[-1].append(stage)
        else:
            groups.append([stage])
    return groups


def build(  # noqa: PLR0913 - what, of what, where, how, when, and who is told
    chosen: list[Stage],
    selection: Selection,
    settings: Settings,
    options: Options,
    *,
    now: datetime,
    progress: Progress,
) -> Iterator[Outcome]:
    """Build the chosen stages' tables, yielding each part when it is committed.

    Raises LockError where another build holds the month, ServiceError where one went down (after
    committing what it answered), SpaceError where the disk is full, ContractError for a bug.
    """
    with explained(settings), locked(settings.root, selection.month):
        store = Store(settings.root, selection.month)
        store.clear_drafts()
        with Session(settings, now, progress, options.retry) as session:
            yield from Build(selection, options, session, store, chosen).outcomes()
        store.clear_drafts()
