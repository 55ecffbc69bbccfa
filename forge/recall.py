"""What the memo knows of a frame of questions: which are unanswered, and all answers."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from forge.artifacts import Artifacts
from forge.columns import ARTIFACT, marked
from forge.effect import OPEN, TRIES, Effect
from forge.memo import Memo

BATCH = 10_000
QUESTION = "question_key"
WANTED = "is_wanted"
UNREMEMBERED = {
    QUESTION: pl.String,
    "kind_now": pl.String,
    "reason_now": pl.String,
    "detail_now": pl.String,
}


@dataclass(frozen=True)
class Recall:
    """The memo of one effect, as one service's answers."""

    effect: Effect
    memo: Memo
    artifacts: Artifacts
    identity: str
    retry: frozenset[str] = frozenset()

    def question_key(self, values: tuple[Any, ...]) -> str:
        """16 bytes of sha256 over the service's identity and the inputs, in hexadecimal."""
        content = msgspec.json.encode([self.identity, *values], order="deterministic")
        return hashlib.sha256(content).hexdigest()[:32]

    def keyed(self, rows: pl.LazyFrame, key: list[str], only: pl.Expr) -> pl.DataFrame:
        """The rows' keys beside the keys of their questions, and whether they may be asked."""
        columns = list(dict.fromkeys([*key, *self.effect.inputs]))
        asked = rows.select(*columns, only.alias(WANTED))
        dtypes = asked.select(*key, WANTED).collect_schema()
        batches = asked.collect_batches(chunk_size=BATCH)
        empty = pl.DataFrame(schema={**dtypes, QUESTION: pl.String})
        return pl.concat([empty, *[self._keyed(batch, key) for batch in batches]])

    def _keyed(self, batch: pl.DataFrame, key: list[str]) -> pl.DataFrame:
        keys = [self.question_key(row) for row in batch.select(self.effect.inputs).iter_rows()]
        return batch.select(*key, WANTED, pl.Series(QUESTION, keys, pl.String))

    def unanswered(self, keyed: pl.DataFrame) -> dict[str, int]:
        """Keys of the questions to ask now, with how often they failed before."""
        wanted = keyed.lazy().filter(WANTED).select(QUESTION).unique()
        left = wanted.join(self._standing(), left_on=QUESTION, right_on="key", how="left")
        again = left.filter(pl.col("at").is_null() | _may_be_asked_again())
        return dict(again.select(QUESTION, pl.col("tries").fill_null(0)).collect().iter_rows())

    def resolved(self, keyed: pl.DataFrame, unremembered: pl.LazyFrame) -> pl.DataFrame:
        """Every row's place in the memo, `at`, and `kind`, `reason`, `detail` without an answer.

        `unremembered` tells of questions that this ask could not answer and the memo does not hold.
        """
        asked = pl.when(WANTED).then(pl.lit(OPEN)).otherwise(pl.lit("pending"))
        kind = (
            pl.when(pl.col("at").is_null())
            .then(pl.coalesce("kind_now", asked))
            .when(_may_be_asked_again())
            .then(pl.lit(OPEN))
            .otherwise("kind")
        )
        rows = keyed.lazy().join(
            self._standing(), left_on=QUESTION, right_on="key", how="left", maintain_order="left"
        )
        return (
            rows.join(unremembered, on=QUESTION, how="left", maintain_order="left")
            .with_columns(
                kind=kind,
                reason=pl.coalesce("reason_now", "reason"),
                detail=pl.coalesce("detail_now", "detail"),
            )
            .collect()
        )

    def answers(self, resolved: pl.DataFrame, key: list[str]) -> pl.LazyFrame:
        """Key columns, answer columns, `kind`, `reason` and `detail` of every row."""
        names = [n for n in self.effect.answers.column_names() if n not in key]
        answers = self.memo.rows().select("at", *[pl.col("answer").struct.field(n) for n in names])
        rows = resolved.lazy().select(*key, "at", "kind", "reason", "detail")
        return rows.join(answers, on="at", how="left", maintain_order="left").select(
            *key, *names, "kind", "reason", "detail"
        )

    def _standing(self) -> pl.LazyFrame:
        """The one row that stands for each key: an answer before failures, then the newest."""
        names = marked(self.effect.answers, ARTIFACT)
        files = [pl.col("answer").struct.field(name) for name in names]
        columns = ["key", "at", "kind", "reason", "detail", "tries"]
        return (
            self.memo.rows()
            .filter(self._is_valid())
            .select(*columns, "asked_at", *files)
            .sort(
                pl.col("kind").is_not_null(),
                pl.col("kind").eq_missing(pl.lit("infra")),
                pl.col("tries"),
                pl.col("asked_at"),
                descending=[False, False, True, True],
            )
            .unique("key", keep="first", maintain_order=True)
            .filter(self._has_files(names))
            .select(columns)
        )

    def _is_valid(self) -> pl.Expr:
        is_forgotten_by_version = (
            pl.col("kind").is_in(["environment", "model"]).fill_null(value=False)
        )
        oldest = (
            pl.when(is_forgotten_by_version).then(self.effect.version).otherwise(self.effect.since)
        )
        is_retried = pl.col("kind").is_in(list(self.retry)).fill_null(value=False)
        return (pl.col("version") >= oldest) & ~is_retried

    def _has_files(self, names: list[str]) -> pl.Expr:
        # An answer whose artifact is gone is unanswered.
        held = [pl.col(n).map_batches(self._is_held, return_dtype=pl.Boolean) for n in names]
        return pl.all_horizontal(pl.lit(value=True), *held)

    def _is_held(self, names: pl.Series) -> pl.Series:
        held = [name is None or self.artifacts.holds(name) for name in names]
        return pl.Series(names.name, held, dtype=pl.Boolean)


def _may_be_asked_again() -> pl.Expr:
    return (pl.col("kind") == "infra") & (pl.col("tries") < TRIES)
