"""A run that asks nobody: stages made of what the memo knows, and a count of what it does not."""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from forge.artifacts import Artifacts
from forge.columns import dtypes, key_of
from forge.effect import OPEN, Effect
from forge.memo import Memo
from forge.recall import QUESTION, UNREMEMBERED, Recall
from forge.settings import Settings
from forge.stage import Stage

EVERY = pl.lit(value=True)
NEVER = datetime(9999, 1, 1)
"""When what is asked again is answered: nothing is."""


@dataclass(frozen=True)
class Questions:
    """Questions that have no answer, by what GitHub is asked them by."""

    by_id: int = 0
    by_name: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.by_id + self.by_name

    def plus(self, other: "Questions") -> "Questions":
        """Both together."""
        return Questions(self.by_id + other.by_id, self.by_name + other.by_name)

    def part(self, numerator: int, denominator: int) -> "Questions":
        """A share of them, what is begun counted whole.

        >>> Questions(by_id=7).part(1, 2)
        Questions(by_id=4, by_name=0)
        """
        return Questions(
            -(-self.by_id * numerator // denominator), -(-self.by_name * numerator // denominator)
        )


@dataclass
class Recollection:
    """What a stage may ask, answered from the memo of one service; nothing is written."""

    stage: Stage
    settings: Settings
    identity: str
    effects: frozenset[str]
    """Those that are that service's; of others nothing is known."""
    retry: frozenset[str] = frozenset()
    left: dict[str, Questions] = field(default_factory=dict)

    def ask(self, rows: pl.LazyFrame, effect: Effect, *, only: pl.Expr = EVERY) -> pl.LazyFrame:
        """The rows' keys with what is remembered; open where nothing is."""
        names = rows.collect_schema().names()
        key = [name for name in key_of(self.stage.schema) if name in names]
        if effect.name not in self.effects:
            return _open(rows, key, effect)
        folder = self.settings.memo_folder / effect.name
        # A memo makes its folder.
        if not folder.is_dir():
            self.left[effect.name] = _counted(rows.filter(only).select(effect.inputs))
            return _open(rows, key, effect)
        return self._recalled(rows, key, self._recall(effect, Memo(folder, effect.answers)), only)

    def _recalled(
        self, rows: pl.LazyFrame, key: list[str], recall: Recall, only: pl.Expr
    ) -> pl.LazyFrame:
        keyed = recall.keyed(rows, key, only)
        asked = keyed.lazy().join(recall.left(keyed), on=QUESTION, how="semi")
        self.left[recall.effect.name] = _counted(asked.select("repository_id", QUESTION))
        nothing = pl.LazyFrame(schema=UNREMEMBERED)
        return recall.answered(keyed, nothing, key, NEVER).answers

    def _recall(self, effect: Effect, memo: Memo) -> Recall:
        artifacts = Artifacts(self.settings.memo_folder / "artifacts")
        return Recall(effect, memo, artifacts, self.identity, self.retry)


def _counted(questions: pl.LazyFrame) -> Questions:
    is_named = pl.col("repository_id") < 0  # negative: forge derived it from the name
    counts = questions.unique().select((~is_named).sum(), is_named.sum().alias("names"))
    return Questions(*counts.collect().row(0))


def _open(rows: pl.LazyFrame, key: list[str], effect: Effect) -> pl.LazyFrame:
    answers = {n: t for n, t in dtypes(effect.answers).items() if n not in key}
    nothing = answers | dict.fromkeys(("reason", "detail"), pl.String)
    unknown = [pl.lit(None, dtype).alias(name) for name, dtype in nothing.items()]
    return rows.select(*key, *unknown, kind=pl.lit(OPEN))
