"""Ask a service every question that has no answer yet, several at a time."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from forge.claims import Claims, Others, Question, claims
from forge.disk import is_of_disk
from forge.effect import OPEN, Bill, Failure, Paid, PaidError, Resting, Row, Service
from forge.errors import ContractError, ForgeError, ServiceError
from forge.memo import Journal, Remembered
from forge.recall import BATCH, UNREMEMBERED, Recall

OUTAGE = 20

Progress = Callable[[str, int, int], None]


@dataclass
class Asking:
    """One ask, and what went wrong in it so far; `tries` holds the questions' keys."""

    recall: Recall
    now: datetime
    progress: Progress
    tries: dict[str, int]
    others: Others
    failed: dict[str, tuple[Failure, float, Bill | None]] = field(default_factory=dict)
    pending: dict[str, Failure] = field(default_factory=dict)
    asked: int = 0
    errors_in_a_row: int = 0
    error: ServiceError | None = None
    outage: ServiceError | None = None

    async def ask(self, rows: pl.LazyFrame, service: Service) -> None:
        """Ask them all, and remember what comes back; stops early when the service is down."""
        if isinstance(service, Resting):
            service.tell_waits(lambda words: self._tell(0, f" {words}"))
        workers = min(self.recall.effect.concurrency, len(self.tries))
        with (
            self.recall.memo.journal() as journal,
            claims(self._questions(rows), self.others, self._wait) as claimed,
        ):
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(workers):
                        group.create_task(self._work(claimed, service, journal))
            except BaseExceptionGroup as several:
                raise first_of(several) from None
            if 0 < self.errors_in_a_row == self.asked:
                self.outage = self.error
            if not self.outage:
                self._remember_failed(journal)

    def unremembered(self) -> pl.LazyFrame:
        """What the memo does not hold: too young to be known, or not asked for an outage."""
        rows = [(key, "pending", f.reason, f.detail) for key, f in self.pending.items()]
        if self.outage:
            down = (OPEN, "service_down", str(self.outage))
            rows += [(key, *down) for key in self.tries]
        return pl.LazyFrame(rows, schema=UNREMEMBERED, orient="row").unique(
            next(iter(UNREMEMBERED)), keep="first", maintain_order=True
        )

    def _questions(self, rows: pl.LazyFrame) -> Iterator[Question]:
        names, left = self.recall.effect.inputs, set(self.tries)
        for batch in rows.select(names).collect_batches(chunk_size=BATCH):
            for values in batch.iter_rows():
                key = self.recall.question_key(values)
                if key in left:
                    left.remove(key)
                    yield key, dict(zip(names, values, strict=True))

    async def _work(self, claimed: Claims, service: Service, journal: Journal) -> None:
        while not self.outage and (taken := await claimed.take()):
            key, question = taken
            started = time.perf_counter()
            answer = await self._answer(service, question)
            self._note(key, answer, time.perf_counter() - started, journal)
            claimed.release(key)
            self.asked += 1
            self._tell(claimed.spared)

    def _wait(self, spared: int) -> None:
        self._tell(spared, ", whose rest another build asks")

    def _tell(self, spared: int, words: str = "") -> None:
        name = f"{self.recall.effect.name}{words}"
        self.progress(name, self.asked + spared, len(self.tries))

    async def _answer(self, service: Service, question: Row) -> Row | Failure | Paid:
        seconds = self.recall.effect.seconds
        try:
            async with asyncio.timeout(seconds):
                answer = await self.recall.effect.function(service, **question)
        except PaidError as error:
            return Paid(self._count(error), error.bill)
        except ServiceError as error:
            return self._count(error)
        except ForgeError:
            raise
        except TimeoutError:
            return Failure("infra", "timed_out", f"no answer within {seconds:g} seconds")
        except Exception as error:
            if is_of_disk(error):
                raise
            return Failure("infra", "unexpected_error", f"{type(error).__name__}: {error}")
        self.errors_in_a_row = 0
        return answer

    def _count(self, error: ServiceError) -> Failure:
        self.errors_in_a_row += 1
        self.error = error
        if self.errors_in_a_row >= OUTAGE:
            self.outage = error
        return Failure("infra", "service_down", str(error))

    def _note(self, key: str, told: Row | Failure | Paid, seconds: float, journal: Journal) -> None:
        answer, bill = (told.answer, told.bill) if isinstance(told, Paid) else (told, None)
        if not isinstance(answer, Failure):
            self._check(answer)
            journal.append(self._row(key, seconds, bill, answer=answer))
        elif answer.kind == "pending":
            self.pending[key] = answer
        elif answer.kind == "infra":  # remembered only when the ask ends without an outage
            self.failed[key] = (answer, seconds, bill)
        else:
            journal.append(self._row(key, seconds, bill, failure=answer))

    def _remember_failed(self, journal: Journal) -> None:
        for key, (failure, seconds, bill) in self.failed.items():
            tries = self.tries[key] + 1
            journal.append(self._row(key, seconds, bill, failure=failure, tries=tries))

    def _check(self, answer: Row) -> None:
        effect = self.recall.effect
        expected = sorted(effect.answers.column_names())
        if sorted(answer) != expected:
            raise ContractError(
                f"effect {effect.name} answered {sorted(answer)}, not {expected}\n"
                "this is a bug in forge: please report it"
            )

    def _row(  # noqa: PLR0913 - what a memo holds of a question
        self,
        key: str,
        seconds: float,
        bill: Bill | None,
        *,
        answer: Row | None = None,
        failure: Failure | None = None,
        tries: int = 1,
    ) -> Remembered:
        kind, reason, detail = (
            (failure.kind, failure.reason, failure.detail) if failure else (None, None, None)
        )
        version, took = self.recall.effect.version, round(seconds, 3)
        return Remembered(key, version, self.now, kind, reason, detail, tries, took, answer, bill)


def first_of(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of several, which may hold several."""
    first = several.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first
