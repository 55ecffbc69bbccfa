"""Tables on disk: one Parquet file is the unit of commit, and this module alone knows the paths."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import dataframely as dy
import msgspec
import polars as pl

from forge.columns import WIDE, key_of, marked
from forge.contract import A_BUG, check_key, is_in_order
from forge.criteria import FATES
from forge.effect import OPEN
from forge.errors import ContractError
from forge.stage import Stage

PART = "part"
MANIFEST = "_manifest.json"
WIDE_ROWS = 10_000
SLICE_ROWS = 20_000
EVERY = pl.lit(value=True)
TOLD = ("fate", "reasons", "detail")


class PartRecord(msgspec.Struct):
    """What a manifest says of one part: the proof that it is whole and fresh."""

    fingerprint: str
    inputs: dict[str, str]
    digest: str
    bytes: int
    written_ns: int
    rows: int
    rejected: int = 0
    open: int = 0
    deferred: int = 0
    failures: dict[str, int] = {}
    seconds: float = 0.0
    ingredients: dict[str, str] = {}


class Manifest(msgspec.Struct):
    """The parts of one table and month; `deferred` counts rows of buckets not reached, by bound."""

    parts: dict[str, PartRecord] = {}
    deferred: dict[str, int] = {}


@dataclass(frozen=True)
class Draft:
    """Rows written, but not yet part of a table."""

    kept: Path
    rejected: Path | None
    counts: dict[str, int]


@dataclass(frozen=True)
class Store:
    """The tables of one root for one month (or pool)."""

    root: Path
    month: str
    drafts: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drafts", self.root / ".drafts" / self.month)

    def folder(self, table: str) -> Path:
        """Where the parts of a table lie."""
        return self.root / table / f"month={self.month}"

    def rejected_folder(self, table: str) -> Path:
        """Where the rejected rows of a table lie."""
        return self.root / "rejected" / table / f"month={self.month}"

    def manifest(self, table: str) -> Manifest:
        """What is known of a table's parts; empty where nothing was committed."""
        try:
            return msgspec.json.decode((self.folder(table) / MANIFEST).read_bytes(), type=Manifest)
        except (FileNotFoundError, msgspec.DecodeError):  # what cannot be read proves nothing
            return Manifest()

    def records(self, table: str) -> dict[str, PartRecord]:
        """The proof of each part, in order, whose file on disk is the one that was committed."""
        parts = sorted(self.manifest(table).parts.items())
        return {part: record for part, record in parts if self._is_proved(table, part, record)}

    def record(self, table: str, part: str) -> PartRecord | None:
        """The proof of a part, where the file on disk is the one that was committed."""
        record = self.manifest(table).parts.get(part)
        return record if record and self._is_proved(table, part, record) else None

    def _is_proved(self, table: str, part: str, record: PartRecord) -> bool:
        try:
            stat = self._path(table, part).stat()
        except FileNotFoundError:
            return False
        is_committed = (stat.st_size, stat.st_mtime_ns) == (record.bytes, record.written_ns)
        return is_committed and self._has_rejected(table, part, record)

    def _has_rejected(self, table: str, part: str, record: PartRecord) -> bool:
        """Whether the rows that a part did not keep are there, if it has any."""
        has_any = record.rejected or record.open or record.deferred
        return not has_any or self._rejected_path(table, part).exists()

    def digests(self, table: str) -> dict[str, str]:
        """Digest by part of what is committed."""
        return {part: record.digest for part, record in self.records(table).items()}

    def paths(self, table: str, part: str | None = None) -> list[Path]:
        """Files of the committed parts, or of one."""
        return [self._path(table, name) for name in self.records(table) if part in {None, name}]

    def scan(self, table: str, schema: type[dy.Schema], part: str | None = None) -> pl.LazyFrame:
        """The committed rows, typed even where there are none."""
        paths = self.paths(table, part)
        return pl.scan_parquet(paths) if paths else schema.create_empty(lazy=True)

    def opened(self, table: str, part: str | None = None) -> pl.DataFrame:
        """What names the rows that a table, or a part of it, has to ask again."""
        waiting = [n for n, r in self.records(table).items() if r.open and part in {None, n}]
        if not waiting:
            return pl.DataFrame()
        rejected = pl.scan_parquet([self._rejected_path(table, name) for name in waiting])
        return rejected.filter(pl.col("fate") == OPEN).drop(TOLD).unique().collect()

    def draft(self, stage: Stage, part: str, rows: pl.LazyFrame) -> Draft:
        """Write rows beside the tables, and check them against the stage's contract."""
        kept, rejected = self._draft(stage.name, part), None
        counts = dict.fromkeys(FATES, 0)
        if stage.is_decided:
            rows = self._decided(stage, part, rows)
            counts |= dict(rows.group_by("fate").len().collect().iter_rows())
            rejected = self._draft(stage.name, part)
            _rejected(rows, stage).sink_parquet(rejected, mkdir=True)
            rows = rows.filter(pl.col("fate") == "kept")
        _sink(rows, stage.schema, kept)
        counts["kept"] = check_key(kept, stage)
        return Draft(kept, rejected, counts)

    def _decided(self, stage: Stage, part: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows, written with their fates; wide ones slice by slice, since joins hold theirs."""
        paths = []
        for within in _slices(rows) if marked(stage.schema, WIDE) else (EVERY,):
            paths.append(self._draft(stage.name, part))
            rows.filter(within).sink_parquet(paths[-1], mkdir=True, row_group_size=WIDE_ROWS)
        return pl.scan_parquet(paths)

    def commit(self, table: str, part: str, draft: Draft, record: PartRecord) -> None:
        """Make a draft the part: rejected rows first, the manifest last."""
        self.rejected_folder(table).mkdir(parents=True, exist_ok=True)
        self.folder(table).mkdir(parents=True, exist_ok=True)
        if draft.rejected:
            _replace(draft.rejected, self._rejected_path(table, part))
        path = self._path(table, part)
        _replace(draft.kept, path)
        stat = path.stat()
        record.bytes, record.written_ns = stat.st_size, stat.st_mtime_ns
        manifest = self.manifest(table)
        manifest.parts[part] = record
        self.write_manifest(table, manifest)

    def write_manifest(self, table: str, manifest: Manifest) -> None:
        """Replace a table's manifest."""
        draft = self.drafts / f"{table}.manifest"
        draft.parent.mkdir(parents=True, exist_ok=True)
        self.folder(table).mkdir(parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(manifest, order="sorted")))
        _replace(draft, self.folder(table) / MANIFEST)

    def drop(self, table: str, parts: Iterable[str]) -> None:
        """Remove parts that no longer belong to the table."""
        manifest = self.manifest(table)
        for part in parts:
            manifest.parts.pop(part, None)
        self.write_manifest(table, manifest)
        for part in parts:
            self._path(table, part).unlink(missing_ok=True)
            self._rejected_path(table, part).unlink(missing_ok=True)

    def clear_drafts(self) -> None:
        """Remove what a killed build left; only the holder of the lock may call it."""
        shutil.rmtree(self.drafts, ignore_errors=True)

    def _path(self, table: str, part: str) -> Path:
        return self.folder(table) / f"{part}.parquet"

    def _rejected_path(self, table: str, part: str) -> Path:
        return self.rejected_folder(table) / f"{part}.parquet"

    def _draft(self, table: str, part: str) -> Path:
        return self.drafts / f"{table}-{part}-{time.monotonic_ns()}"


def _slices(rows: pl.LazyFrame) -> list[pl.Expr]:
    """Conditions that part rows by repository, so many at a time."""
    name = "repository_id"
    if name not in rows.collect_schema():
        return [EVERY]
    counts = rows.group_by(name).len().sort(name).collect()
    if counts["len"].sum() <= SLICE_ROWS:
        return [EVERY]
    parts = counts.group_by(pl.col("len").cum_sum() // SLICE_ROWS, maintain_order=True)
    bounds = parts.agg(first=pl.col(name).min(), last=pl.col(name).max())
    return [pl.col(name).is_between(first, last) for _, first, last in bounds.iter_rows()]


def _rejected(rows: pl.LazyFrame, stage: Stage) -> pl.LazyFrame:
    columns = rows.collect_schema().names()
    key = stage.rejected_key if {*stage.rejected_key} <= {*columns} else key_of(stage.schema)
    told = rows.filter(pl.col("fate") != "kept").select(*key, *TOLD)
    # Of several rows of a key the one that is asked again, and always the same.
    words = pl.col("reasons").list.join(" ")
    order = [pl.col("fate") != OPEN, pl.col("fate"), words, pl.col("detail")]
    return told.sort(*map(pl.col, key), *order).unique(key, keep="first", maintain_order=True)


def _sink(rows: pl.LazyFrame, schema: type[dy.Schema], path: Path) -> None:
    """Write rows in the order of their key, so that equal rows are equal files."""
    key, is_wide = key_of(schema), bool(marked(schema, WIDE))
    size = WIDE_ROWS if is_wide else None
    typed = rows.select(schema.column_names()).pipe(schema.validate, cast=True, eager=False)
    try:
        # Sorting wide rows takes memory, and mostly they are in order: see first.
        (typed if is_wide else typed.sort(key)).sink_parquet(path, mkdir=True, row_group_size=size)
    except pl.exceptions.ComputeError as error:
        if "failed validation" not in str(error):
            raise
        raise ContractError(
            f"{str(error).split('This error occurred')[0].strip()}\n{A_BUG}"
        ) from error
    if is_wide and not is_in_order(path, key):
        unordered = path.replace(path.with_name(f"{path.name}-unordered"))
        pl.scan_parquet(unordered).sort(key).sink_parquet(path, row_group_size=size)
        unordered.unlink()


def _replace(draft: Path, path: Path) -> None:
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def digest_of(path: Path) -> str:
    """Sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
