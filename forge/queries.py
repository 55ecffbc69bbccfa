"""A user's SQL over the tables: it reads them, and can neither write nor reach anything else."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from forge.errors import UsageError
from forge.fingerprint import sql_folder
from forge.run import connect
from forge.settings import Settings
from forge.stage import Stage
from forge.views import create_views

READS = ("SELECT", "EXPLAIN")  # DESCRIBE, SHOW and SUMMARIZE are SELECTs to DuckDB
ALLOWED = "SELECT, EXPLAIN or DESCRIBE"
HINT = "`forge tables` lists tables and columns"
BATCH = 10_000


@dataclass(frozen=True)
class Answer:
    """The rows of a query, as they come."""

    names: list[str]
    batches: Iterable[Any]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Row after row, as Python's own values."""
        places = [str(place) for place in range(len(self.names))]  # names may repeat
        for batch in _told(self.batches):
            columns = dict(zip(places, batch.columns, strict=True))
            for row in pl.DataFrame(columns).iter_rows():
                yield tuple(_plain(value) for value in row)

    def write_parquet(self, path: Path) -> None:
        """Write all rows to a file, batch by batch; columns of one name get numbers."""
        import pyarrow.parquet as pq

        schema = self.batches.schema  # type: ignore[attr-defined]
        for place in range(len(self.names)):
            name = self.names[place]
            if name in self.names[:place]:
                schema = schema.set(place, schema.field(place).with_name(f"{name}_{place}"))
        with pq.ParquetWriter(path, schema) as writer:
            for batch in _told(self.batches):
                writer.write_batch(batch.rename_columns(schema.names))


def saved_queries() -> dict[str, str]:
    """The queries that come with forge, by name."""
    files = sorted((sql_folder() / "queries").glob("*.sql"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def _told(batches: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except OSError as error:  # how Arrow hands on what went wrong in the middle of a query
        raise UsageError(f"{str(error).strip()}\n{HINT}") from None


def _plain(value: Any) -> Any:
    # DuckDB sums integers as 128 bits wide, which arrive as decimals.
    is_whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return int(value) if is_whole else value


@contextmanager
def answered(sql: str, settings: Settings, chosen: Sequence[Stage]) -> Iterator[Answer]:
    """The answer to one reading statement; UsageError where it is none, or goes wrong."""
    statement = checked(sql)
    with tempfile.TemporaryDirectory() as spill, connect(Path(spill)) as duck:
        create_views(duck, settings, chosen)
        _confine(duck, settings)
        try:
            reader = duck.sql(statement).to_arrow_reader(BATCH)
            yield Answer(reader.schema.names, reader)
        except duckdb.PermissionException as error:
            first = str(error).strip().splitlines()[0]
            raise UsageError(
                f"{first}\nSQL here reads the tables under {settings.root} alone"
            ) from None
        except duckdb.Error as error:
            raise UsageError(f"{str(error).strip()}\n{HINT}") from None


def _confine(duck: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    folders = [str(f.absolute()) for f in (settings.root, settings.memo_folder)]
    duck.execute("set allowed_directories = $folders", {"folders": folders})
    duck.execute("set python_enable_replacements = false")
    duck.execute("set enable_external_access = false")
    duck.execute("set lock_configuration = true")


def checked(sql: str) -> str:
    """The statement, if it is one and only reads."""
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(f"{str(error).strip()}\nsay one {ALLOWED} statement") from None
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements\nsay one {ALLOWED} statement")
    kind = statements[0].type.name
    if kind not in READS:
        raise UsageError(f"{kind} is not run here\nsay one {ALLOWED} statement")
    if kind == "EXPLAIN":
        _check_explained(sql)
    return sql


def _check_explained(sql: str) -> None:
    # EXPLAIN ANALYZE runs what it explains: a COPY under it would write into the root.
    words = [token for token in duckdb.tokenize(sql) if str(token[1].name) != "comment"]
    starts = [start for start, _ in words][1:]
    texts = [sql[start:].lower() for start in starts]
    while texts and texts[0].startswith(("analyze", "verbose", "(")):
        skipped = _options(texts) if texts[0].startswith("(") else 1
        texts = texts[skipped:]
    try:
        inner = duckdb.extract_statements(texts[0]) if texts else []
    except duckdb.Error:
        inner = []
    if [statement.type.name for statement in inner] != ["SELECT"]:
        raise UsageError("EXPLAIN of anything but a SELECT is not run here")


def _options(texts: list[str]) -> int:
    """How many words the parenthesis takes that stands first."""
    depth = 0
    for number, text in enumerate(texts, 1):
        depth += text.startswith("(") - text.startswith(")")
        if depth == 0:
            return number
    return len(texts)
