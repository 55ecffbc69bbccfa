"""Writes what a build would remember of GitHub's answers, without asking."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from forge.artifacts import Artifacts
from forge.effect import Effect
from forge.memo import PART_ROWS, Memo
from forge.recall import QUESTION, Recall

WHEN = datetime(2026, 4, 1)


def write_answers(
    memo: Path, effect: Effect, questions: pl.LazyFrame, *, identity: str, answer: dict[str, Any]
) -> None:
    """Remember the same answer to many questions, in parts as a build leaves them."""
    kept = Memo(memo / effect.name, effect.answers)
    recall = Recall(effect, kept, Artifacts(memo / "artifacts"), identity)
    keys = recall.keyed(questions, [], pl.lit(value=True))[QUESTION]
    for number, rows in enumerate(_parts(keys, kept, answer)):
        rows.write_parquet(kept.folder / f"part-{number:032x}.parquet", row_group_size=PART_ROWS)


def _parts(keys: pl.Series, memo: Memo, answer: dict[str, Any]) -> Iterator[pl.DataFrame]:
    known = {"version": 99, "asked_at": WHEN, "tries": 1, "seconds": 1.0, "answer": answer}
    row = pl.DataFrame([known], schema={n: t for n, t in memo.schema.items() if n != "key"})
    whole = keys.rename("key").to_frame().join(row, how="cross")
    return whole.select([*memo.schema]).iter_slices(PART_ROWS)
