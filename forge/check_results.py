"""Results of checks: a file that is whole at any moment, and knows what need not be asked again."""

import fcntl
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from forge.artifacts import Artifacts
from forge.columns import KEY, dtypes, moment
from forge.disk import is_of_disk
from forge.drafts import clear_drafts, draft_in
from forge.errors import InputError, LockError
from forge.exported import READERS, Task, scan_lines
from forge.outputs import check_output, refused

SIDES = ("nothing", "gold")
SETTLED = ("holds", "differs")
WRITERS: dict[str, Callable[[pl.DataFrame, io.BytesIO], object]] = {
    ".parquet": pl.DataFrame.write_parquet,
    ".jsonl": pl.DataFrame.write_ndjson,
}


class Checks(dy.Schema):
    """One row per row checked."""

    instance_id = dy.String(metadata=KEY, description="the task, as its row names it")
    outcome = dy.Enum([*SETTLED, "unchecked"], description="unchecked: nothing is said of the task")
    reason = dy.String(nullable=True, description="why it is unchecked")
    detail = dy.String(nullable=True, description="the words of who stopped it")
    checked_at = moment("when it was checked, UTC")
    seconds = dy.Float64(description="how long that took, image included")
    image = dy.String(description="the name that the row gives")
    image_digest = dy.String(nullable=True, description="what was seen, where it came to that")
    row_image_digest = dy.String(nullable=True, description="what the row says it should be")
    image_source = dy.String(nullable=True, description="found, pulled or built")
    platform = dy.String(description="operating system and processor that it was checked on")
    differing_tests = dy.Int64(nullable=True, description="how many differences there are")
    differences = dy.List(
        dy.Struct(
            {
                "side": dy.String(nullable=False),
                "id": dy.String(nullable=True),
                "expected": dy.String(nullable=False),
                "got": dy.String(nullable=False),
            }
        ),
        nullable=True,
        description="the first thousand: side (nothing, gold), test, what is listed, what was seen",
    )
    nothing_log = dy.String(nullable=True, description="file of what the tests printed")
    nothing_report = dy.String(nullable=True, description="file of what the eval script printed")
    gold_log = dy.String(nullable=True, description="the same under the gold patch")
    gold_report = dy.String(nullable=True, description="the same under the gold patch")
    row_sha = dy.String(description="sha256 of all in the row that a check may depend on")


LOGS = [f"{side}_{what}" for side in SIDES for what in ("log", "report")]


class Results:
    """The rows of a results file, written again whole with each that comes."""

    def __init__(self, path: Path, *, is_doubted: bool = False) -> None:
        self.path, self.logs, self.is_doubted = path, path.with_suffix(".logs"), is_doubted
        self.rows: dict[str, dict[str, Any]] = {}
        self.new: set[str] = set()

    @property
    def artifacts(self) -> Artifacts:
        """Where logs lie, beside the file."""
        return Artifacts(self.logs)

    def settled(self, task: Task) -> dict[str, Any] | None:
        """What was found out about this very row, if it was and is not doubted."""
        row = self.rows.get(task.instance_id)
        is_settled = row and row["row_sha"] == task.sha and row["outcome"] in SETTLED
        return row if is_settled and not self.is_doubted else None

    def put(self, row: dict[str, Any]) -> None:
        """Keep a row, in place of an older one of that task."""
        files = {name: self._file(row[name]) for name in LOGS if name in row}
        self.rows[row["instance_id"]] = dict.fromkeys(Checks.column_names()) | row | files
        self.new.add(row["instance_id"])
        self._write()

    def _file(self, artifact: str) -> str:
        return str(self.artifacts.path(artifact).relative_to(self.path.parent))

    def _write(self) -> None:
        frame = pl.DataFrame([*self.rows.values()], schema=dtypes(Checks))
        content = io.BytesIO()
        WRITERS[self.path.suffix](frame, content)
        draft = draft_in(self.path.parent, self._prefix)
        try:
            draft.write_bytes(content.getvalue())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def read(self) -> None:
        """Take the rows that the file holds, if there is one."""
        clear_drafts(self.path.parent, self._prefix)
        if not self.path.exists():
            return
        try:
            rows = Checks.validate(_typed(self.path).collect())
        except (OSError, pl.exceptions.PolarsError, dy.exc.ValidationError):
            raise InputError(
                f"{self.path} holds something else than results of checks\n"
                "name another file: this one stays as it is"
            ) from None
        self.rows = {row["instance_id"]: row for row in rows.to_dicts()}

    @property
    def _prefix(self) -> str:
        return f".{self.path.name}."


def _typed(path: Path) -> pl.LazyFrame:
    kinds = dtypes(Checks)
    rows = READERS[path.suffix](path).select(*kinds)
    if path.suffix == ".jsonl":
        # Of lists that are all empty, and of times, JSON does not say what they are.
        as_text = dict.fromkeys(("checked_at", "outcome"), pl.String)
        rows.collect_schema()
        rows = scan_lines(path, schema=kinds | as_text)
        rows = rows.with_columns(pl.col("checked_at").str.to_datetime("%Y-%m-%d %H:%M:%S%.f"))
    return rows.select(pl.col(name).cast(kind) for name, kind in kinds.items())


@contextmanager
def results(path: Path, *, is_doubted: bool = False) -> Iterator[Results]:
    """A results file held by this process alone; its rows so far are read, and may be doubted."""
    check_output(path, WRITERS, "results")
    held = Results(path, is_doubted=is_doubted)
    try:
        with _held_alone(held):
            held.read()
            yield held
    except OSError as error:
        if is_of_disk(error) or _is_beside(path, error):
            raise refused(path, error) from error
        raise


@contextmanager
def _held_alone(held: Results) -> Iterator[None]:
    held.logs.mkdir(exist_ok=True)
    folder = os.open(held.logs, os.O_RDONLY)
    try:
        _lock(folder, held)
        try:
            yield
        finally:
            with suppress(OSError):  # it holds logs
                held.logs.rmdir()
    finally:
        os.close(folder)


def _lock(folder: int, held: Results) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who held it before may have removed it, and somebody may hold one of the same name.
        is_alone = os.path.samestat(os.fstat(folder), held.logs.stat())
    except (BlockingIOError, FileNotFoundError):
        is_alone = False
    if not is_alone:
        raise LockError(
            f"another check writes to {held.path}\nwait until it ends, or name another file"
        )


def _is_beside(path: Path, error: OSError) -> bool:
    return bool(error.filename) and Path(str(error.filename)).is_relative_to(path.parent)
