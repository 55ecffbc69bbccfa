"""Attempts: the hidden tests of a candidate, run before and after its gold patch.

In waves: one before and one after for all, three and three for what survives, ten afters for
would-be tasks, and of these three more that show on what their tests depend. What survives is said
by `truth`, which `verdicts` uses too. In a wave, what is likely to take longest is asked first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import KEY, PULL_REQUEST, Decision, PullRequestKey, artifact, moment, text
from forge.criteria import Criteria, decide
from forge.effect import OPEN, Failure, Row, effect
from forge.orders import PATCH, SIDES, eval_scripts, other_scripts
from forge.recipes import Recipe
from forge.rules.ranks import tested_with
from forge.run import Run
from forge.services.docker import EXACTLY, Bounds, Docker, EvalOutput
from forge.stage import Decided, StageLimits, stage
from forge.stages.environments import Environments
from forge.stages.patches import Patches
from forge.stages.recipes import Recipes
from forge.stages.statements import Statements
from forge.truth import promising
from forge.unlisted import unlisted

KEYS = [*PULL_REQUEST, "side", "attempt"]
CARRIED = ["recipe_sha", "listed", "has_recipe", "seconds_limit", "eval_script"]
LIKELY = {"likely_seconds": "seconds"}
"""What is built and probed slowly is likely to be tested slowly, until it has been."""
AROUND = 900
"""Seconds beside the tests themselves: restoring files, listing tests, reading results."""


class Attempt(dy.Schema):
    """What one run of the hidden tests says."""

    tests = dy.List(
        dy.Struct({"id": dy.String(), "letter": dy.String(), "seconds": dy.Float64()}),
        description="tests that the result file lists: P X S F E, or T: cut by the time limit",
    )
    broken_files = dy.List(dy.String(), description="files that could not be collected")
    measurements = dy.List(
        dy.Struct({"id": dy.String(), "value": dy.Float64(), "unit": dy.String()}),
        description="numbers that the tests report of themselves",
    )
    is_timed_out = dy.Bool(description="the time limit cut the tests")
    exit_code = dy.Int64(description="of the test command, or of rebuild where that failed")
    memory_bytes = dy.Int64(nullable=True, description="peak of the container, page cache included")
    processes = dy.Int64(
        nullable=True,
        description="peak of processes and threads in the container, those of the script among "
        "them; null: this kernel keeps no peak",
    )
    seconds = dy.Float64(description="time of the test command")
    ran_at = moment("when it ended, UTC")
    log = artifact("what rebuild and tests printed")
    result = artifact("the runner's result file; null: it wrote none", nullable=True)


class Attempts(PullRequestKey, Attempt, Decision):
    """One row per candidate, side and attempt."""

    side = dy.Enum(
        SIDES,
        metadata=KEY,
        description="without or with the gold patch; with it, the tests in the opposite order, or "
        "each half of them (two attempts) while the other half runs",
    )
    attempt = dy.Int64(metadata=KEY, min=1, description="1: first run of this very question")
    recipe_sha = dy.String(description="the recipe in whose image it ran")
    unlisted_tests = dy.Int64(
        nullable=True, description="tests that the probe did not list, of files that it did"
    )
    seconds_limit = dy.Int64(description="time that the tests were allowed")
    eval_script = text("the script that was run, byte for byte")


class Limits(StageLimits):
    """What one run of the tests may use, and how often they run."""

    seconds: int = Field(600, description="time for the tests of one candidate", ge=1)
    memory_bytes: int = Field(4_000_000_000, description="memory, swap included", ge=6_000_000)
    processes: int = Field(1024, description="most processes and threads at once", ge=16)
    cpus: float = Field(2.0, description="processors, as a share of time", gt=0)
    disk_bytes: int = Field(10_000_000_000, description="written to disk, 16 kB more for each file")
    survivors: int = Field(3, description="attempts on each side for candidates that look good")
    would_be_tasks: int = Field(10, description="attempts after the gold patch for would-be tasks")
    dependences: bool = Field(
        default=True, description="whether would-be tasks also run reversed, and in two halves"
    )


IS_TOLD = pl.col("kind").is_null() | (pl.col("reason") == "service_down")
"""Whatever else keeps tests from being run in another way is no reason to hold a task back."""


def criteria() -> Criteria:
    """What an attempt cannot be made without."""
    return {
        "has_recipe": pl.col("has_recipe"),
        "has_environment": pl.col("recipe_sha").is_not_null(),
    }


# 2: time that ran out beside other containers is no answer.
@effect(answers=Attempt, version=2, since=2, concurrency=16, seconds=6 * 3600)
async def run_tests(
    docker: Docker,
    *,
    recipe: str,
    eval_script: str,
    gold_patch: str | None,
    seconds_limit: int,
    memory_limit: int,
    processes: int,
    cpus: float,
    disk_limit: int,
    attempt: int,  # noqa: ARG001 - repetition is a question of its own
) -> Row | Failure:
    image = await docker.image(Recipe.model_validate_json(recipe))
    if isinstance(image, Failure):
        return image
    tested = await docker.run_tests(
        image.tag,
        patch=gold_patch or "",
        apply=EXACTLY,
        eval_script=eval_script,
        bounds=Bounds(2 * seconds_limit + AROUND, memory_limit, processes, cpus, disk_limit),
    )
    return tested if isinstance(tested, Failure) else _attempt(docker, tested)


def _attempt(docker: Docker, tested: EvalOutput) -> Row | Failure:
    words = tested.log.decode(errors="replace")[-2000:]
    if tested.limit:
        return replace(tested.limit, detail=f"{tested.limit.detail}\n{words}")
    if not tested.is_applied:
        return Failure("data", "gold_patch_does_not_apply", words)
    if not tested.letters:
        return Failure(
            "infra", "eval_script_stopped", tested.report.decode(errors="replace")[-2000:]
        )
    is_readable = tested.letters["problem"] is None and tested.result is not None
    return {
        "tests": [
            {"id": name, "letter": letter, "seconds": seconds}
            for name, letter, seconds in tested.letters["tests"]
        ],
        "broken_files": tested.letters["broken_files"],
        "measurements": [],
        "is_timed_out": tested.is_timed_out,
        "exit_code": tested.status["exit_code"],
        "memory_bytes": tested.status["memory_bytes"],
        "processes": tested.status["processes"],
        "seconds": tested.seconds,
        "ran_at": datetime.now(UTC).replace(tzinfo=None),
        "log": docker.artifacts.put(tested.log),
        "result": docker.artifacts.put(tested.result or b"") if is_readable else None,
    }


@stage(by="bucket")
def attempts(
    statements: dy.LazyFrame[Statements],
    patches: dy.LazyFrame[Patches],
    recipes: dy.LazyFrame[Recipes],
    environments: dy.LazyFrame[Environments],
    *,
    run: Run,
    limits: Limits,
) -> Decided[Attempts]:
    candidates = statements.select(PULL_REQUEST).pipe(_with_recipe, recipes, environments)
    ready = candidates.filter(pl.col("recipe_sha").is_not_null()).join(
        patches.select(*PULL_REQUEST, "gold_patch", *PATCH), on=PULL_REQUEST, maintain_order="left"
    )
    scripted = ready.with_columns(eval_script=eval_scripts(limits.seconds), **_bounds(limits))
    made = pl.concat(_waves(scripted, patches, run, limits))
    return (
        pl.concat([candidates.filter(pl.col("recipe_sha").is_null()), made], how="diagonal_relaxed")
        .with_columns(unlisted_tests=unlisted(run.artifacts))
        .pipe(decide, criteria())
    )


def _with_recipe(
    candidates: pl.LazyFrame, recipes: pl.LazyFrame, environments: pl.LazyFrame
) -> pl.LazyFrame:
    """Every candidate with the recipe that its tests run with, if one is built."""
    known = environments.select("recipe_sha", "is_built", "is_at_rest", listed="tests", **LIKELY)
    tried = recipes.join(known, on="recipe_sha", how="left")
    built = tested_with(recipes, environments).join(
        known.select("recipe_sha", "listed", *LIKELY), on="recipe_sha"
    )
    # The first recipe is always tried: where it has no row yet, it is asked again.
    first = (pl.col("rank") == 1) & pl.col("is_built").is_null()
    waiting = tried.group_by(PULL_REQUEST).agg(
        is_waiting=first.any(), is_at_rest=pl.col("is_at_rest").any()
    )
    return (
        candidates.join(waiting, on=PULL_REQUEST, how="left", maintain_order="left")
        .join(
            built.select(*PULL_REQUEST, "recipe_sha", "recipe", "listed", *LIKELY),
            on=PULL_REQUEST,
            how="left",
            maintain_order="left",
        )
        .with_columns(
            has_recipe=pl.col("is_waiting").is_not_null(),
            kind=pl.when("is_waiting").then(pl.lit(OPEN)),
            reason=pl.when("is_waiting").then(pl.lit("environment_open")),
            bound=pl.when("is_at_rest").then(pl.lit("rests")),
        )
    )


def _waves(
    scripted: pl.LazyFrame, patches: pl.LazyFrame, run: Run, limits: Limits
) -> Iterator[pl.LazyFrame]:
    more = [*range(2, limits.survivors + 1)]
    last = [*range(limits.survivors + 1, limits.would_be_tasks + 1)]
    rows, answers = scripted, _Answers(patches, limits.seconds)
    for wave in ({"before": [1], "after": [1]}, {"before": more, "after": more}, {"after": last}):
        yield answers.asked(_repeated(rows, wave), run)
        rows = answers.surviving(scripted)
    if limits.dependences:
        yield answers.asked(answers.reordered(rows), run).filter(IS_TOLD)


@dataclass
class _Answers:
    """What the waves before said: the answers alone, so that no wave's plan holds the others'."""

    patches: pl.LazyFrame
    seconds: int
    answers: list[pl.LazyFrame] = field(default_factory=list)

    def asked(self, rows: pl.LazyFrame, run: Run) -> pl.LazyFrame:
        rows = rows.sort(*LIKELY, descending=True, nulls_last=True, maintain_order=True)
        self.answers.append(run.ask(rows, run_tests))
        return rows.select(*KEYS, *CARRIED).join(self.answers[-1], on=KEYS, maintain_order="left")

    def surviving(self, scripted: pl.LazyFrame) -> pl.LazyFrame:
        made = self._made()
        survivors = promising(made, self.patches)
        seconds = made.group_by(PULL_REQUEST).agg(pl.col("seconds").max().alias(*LIKELY))
        return scripted.drop(*LIKELY).join(
            survivors.join(seconds, on=PULL_REQUEST), on=PULL_REQUEST, maintain_order="left"
        )

    def reordered(self, would_be: pl.LazyFrame) -> pl.LazyFrame:
        first = self._made().filter(pl.col("side") == "after", pl.col("attempt") == 1)
        ids = pl.col("tests").list.eval(pl.element().struct.field("id"))
        return (
            would_be.drop("eval_script")
            .join(first.select(*PULL_REQUEST, ids=ids), on=PULL_REQUEST, maintain_order="left")
            .with_columns(other=other_scripts(self.seconds))
            .filter(pl.col("other").list.len() > 0)
            .explode("other")
            .unnest("other")
        )

    def _made(self) -> pl.LazyFrame:
        made = pl.concat(self.answers).filter(pl.col("kind").is_null())
        return made.with_columns(seconds_limit=pl.lit(self.seconds, pl.Int64))


def _repeated(scripted: pl.LazyFrame, wave: dict[str, list[int]]) -> pl.LazyFrame:
    numbers = [(side, attempt) for side, attempts in wave.items() for attempt in attempts]
    repeated = pl.LazyFrame(
        numbers, schema={"side": Attempts.side.dtype, "attempt": pl.Int64}, orient="row"
    )
    return scripted.join(repeated, how="cross").with_columns(
        gold_patch=pl.when(pl.col("side") == "after").then("gold_patch")
    )


def _bounds(limits: Limits) -> dict[str, pl.Expr]:
    return {
        "seconds_limit": pl.lit(limits.seconds, pl.Int64),
        "memory_limit": pl.lit(limits.memory_bytes, pl.Int64),
        "processes": pl.lit(limits.processes, pl.Int64),
        "cpus": pl.lit(limits.cpus, pl.Float64),
        "disk_limit": pl.lit(limits.disk_bytes, pl.Int64),
    }
