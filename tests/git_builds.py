"""Builds over repositories of one folder, without an archive."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from histories import Repository

from forge.build import Options, build, stages_to
from forge.selection import Named, Selection
from forge.settings import Settings
from forge.stage import Stage
from forge.store import Store

NOW = datetime(2026, 4, 1)
POOL = "pool-test"


def named(*pull_requests: str) -> tuple[Named, ...]:
    """Pull requests as `--pool` names them: `ann/fix#7`."""
    parts = [text.split("#") for text in pull_requests]
    return tuple(Named(repo=repo, number=int(number)) for repo, number in parts)


def run_build(root: Path, repository: Repository, to: str, **selected: Any) -> None:
    """Build up to a table, of a pool unless a month is selected."""
    selection = Selection(**{"month": POOL, "source": "pool", **selected})
    template = selection.git_source or repository.template
    settings = Settings(root=root, git_url=template)
    list(build(stages_to(to), selection, settings, Options(), now=NOW, progress=lambda *_: None))


def kept(root: Path, stage: Stage, month: str = POOL) -> list[dict[str, Any]]:
    """The rows of a table."""
    return Store(root, month).scan(stage.name, stage.schema).collect().to_dicts()


def refused(root: Path, stage: Stage, month: str = POOL) -> list[tuple[str, list[str]]]:
    """Fate and reasons of what is not in a table, by key."""
    pattern = root / "rejected" / stage.name / f"month={month}" / "*.parquet"
    return pl.read_parquet(pattern).select("fate", "reasons").rows()
