"""Ask a service every question that the memo does not answer, and give back all answers."""

import asyncio
import errno
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from forge.artifacts import Artifacts
from forge.columns import ARTIFACT, marked
from forge.effect import OPEN, TRIES, Effect, Failure, Row, Service
from forge.errors import ContractError, ForgeError, ServiceError
from forge.memo import Journal, Memo, Remembered

BATCH = 10_000
OUTAGE = 20
QUESTION = "question_key"
WANTED = "is_wanted"

Progress = Callable[[str, int, int], None]


@dataclass
class Asking:
    """One ask: the questions of one effect, their memo, and what went wrong so far."""

    effect: Effect
    memo: Memo
    artifacts: Artifacts
    identity: str
    now: datetime
    retry: frozenset[str] = frozenset()
    failed: dict[str, tuple[int, Failure, float]] = field(default_factory=dict)
    pending: dict[str, Failure] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    errors_in_a_row: int = 0
    asked: int = 0
    outage: ServiceError | None = None
    last_error: ServiceError | None = None

    def keyed(self, rows: pl.LazyFrame, key: list[str], only: pl.Expr) -> pl.DataFrame:
        """The rows' keys beside the keys of their questions, and whether they may be asked."""
        columns = list(dict.fromkeys([*key, *self.effect.inputs]))
        batches = rows.select(*columns, only.alias(WANTED)).collect_batches(chunk_size=BATCH)
        frames = [self._keyed(batch, key) for batch in batches]
        empty = rows.select(*key, only.alias(WANTED)).head(0).collect()
        return pl.concat(
            [empty.with_columns(pl.lit(None, pl.String).alias(QUESTION)), *frames], how="diagonal"
        )

    def _keyed(self, batch: pl.DataFrame, key: list[str]) -> pl.DataFrame:
        keys = [self.question_key(row) for row in batch.select(self.effect.inputs).iter_rows()]
        return batch.select(*key, WANTED).with_columns(pl.Series(QUESTION, keys, pl.String))

    def question_key(self, values: tuple[Any, ...]) -> str:
        """16 bytes of sha256 over the service's identity and the inputs, in hexadecimal."""
        content = msgspec.json.encode([self.identity, *values], order="deterministic")
        return hashlib.sha256(content).hexdigest()[:32]

    def standing(self) -> pl.LazyFrame:
        """The one row that stands for each key: an answer before failures, then the newest."""
        valid = (
            pl.when(pl.col("kind").is_in(["environment", "model"]))
            .then(pl.col("version") >= self.effect.version)
            .otherwise(pl.col("version") >= self.effect.since)
        ) & ~pl.col("kind").is_in(list(self.retry)).fill_null(value=False)
        names = marked(self.effect.answers, ARTIFACT)
        files = [pl.col("answer").struct.field(name) for name in names]
        return (
            self.memo.rows()
            .filter(valid)
            .select("key", "at", "kind", "reason", "detail", "tries", "asked_at", *files)
            .sort(
                pl.col("kind").is_not_null(),
                pl.col("kind").eq_missing(pl.lit("infra")),
                pl.col("tries"),
                pl.col("asked_at"),
                descending=[False, False, True, True],
            )
            .unique("key", keep="first", maintain_order=True)
            .filter(self._has_files(names))
            .select("key", "at", "kind", "reason", "detail", "tries")
        )

    def _has_files(self, names: list[str]) -> pl.Expr:
        # An answer whose artifact is gone is unanswered.
        return pl.all_horizontal(
            pl.lit(value=True),
            *[pl.col(n).map_batches(self._is_held, return_dtype=pl.Boolean) for n in names],
        )

    def _is_held(self, names: pl.Series) -> pl.Series:
        return pl.Series(
            [n is None or self.artifacts.path(n).exists() for n in names], dtype=pl.Boolean
        )

    def unanswered(self, keyed: pl.DataFrame) -> set[str]:
        """Keys of the questions to ask now."""
        wanted = keyed.lazy().filter(WANTED).select(QUESTION).unique()
        standing = self.standing().select("key", "kind", "tries")
        left = wanted.join(standing, left_on=QUESTION, right_on="key", how="left", coalesce=False)
        again = left.filter(
            pl.col("key").is_null() | ((pl.col("kind") == "infra") & (pl.col("tries") < TRIES))
        ).collect()
        self.tries = dict(again.select(QUESTION, pl.col("tries").fill_null(0)).iter_rows())
        return set(again[QUESTION])

    async def ask(
        self, rows: pl.LazyFrame, keys: set[str], service: Service, progress: Progress
    ) -> None:
        """Ask the questions with these keys, several at a time, and remember what comes back."""
        total, questions = len(keys), self._questions(rows, set(keys))
        with self.memo.journal() as journal:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.effect.concurrency, total)):
                        group.create_task(
                            self._work(questions, service, journal, (progress, total))
                        )
            except BaseExceptionGroup as several:
                raise _first(several) from None
            self._judge_outage(total)
            if not self.outage:
                self._remember_failed(journal)

    def _questions(self, rows: pl.LazyFrame, keys: set[str]) -> Iterator[tuple[str, Row]]:
        for batch in rows.select(self.effect.inputs).collect_batches(chunk_size=BATCH):
            for values in batch.iter_rows():
                key = self.question_key(values)
                if key in keys:
                    keys.remove(key)
                    yield key, dict(zip(self.effect.inputs, values, strict=True))

    async def _work(
        self,
        questions: Iterator[tuple[str, Row]],
        service: Service,
        journal: Journal,
        shown: tuple[Progress, int],
    ) -> None:
        for key, question in questions:
            if self.outage:
                return
            started = time.perf_counter()
            answer = await self._answer(service, question)
            self._note(key, answer, time.perf_counter() - started, journal)
            self.asked += 1
            shown[0](self.effect.name, self.asked, shown[1])

    async def _answer(self, service: Service, question: Row) -> Row | Failure:
        try:
            async with asyncio.timeout(self.effect.seconds):
                answer = await self.effect.function(service, **question)
        except ServiceError as error:
            return self._count_error(error)
        except ForgeError:
            raise
        except TimeoutError:
            return Failure(
                "infra", "timed_out", f"no answer within {self.effect.seconds:g} seconds"
            )
        except Exception as error:
            if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EROFS}:
                raise
            return Failure("infra", "unexpected_error", f"{type(error).__name__}: {error}")
        self.errors_in_a_row = 0
        return answer

    def _count_error(self, error: ServiceError) -> Failure:
        self.errors_in_a_row += 1
        if self.errors_in_a_row >= OUTAGE:
            self.outage = error
        self.last_error = error
        return Failure("infra", "service_down", str(error))

    def _judge_outage(self, total: int) -> None:
        if not self.outage and 0 < self.errors_in_a_row == min(self.asked, total):
            self.outage = self.last_error

    def _note(self, key: str, answer: Row | Failure, seconds: float, journal: Journal) -> None:
        if not isinstance(answer, Failure):
            self._check(answer)
            journal.append(self._row(key, None, seconds, answer))
        elif answer.kind == "pending":
            self.pending[key] = answer
        elif answer.kind == "infra":
            self.failed[key] = (self.tries.get(key, 0) + 1, answer, seconds)
        else:
            journal.append(self._row(key, answer, seconds))

    def _remember_failed(self, journal: Journal) -> None:
        for key, (tries, failure, seconds) in self.failed.items():
            journal.append(self._row(key, failure, seconds, tries=tries))

    def _check(self, answer: Row) -> None:
        expected = set(self.effect.answers.column_names())
        if set(answer) != expected:
            raise ContractError(
                f"effect {self.effect.name} answered {sorted(answer)}, "
                f"not {sorted(expected)}\n"
                "this is a bug in forge: please report it"
            )

    def _row(
        self,
        key: str,
        failure: Failure | None,
        seconds: float,
        answer: Row | None = None,
        *,
        tries: int = 1,
    ) -> Remembered:
        return Remembered(
            key=key,
            version=self.effect.version,
            asked_at=self.now,
            kind=failure.kind if failure else None,
            reason=failure.reason if failure else None,
            detail=failure.detail if failure else None,
            tries=tries,
            seconds=round(seconds, 3),
            answer=answer,
        )

    def resolved(self, keyed: pl.DataFrame) -> pl.DataFrame:
        """Every row's place in the memo, `at`, and `kind`, `reason`, `detail` without one."""
        return (
            keyed.lazy()
            .join(
                self.standing(), left_on=QUESTION, right_on="key", how="left", maintain_order="left"
            )
            .join(self._unremembered(), on=QUESTION, how="left", maintain_order="left")
            .with_columns(
                kind=self._kind(),
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

    def _kind(self) -> pl.Expr:
        now = pl.coalesce(
            "kind_now", pl.when(WANTED).then(pl.lit(OPEN)).otherwise(pl.lit("pending"))
        )
        is_open = (pl.col("kind") == "infra") & (pl.col("tries") < TRIES)
        return (
            pl.when(pl.col("at").is_null())
            .then(now)
            .when(is_open)
            .then(pl.lit(OPEN))
            .otherwise("kind")
        )

    def _unremembered(self) -> pl.LazyFrame:
        rows = [(k, "pending", f.reason, f.detail) for k, f in self.pending.items()]
        if self.outage:
            rows += [(k, OPEN, f.reason, f.detail) for k, (_, f, _) in self.failed.items()]
        names = [QUESTION, "kind_now", "reason_now", "detail_now"]
        return pl.LazyFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
