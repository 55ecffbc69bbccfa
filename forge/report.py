"""What commands print about tables: their state, and how many rows each kept and why not more."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dataframely as dy
import polars as pl

from forge.build import Options
from forge.plan import NEVER, Planned, Planning
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Stage
from forge.store import Manifest, Store

# Flags that can be told without the build's own command line; hand-written recipes where any are.
KNOWN_FLAGS = frozenset({"month", "judge"})
TELLING = ("status", "reason")
GOOD = ("ok",)


@dataclass(frozen=True)
class TableState:
    """One table of one month."""

    table: str
    state: str
    why: list[str]
    parts: int
    rows: int
    rejected: int
    open: int
    deferred: int
    bytes: int


@dataclass(frozen=True)
class Reason:
    """How many rows of a table have a fate for a reason."""

    fate: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Level:
    """One table of the funnel; `rows_in` is unknown where nothing is upstream."""

    table: str
    is_built: bool
    rows_in: int | None = None
    kept: int = 0
    rejected: int = 0
    open: int = 0
    deferred: int = 0
    reasons: list[Reason] = field(default_factory=list)


def months(root: Path) -> list[str]:
    """Months and pools of which a root holds something."""
    found = {folder.name.removeprefix("month=") for folder in root.glob("*/month=*")}
    return sorted(found)


def status(
    store: Store, chosen: list[Stage], selection: Selection, options: Options
) -> list[TableState]:
    """The state of every table, as the next build would judge it."""
    parts: dict[str, list[Planned]] = {stage.name: [] for stage in chosen}
    known = KNOWN_FLAGS | ({"hand_recipes"} if selection.hand_recipes else set())
    for planned in Planning(store, chosen, selection, options, known).parts():
        parts[planned.table].append(planned)
    return [_state(store, stage.name, parts[stage.name]) for stage in chosen]


def _state(store: Store, table: str, planned: list[Planned]) -> TableState:
    manifest = store.manifest(table)
    records = [*manifest.parts.values()]
    return TableState(
        table=table,
        state=_word(planned, is_built=bool(records)),
        why=summary(planned) if records else [],
        parts=len(records),
        rows=sum(record.rows for record in records),
        rejected=sum(record.rejected for record in records),
        open=sum(record.open for record in records),
        deferred=sum(record.deferred for record in records) + sum(manifest.deferred.values()),
        bytes=sum(record.bytes for record in records),
    )


def _word(planned: list[Planned], *, is_built: bool) -> str:
    if not is_built:
        return NEVER
    if any(part.reasons for part in planned):
        return "stale"
    return "depends" if any(part.waits_for for part in planned) else "fresh"


def summary(planned: list[Planned]) -> list[str]:
    """Why parts of one table would be made, each reason once, with the number of parts it moves."""
    reasons = Counter(reason for part in planned for reason in part.reasons)
    if not reasons:
        reasons = Counter(f"on {table}" for part in planned for table in part.waits_for)
    return [
        reason if rows == len(planned) else f"{reason} ({rows} of {len(planned)} parts)"
        for reason, rows in reasons.items()
    ]


def bytes_under(folder: Path) -> int:
    """What a folder takes, links not followed."""
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                yield (Path(parent) / name).lstat().st_size
            except FileNotFoundError:  # a build moves its drafts meanwhile
                continue


def funnel(store: Store, chosen: list[Stage]) -> list[Level]:
    """Every table of a month, with the reasons of the rows that did not get through."""
    return [_level(store, stage) for stage in chosen]


def _level(store: Store, stage: Stage) -> Level:
    manifest = store.manifest(stage.name)
    records = [*manifest.parts.values()]
    if not records:
        return Level(stage.name, is_built=False)
    return Level(
        stage.name,
        is_built=True,
        rows_in=_rows(store, stage.upstream[0]) if stage.upstream else None,
        kept=_rows(store, stage.name),
        rejected=sum(record.rejected for record in records),
        open=sum(record.open for record in records),
        deferred=sum(record.deferred for record in records) + sum(manifest.deferred.values()),
        reasons=[*_missed(store, stage.name), *_unreached(manifest), *_told(store, stage)],
    )


def _rows(store: Store, table: str) -> int:
    return sum(record.rows for record in store.manifest(table).parts.values())


def rejected_rows(store: Store, table: str) -> pl.LazyFrame | None:
    """The rows of a table that have another fate than kept; None where it decides nothing."""
    folder = store.rejected_folder(table)
    paths = [folder / f"{part}.parquet" for part in sorted(store.manifest(table).parts)]
    held = [path for path in paths if path.exists()]
    return pl.scan_parquet(held) if held else None


def _missed(store: Store, table: str) -> list[Reason]:
    rows = rejected_rows(store, table)
    if rows is None:
        return []
    return _counted(rows.explode("reasons").select("fate", reason="reasons"))


def _unreached(manifest: Manifest) -> list[Reason]:
    return [Reason("deferred", bound, rows) for bound, rows in manifest.deferred.items()]


def _told(store: Store, stage: Stage) -> list[Reason]:
    # Hours that are missing and environments that were not built are rows, not rejections.
    names = [name for name in TELLING if _is_text(stage.schema, name)]
    rows = store.scan(stage.name, stage.schema)
    told = [
        rows.filter(pl.col(name).is_not_null() & ~pl.col(name).is_in(GOOD)).select(
            fate=pl.lit("kept"), reason=pl.format("{} {}", pl.lit(name), name)
        )
        for name in names
    ]
    return [reason for frame in told for reason in _counted(frame)]


def _is_text(schema: type[dy.Schema], name: str) -> bool:
    return isinstance(schema.columns().get(name), dy.String)


def _counted(rows: pl.LazyFrame) -> list[Reason]:
    counts = rows.group_by("fate", "reason").len("rows").collect()
    ordered = counts.sort("rows", "reason", "fate", descending=[True, False, False])
    return [Reason(*row) for row in ordered.iter_rows()]


def sizes(settings: Settings) -> dict[str, tuple[int, str]]:
    """Bytes and place of what a root and its memo hold."""
    root, memo = settings.root, settings.memo_folder
    artifacts, mirrors = memo / "artifacts", root / "mirrors"
    tables = [folder for folder in root.glob("*") if any(folder.glob("month=*"))]
    rejected = [root / "rejected"] if (root / "rejected").exists() else []
    held = {
        "tables": (sum(map(bytes_under, [*tables, *rejected])), root),
        "memo": (bytes_under(memo) - bytes_under(artifacts), memo),
        "artifacts": (bytes_under(artifacts), artifacts),
        "mirrors": (bytes_under(mirrors), mirrors),
        "raw": (bytes_under(settings.raw_folder), settings.raw_folder),
    }
    return {what: (size, str(folder)) for what, (size, folder) in held.items()}
