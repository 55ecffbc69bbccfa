"""Stages replaced by ones that let everything pass, to prove that each of them matters."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl

from forge.attacks import creation
from forge.columns import dtypes
from forge.recipes import Recipe
from forge.stage import Stage

NO_COMMIT = "0" * 40
NO_RECIPE = Recipe(
    language="python",
    repo="nobody/nothing",
    base_commit=NO_COMMIT,
    image="python:3.11-slim-bookworm",
    probe="echo test.py::test",
    test="true",
    results="junit",
)
EMPTY = {
    pl.String: "",
    pl.Int64: 1,
    pl.Float64: 0.0,
    pl.Boolean: False,
}

Change = Callable[[Stage, pl.LazyFrame], pl.LazyFrame]


def replaced(stage: Stage, change: Change) -> Stage:
    """The stage with its rows changed by `change`."""

    @functools.wraps(stage.function)
    def function(*upstream: Any, **given: Any) -> pl.LazyFrame:
        return change(stage, stage.function(*upstream, **given))

    return replace(stage, function=function)


def keeping(**known: str) -> Change:
    """Keep what was rejected; what it does not know is empty, or as given."""

    def change(stage: Stage, rows: pl.LazyFrame) -> pl.LazyFrame:
        columns = dtypes(stage.schema)
        given = [pl.col(name).fill_null(value) for name, value in known.items()]
        rows = rows.with_columns(
            fate=pl.col("fate").replace("rejected", "kept"),
            reasons=pl.lit([], pl.List(pl.String)),
        ).with_columns(given)
        nullable = {name for name, column in stage.schema.columns().items() if column.nullable}
        return rows.with_columns(
            pl.col(name).fill_null(_empty(dtype))
            for name, dtype in columns.items()
            if name not in nullable
        )

    return change


def _empty(dtype: Any) -> pl.Expr:
    return pl.lit([] if isinstance(dtype, pl.List) else EMPTY.get(dtype), dtype)


def with_columns(**expressions: pl.Expr) -> Change:
    """Every row with other values."""
    return lambda _, rows: rows.with_columns(**expressions)


PASSED = pl.col("tests").list.eval(
    pl.struct(
        id=pl.element().struct.field("id"),
        letter=pl.lit("P"),
        seconds=pl.element().struct.field("seconds"),
    )
)
LEAK = {"kind": "git_ref", "path": "/testbed/.git/refs/tags/v2", "evidence": NO_COMMIT}
EVERYTHING_IS_GOLD = {
    "gold_patch": pl.lit(creation("a.py", "pass\n")) + pl.col("gold_patch"),
    "test_paths": pl.col("test_paths").list.head(0),
}

# What takes the stage's place, and the repositories on which that shows.
PASSING: dict[str, tuple[Change, tuple[str, ...]]] = {
    "hours": (with_columns(events=pl.lit(None, pl.String)), ("mudlark/pocket",)),
    "merges": (with_columns(is_bot=pl.lit(value=True)), ("mudlark/pocket", "papertrail/glyphs")),
    "repositories": (keeping(fork_root_source="none"), ("ghosted/lostandfound",)),
    "pull_requests": (
        keeping(merge_commit=NO_COMMIT, base_commit=NO_COMMIT, merge_method="merge"),
        ("mossgarden/colorpot",),
    ),
    "issues": (lambda _, rows: rows.clear(), ("harborlight/semaphore",)),
    "candidates": (keeping(language="python"), ("mudlark/pocket",)),
    # The other way round: they stop no candidate.
    "hints": (
        with_columns(fate=pl.lit("rejected"), reasons=pl.lit(["has_hints"])),
        ("papertrail/glyphs",),
    ),
    # The other way round: nobody wants another level, so that it keeps all.
    "triage": (
        with_columns(fate=pl.lit("rejected"), reasons=pl.lit(["has_wanted_difficulty"])),
        ("papertrail/glyphs",),
    ),
    "patches": (with_columns(**EVERYTHING_IS_GOLD), ("papertrail/glyphs",)),
    "features": (with_columns(static_difficulty=pl.lit(1.0)), ("papertrail/glyphs",)),
    "statements": (keeping(statement_source="pull_request"), ("lanternworks/tidytext",)),
    "recipes": (
        keeping(recipe=NO_RECIPE.text, recipe_sha=NO_RECIPE.sha, reader="none", lock_source="none"),
        ("brokenyard/sundial",),
    ),
    "environments": (with_columns(is_built=pl.lit(value=True)), ("brokenyard/gnomon",)),
    "attempts": (with_columns(tests=PASSED), ("papertrail/glyphs",)),
    "verdicts": (keeping(), ("mossgarden/colorpot",)),
    # The other way round: no image of the world leaks.
    "leaks": (with_columns(image_leaks=pl.lit([LEAK])), ("papertrail/glyphs",)),
    "gates": (with_columns(is_resolved=pl.lit(value=False)), ("papertrail/glyphs",)),
    "tasks": (keeping(), ("lanternworks/tidytext", "stray-cat/tidytext")),
    "splits": (with_columns(split=pl.lit("train")), ("oldmill/almanac",)),
}
