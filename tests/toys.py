"""A small world for the core's tests: a service that keeps a log, and stages over it."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Self

import dataframely as dy
import polars as pl

from forge.artifacts import Artifacts
from forge.build import Options, Outcome, build
from forge.columns import KEY, Decision, artifact
from forge.criteria import decide
from forge.effect import Failure, Row, effect
from forge.errors import ServiceError
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Decided, Stage, StageLimits, stage
from forge.store import Store

NOW = datetime(2026, 4, 1)


class Oracle:
    """Answers twice the number it is asked; `<root>/oracle` holds its moods and its log."""

    def __init__(self, folder: Path, artifacts: Artifacts) -> None:
        self.folder, self.artifacts = folder, artifacts

    @property
    def identity(self) -> str:
        return "oracle"

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        folder = settings.root / "oracle"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, artifacts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def double(self, number: int) -> Row | Failure:
        await asyncio.sleep(0)
        with (self.folder / "log").open("a") as log:
            log.write(f"{number}\n")
        mood = self.folder / str(number)
        if (self.folder / "down").exists():
            raise ServiceError("the oracle sleeps\nwake it")
        if mood.exists():
            return Failure(mood.read_text(), "moody", "its own words")
        return {"twice": 2 * number, "proof": self.artifacts.put(str(number).encode())}


class Numbers(dy.Schema):
    n = dy.Int64(metadata=KEY, description="a number")


class Answer(dy.Schema):
    twice = dy.Int64(description="two times n")
    proof = artifact("n, written down")


class Doubles(Numbers, Answer, Decision):
    """One row per number."""


class Halves(Numbers):
    half = dy.Float64(description="n by two")


class Limits(StageLimits):
    least: int = 0


@effect(answers=Answer, concurrency=2)
async def double(oracle: Oracle, *, n: int) -> Row | Failure:
    return await oracle.double(n)


@stage
def numbers(*, sample: float | None) -> dy.LazyFrame[Numbers]:
    return pl.LazyFrame({"n": range(1, int(sample or 5) + 1)}).pipe(Numbers.cast)


@stage
def doubles(numbers: dy.LazyFrame[Numbers], *, run: object, limits: Limits) -> Decided[Doubles]:
    answers = run.ask(numbers, double)
    return answers.pipe(decide, {"is_large": pl.col("n") >= limits.least})


@stage
def halves(doubles: dy.LazyFrame[Doubles]) -> dy.LazyFrame[Halves]:
    return doubles.select("n", half=pl.col("twice") / 4).pipe(Halves.cast)


STAGES = [numbers, doubles, halves]


def run_build(root: Path, chosen: list[Stage] = STAGES, **kwargs: object) -> list[Outcome]:
    """The outcomes of one build; `sample` says how many numbers there are, `now` when it is."""
    now, progress = kwargs.pop("now", NOW), kwargs.pop("progress", lambda *_: None)
    selection = Selection("2026-03", sample=kwargs.pop("sample", None))
    options = Options(**kwargs)
    settings = Settings(root=root)
    return list(build(chosen, selection, settings, options, now=now, progress=progress))


def made(outcomes: list[Outcome]) -> list[str]:
    """Tables that were made again."""
    return [outcome.table for outcome in outcomes if not outcome.is_fresh]


def log(root: Path) -> list[int]:
    """The numbers that the oracle was asked, in order of size, and forgets."""
    path = root / "oracle" / "log"
    asked = [int(line) for line in path.read_text().split()] if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(asked)


def set_mood(root: Path, number: int | str, mood: str = "") -> None:
    """Make the oracle fail for a number with a kind of failure."""
    (root / "oracle").mkdir(parents=True, exist_ok=True)
    (root / "oracle" / str(number)).write_text(mood)


def clear_mood(root: Path, number: int | str) -> None:
    (root / "oracle" / str(number)).unlink()


def rows(root: Path, schema_stage: Stage = doubles) -> list[dict[str, object]]:
    table = Store(root, "2026-03").scan(schema_stage.name, schema_stage.schema)
    return table.collect().to_dicts()


def rejected(root: Path, table: str = "doubles") -> list[tuple[object, ...]]:
    pattern = root / "rejected" / table / "month=2026-03" / "*.parquet"
    return pl.scan_parquet(pattern).select("n", "fate", "reasons").collect().rows()
