"""Where every pull request of a build ends, and why."""

from pathlib import Path

import polars as pl

from forge.build import stages
from forge.columns import PullRequestKey
from forge.report import rejected_rows
from forge.stage import Stage
from forge.store import Store

KEY = PullRequestKey.column_names()


def fates(root: Path, month: str = "2026-03") -> dict[str, str]:
    """By pull request: the first table that stopped it and its reasons, or what the task is."""
    store = Store(root, month)
    merges = _rows(store, "merges").select(*KEY, "repo")
    ends = pl.concat([_ends(store, stage, merges) for stage in stages()] + [_tasks(store, merges)])
    first = ends.unique(["repo", "number"], keep="first", maintain_order=True)
    return {f"{repo}#{number}": fate for repo, number, fate in first.collect().iter_rows()}


def _rows(store: Store, table: str) -> pl.LazyFrame:
    stage = next(stage for stage in stages() if stage.name == table)
    return store.scan(table, stage.schema)


def _ends(store: Store, stage: Stage, merges: pl.LazyFrame) -> pl.LazyFrame:
    rows = rejected_rows(store, stage.name)
    names = rows.collect_schema().names() if rows is not None else []
    key = [name for name in KEY if name in names]
    if rows is None or not key:
        return pl.LazyFrame(schema={"repo": pl.String, "number": pl.Int64, "fate": pl.String})
    told = pl.format("{}: {}", pl.lit(stage.name), pl.col("reasons").list.join(", "))
    return merges.join(rows.select(*key, fate=told), on=key).select("repo", "number", "fate")


def _tasks(store: Store, merges: pl.LazyFrame) -> pl.LazyFrame:
    told = pl.format("task in {}, difficulty {}", "split", "static_difficulty")
    tasks = _rows(store, "tasks").join(_rows(store, "splits"), on=KEY)
    return merges.join(tasks.select(*KEY, fate=told), on=KEY).select("repo", "number", "fate")
