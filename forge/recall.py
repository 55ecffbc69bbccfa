"""What the memo knows of a frame of questions: which are unanswered, and all answers."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from forge.artifacts import Artifacts
from forge.claims import Told
from forge.columns import ARTIFACT, marked
from forge.effect import OPEN, TRIES, Effect
from forge.memo import Memo

BATCH = 10_000
SPILL_ROWS = 20_000
QUESTION = "question_key"
WANTED = "is_wanted"
FORGOTTEN = ("environment", "model")
"""Kinds of failure that a new version forgets."""
UNREMEMBERED = {
    QUESTION: pl.String,
    "kind_now": pl.String,
    "reason_now": pl.String,
    "detail_now": pl.String,
}


class Answered(NamedTuple):
    """Rows with their places in the memo and `kind`; the same with their answers."""

    resolved: pl.DataFrame
    answers: pl.LazyFrame


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
        return dict(self.left(keyed).collect().iter_rows())

    def left(self, keyed: pl.DataFrame) -> pl.LazyFrame:
        """The same as rows."""
        wanted = keyed.lazy().filter(WANTED).select(QUESTION).unique()
        standing = self._standing(self.memo.rows().filter(~self._is_retried()))
        left = wanted.join(standing, left_on=QUESTION, right_on="key", how="left")
        again = left.filter(pl.col("at").is_null() | _may_be_asked_again())
        return again.select(QUESTION, pl.col("tries").fill_null(0))

    def answered(
        self,
        keyed: pl.DataFrame,
        unremembered: pl.LazyFrame,
        key: list[str],
        now: datetime,
        spill: Path | None = None,
    ) -> Answered:
        """Every row with its answer, or with the kind and reason why it has none.

        `unremembered` tells of questions that this ask could not answer and the memo does not hold;
        what was asked again since `now` stands, whatever it is. Many answers go into a folder, for
        a join would hold them all.
        """
        # One reading for both: a row's place is another one when somebody else remembers more.
        remembered = self.memo.rows().filter(~self._is_retried() | (pl.col("asked_at") >= now))
        resolved = self._resolved(keyed, unremembered, remembered)
        if spill is None or resolved.height <= SPILL_ROWS:
            return Answered(resolved, self._answers(resolved, key, remembered))
        return Answered(resolved, self._spilled(resolved, key, remembered, spill))

    def _spilled(
        self, resolved: pl.DataFrame, key: list[str], remembered: pl.LazyFrame, spill: Path
    ) -> pl.LazyFrame:
        paths = []
        for number, rows in enumerate(resolved.iter_slices(SPILL_ROWS)):
            # Mostly questions were answered in the order of the rows.
            near = pl.col("at").is_between(rows["at"].min(), rows["at"].max())
            held = remembered.filter(near).join(rows.lazy().select("at"), on="at", how="semi")
            paths.append(spill / f"{self.effect.name}.{number}.answers")
            self._answers(rows, key, held).sink_parquet(paths[-1], mkdir=True)
        return pl.scan_parquet(paths)

    def _resolved(
        self, keyed: pl.DataFrame, unremembered: pl.LazyFrame, remembered: pl.LazyFrame
    ) -> pl.DataFrame:
        asked = pl.when(WANTED).then(pl.lit(OPEN)).otherwise(pl.lit("pending"))
        kind = (
            pl.when(pl.col("at").is_null())
            .then(pl.coalesce("kind_now", asked))
            .when(_may_be_asked_again())
            .then(pl.lit(OPEN))
            .otherwise("kind")
        )
        rows = keyed.lazy().join(
            self._standing(remembered),
            left_on=QUESTION,
            right_on="key",
            how="left",
            maintain_order="left",
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

    def _answers(
        self, resolved: pl.DataFrame, key: list[str], remembered: pl.LazyFrame
    ) -> pl.LazyFrame:
        names = [n for n in self.effect.answers.column_names() if n not in key]
        answers = remembered.select("at", *[pl.col("answer").struct.field(n) for n in names])
        rows = resolved.lazy().select(*key, "at", "kind", "reason", "detail")
        return rows.join(answers, on="at", how="left", maintain_order="left").select(
            *key, *names, "kind", "reason", "detail"
        )

    def _standing(self, remembered: pl.LazyFrame) -> pl.LazyFrame:
        """The one row that stands for each key: an answer before failures, then the newest."""
        names = marked(self.effect.answers, ARTIFACT)
        files = [pl.col("answer").struct.field(name) for name in names]
        columns = ["key", "at", "kind", "reason", "detail", "tries"]
        return (
            remembered.filter(self._is_valid())
            .select(*columns, "asked_at", *files)
            .filter(self._has_files(names))
            .sort(
                pl.col("kind").is_not_null(),
                pl.col("kind").eq_missing(pl.lit("infra")),
                pl.col("tries"),
                pl.col("asked_at"),
                descending=[False, False, True, True],
            )
            .unique("key", keep="first", maintain_order=True)
            .select(columns)
        )

    def is_answer(self, told: Told) -> bool:
        """Whether what another process remembers leaves nothing to ask."""
        oldest = self.effect.version if told.kind in FORGOTTEN else self.effect.since
        return told.kind != "infra" and told.version >= oldest

    def after(self, now: datetime) -> datetime:
        """A time after all that is remembered, even when the clock went back: the newest stands."""
        newest = self.memo.rows().select(pl.col("asked_at").max()).collect().item()
        return max(now, newest + timedelta(microseconds=1)) if newest else now

    def _is_valid(self) -> pl.Expr:
        is_forgotten_by_version = pl.col("kind").is_in(FORGOTTEN).fill_null(value=False)
        oldest = (
            pl.when(is_forgotten_by_version).then(self.effect.version).otherwise(self.effect.since)
        )
        return pl.col("version") >= oldest

    def _is_retried(self) -> pl.Expr:
        return pl.col("kind").is_in(list(self.retry)).fill_null(value=False)

    def _has_files(self, names: list[str]) -> pl.Expr:
        # An answer whose artifact is gone is unanswered.
        held = [pl.col(n).map_batches(self._is_held, return_dtype=pl.Boolean) for n in names]
        return pl.all_horizontal(pl.lit(value=True), *held)

    def _is_held(self, names: pl.Series) -> pl.Series:
        held = [name is None or self.artifacts.holds(name) for name in names]
        return pl.Series(names.name, held, dtype=pl.Boolean)


def _may_be_asked_again() -> pl.Expr:
    return (pl.col("kind") == "infra") & (pl.col("tries") < TRIES)
