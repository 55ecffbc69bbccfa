"""What a stage may do beyond expressions: query its upstream tables in SQL, and ask services."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import dataframely as dy
import duckdb
import polars as pl

from forge.artifacts import Artifacts
from forge.ask import Asking, Progress
from forge.claims import Others
from forge.columns import key_of
from forge.effect import Effect, Service
from forge.errors import InputError, ServiceError
from forge.fingerprint import sql_text
from forge.memo import Memo
from forge.recall import WANTED, Recall
from forge.settings import Settings
from forge.stage import Stage
from forge.store import Store

DUCKDB_MEMORY = "1GB"


class Held(NamedTuple):
    """Rows that name artifacts, which are Parquet files of a schema."""

    rows: pl.LazyFrame
    schema: type[dy.Schema]


@dataclass
class Session:
    """One build's event loop, its open services and its memo."""

    settings: Settings
    now: datetime
    progress: Progress
    retry: frozenset[str] = frozenset()
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    services: dict[type[Service], Service] = field(default_factory=dict)
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    connections: set[type[Service]] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)

    @property
    def artifacts(self) -> Artifacts:
        """The files that answers name."""
        return Artifacts(self.settings.memo_folder / "artifacts")

    def __enter__(self) -> Self:
        self.artifacts.clear_drafts()
        self.runner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.runner.run(self.opened.aclose())
        finally:
            self.runner.close()

    def memo(self, effect: Effect) -> Memo:
        """The memo of an effect, without leftovers of killed builds."""
        memo = Memo(self.settings.memo_folder / effect.name, effect.answers)
        if effect.name not in self.settled:
            memo.settle_orphans()
            memo.check()
            self.settled.add(effect.name)
        return memo

    def service(self, kind: type[Service]) -> Service:
        """The service of a class; it is connected when it is first asked."""
        if kind not in self.services:
            self.services[kind] = kind.open(self.settings, self.artifacts)
        return self.services[kind]

    async def connected(self, kind: type[Service]) -> Service:
        """The service of a class, connected inside this session's loop."""
        service = self.service(kind)
        if kind not in self.connections:
            await self.opened.enter_async_context(service)
            self.connections.add(kind)
        return service


@dataclass
class Run:
    """The right of one stage (or one bucket of it) to query and to ask."""

    session: Session
    stage: Stage
    store: Store
    schemas: dict[str, type[dy.Schema]]
    outage: ServiceError | None = None
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """When this build began, UTC."""
        return self.session.now

    @property
    def artifacts(self) -> Artifacts:
        """The files that answers name."""
        return self.session.artifacts

    def ask(
        self, rows: pl.LazyFrame, effect: Effect, *, only: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """The rows' keys with their answers, and `kind`, `reason`, `detail` of what has none.

        When it returns, all that could be answered is. Rows for which `only` is false are answered
        from memory, or are pending.
        """
        names = rows.collect_schema().names()
        key = [name for name in key_of(self.stage.schema) if name in names]
        recall = self._recall(effect)
        keyed = recall.keyed(rows, key, pl.lit(value=True) if only is None else only)
        # Others are followed before it is read what to ask.
        with closing(Others(recall.memo.folder, recall.is_answer)) as others:
            asking = self._asking(recall, recall.unanswered(keyed), others)
            if asking.tries and not asking.outage:
                self.session.runner.run(self._ask(asking, rows))
        self.outage = asking.outage
        spill = self.store.drafts / f"{self.stage.name}-{time.monotonic_ns()}"
        answered = recall.answered(keyed, asking.unremembered(), key, asking.now, spill)
        self._count(answered.resolved)
        return answered.answers

    async def _ask(self, asking: Asking, rows: pl.LazyFrame) -> None:
        try:
            service = await self.session.connected(asking.recall.effect.service)
        except ServiceError as error:
            asking.outage = error
        else:
            await asking.ask(rows, service)

    def _recall(self, effect: Effect) -> Recall:
        return Recall(
            effect=effect,
            memo=self.session.memo(effect),
            artifacts=self.artifacts,
            identity=self.session.service(effect.service).identity,
            retry=self.session.retry,
        )

    def _asking(self, recall: Recall, tries: dict[str, int], others: Others) -> Asking:
        # What is down stays down for the rest of the stage: later asks only recall.
        now, progress = recall.after(self.now), self.session.progress
        return Asking(recall, now, progress, tries, others, outage=self.outage)

    def _count(self, resolved: pl.DataFrame) -> None:
        counts = resolved.filter(WANTED).group_by("kind").len().drop_nulls()
        for kind, rows in counts.iter_rows():
            self.failures[kind] = self.failures.get(kind, 0) + rows

    def sql(
        self, name: str, files: Mapping[str, Held] = MappingProxyType({}), **values: Any
    ) -> pl.LazyFrame:
        """The rows of sql/<name>.sql over views of the upstream tables, `$values` filled in.

        `files` are more views, by name, each over the artifacts that a frame's column of that name
        names.
        """
        draft = self.store.drafts / f"{name}.sql.rows"
        draft.parent.mkdir(parents=True, exist_ok=True)
        with connect(draft.parent / "duckdb") as duck:
            for table in self.stage.upstream:
                create_view(duck, table, self.store.paths(table), self.schemas[table])
            if "hours" in self.stage.upstream:
                from forge.events import Events

                hours = self.store.scan("hours", self.schemas["hours"])
                self._create_files(duck, "events", Held(hours, Events))
            for view, held in files.items():
                self._create_files(duck, view, held)
            duck.sql(sql_text(name), params=values).write_parquet(str(draft))
        return pl.scan_parquet(draft)

    def _create_files(self, duck: duckdb.DuckDBPyConnection, name: str, held: Held) -> None:
        names = held.rows.select(name).collect()[name].drop_nulls().unique(maintain_order=True)
        files = [self.artifacts.path(artifact) for artifact in names]
        if gone := [path for path in files if not path.exists()]:
            raise InputError(
                f"the {name} of {len(gone):,} hours are gone, such as {gone[0]}\n"
                "fetch them again: run the same command with --force hours"
            )
        create_view(duck, name, files, held.schema)


def connect(spill: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB that never reaches for the network, bounded in memory, spilling into a folder."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": DUCKDB_MEMORY,
        "temp_directory": str(spill),
    }
    duck = duckdb.connect(config=config)
    duck.execute("set TimeZone = 'UTC'")  # as a config it would ask for an extension to be loaded
    return duck


def create_view(
    duck: duckdb.DuckDBPyConnection, name: str, files: list[Path], schema: type[dy.Schema]
) -> None:
    """A view over Parquet files; an empty table of the same columns where there are none."""
    if files:
        duck.read_parquet([str(f) for f in files], union_by_name=True).create_view(name)
    else:
        duck.register(name, schema.create_empty().to_arrow())
