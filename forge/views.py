"""Views over all months' tables: for `forge sql`, and in a small file that any SQL client opens."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import dataframely as dy
import duckdb
import polars as pl

from forge.artifacts import Artifacts
from forge.columns import PullRequestKey
from forge.drafts import clear_drafts, draft_in
from forge.report import months
from forge.settings import Settings
from forge.stage import Stage
from forge.store import Store

FILE = "forge.duckdb"
DRAFT = f".{FILE}-"
HOURS = "hours"


class Ledger(dy.Schema):
    """One row per question that was asked, of whatever effect."""

    effect = dy.String(description="the question")
    key = dy.String(description="which inputs it was asked with, as a hash")
    asked_at = dy.Datetime(time_unit="us", description="when the build that asked it began, UTC")
    kind = dy.String(nullable=True, description="kind of failure; null where it was answered")
    reason = dy.String(nullable=True, description="the failure's short name")
    seconds = dy.Float64(description="from question to answer, waits included")
    model = dy.String(nullable=True, description="the model that really answered")
    mode = dy.String(nullable=True, description="how an answer of its schema was asked for")
    input_tokens = dy.Int64(nullable=True, description="tokens told, cached ones included")
    cached_tokens = dy.Int64(nullable=True, description="tokens told that cost less")
    output_tokens = dy.Int64(nullable=True, description="tokens answered")
    dollars = dy.Float64(nullable=True, description="price; null where nobody tells it")
    attempts = dy.Int64(nullable=True, description="requests that were made for it")
    request_seconds = dy.Float64(nullable=True, description="that these took, waits aside")


BILL_TYPE = (
    "struct(model varchar, mode varchar, input_tokens bigint, cached_tokens bigint, "
    "output_tokens bigint, dollars double, attempts bigint, request_seconds double)"
)
BILL = (
    *("model", "mode", "input_tokens", "cached_tokens", "output_tokens", "dollars"),
    *("attempts", "request_seconds"),
)


class Rejected(PullRequestKey):
    """One row per row that a table did not keep."""

    fate = dy.String(description="rejected, open or deferred")
    reasons = dy.List(dy.String(), description="names of all criteria missed")
    detail = dy.String(nullable=True, description="a failure's own words")


def create_views(
    duck: duckdb.DuckDBPyConnection, settings: Settings, chosen: Iterable[Stage]
) -> None:
    """Every table by its name, with `month`; `rejected` of all of them; `events`; `ledger`."""
    root = settings.root.absolute()
    stages = list(chosen)
    for stage in stages:
        _create(duck, stage.name, root / stage.name, stage.schema)
    for stage in stages:
        if stage.is_decided:
            _create(duck, f"rejected_{stage.name}", root / "rejected" / stage.name, Rejected)
    _create_rejected(duck, root)
    _create_events(duck, settings, stages)
    # A damaged memo is for the next build to tell: the tables are whole without it.
    with suppress(duckdb.Error):
        _create_ledger(duck, settings.memo_folder.absolute())


def write_views(settings: Settings, chosen: Iterable[Stage]) -> None:
    """Replace the file of views; a disk that takes none keeps the old one, or has none."""
    draft = draft_in(settings.root, DRAFT)
    try:
        clear_drafts(settings.root, DRAFT)
        with duckdb.connect(str(draft)) as duck:
            create_views(duck, settings, chosen)
        draft.replace(settings.root / FILE)
    except (OSError, duckdb.Error, pl.exceptions.PolarsError):
        # A convenience: never the reason why a build fails.
        return
    finally:
        draft.unlink(missing_ok=True)


def _create(
    duck: duckdb.DuckDBPyConnection, name: str, folder: Path, schema: type[dy.Schema]
) -> None:
    has_files = next(folder.glob("month=*/*.parquet"), None) is not None
    columns = "*" if has_files else f"*, {_typed('month', 'VARCHAR')}"
    rows = _parquet(f"{folder}/month=*/*.parquet") if has_files else _empty(duck, schema)
    _view(duck, name, columns, rows)


def _create_rejected(duck: duckdb.DuckDBPyConnection, root: Path) -> None:
    pattern = "rejected/*/month=*/*.parquet"
    if next(root.glob(pattern), None) is None:
        rows = _empty(duck, Rejected)
        columns = f"{_typed('table', 'VARCHAR')}, *, {_typed('month', 'VARCHAR')}"
    else:
        rows = _parquet(f"{root}/{pattern}", "filename = true")
        columns = "split_part(filename, '/', -3) as \"table\", * exclude (filename)"
    _view(duck, "rejected", columns, rows)


def _create_events(
    duck: duckdb.DuckDBPyConnection, settings: Settings, stages: list[Stage]
) -> None:
    from forge.events import Events

    files = _event_files(settings, stages)
    listed = ", ".join(_text(str(file)) for file in files)
    # Hours may be from different versions of forge, too.
    known = f"read_parquet([{listed}], union_by_name = true)"
    rows = known if files else _empty(duck, Events)
    _view(duck, "events", "*", rows)


def _create_ledger(duck: duckdb.DuckDBPyConnection, memo: Path) -> None:
    folders = sorted({part.parent for part in memo.glob("*/part-*.parquet")})
    facts = [name for name in Ledger.column_names() if name not in BILL]
    columns = ", ".join([*facts, *(f"bill.{name}" for name in BILL)])
    asked = " union all ".join(f"(from {_memo_rows(folder, columns)})" for folder in folders)
    _view(duck, "ledger", "*", f"({asked})" if folders else _empty(duck, Ledger))


def _memo_rows(folder: Path, columns: str) -> str:
    parts = f"read_parquet({_text(f'{folder}/part-*.parquet')}, union_by_name = true)"
    # Old parts have no bills.
    unbilled = f"(select null::{BILL_TYPE} as bill where false)"
    known = f"(from {parts} union all by name from {unbilled})"
    named = f"(select {_text(folder.name)} as effect, * from {known})"  # noqa: S608 - quoted
    return f"(select {columns} from {named})"  # noqa: S608 - the same


def _event_files(settings: Settings, stages: list[Stage]) -> list[Path]:
    artifacts = Artifacts(settings.memo_folder.absolute() / "artifacts")
    found = [
        artifacts.path(name)
        for stage in stages
        if stage.name == HOURS
        for month in months(settings.root)
        for name in _event_names(Store(settings.root, month).scan(HOURS, stage.schema))
    ]
    return [path for path in found if path.exists()]


def _event_names(hours: pl.LazyFrame) -> list[str]:
    return (
        hours.select("events")
        .drop_nulls()
        .unique(maintain_order=True)
        .collect()["events"]
        .to_list()
    )


def _view(duck: duckdb.DuckDBPyConnection, name: str, columns: str, rows: str) -> None:
    # A view takes no parameters; all its names and texts are quoted below.
    text = f"create view {_quoted(name)} as select {columns} from {rows}"  # noqa: S608 - quoted
    duck.execute(text)


def _parquet(pattern: str, *options: str) -> str:
    # Months may be from different versions of forge: columns go by name.
    given = ", ".join([
        _text(pattern), "union_by_name = true", "hive_partitioning = true",
        "hive_types = {'month': VARCHAR}", *options,
    ])  # fmt: skip
    return f"read_parquet({given})"


def _empty(duck: duckdb.DuckDBPyConnection, schema: type[dy.Schema]) -> str:
    empty = duck.from_arrow(schema.create_empty().to_arrow())
    typed = [_typed(*column) for column in zip(empty.columns, map(str, empty.types), strict=True)]
    return f"(select {', '.join(typed)} where false)"


def _typed(name: str, kind: str) -> str:
    return f"cast(null as {kind}) as {_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
