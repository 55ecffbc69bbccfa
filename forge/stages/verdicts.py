"""What a candidate's attempts say together: the tests its gold patch turns and keeps green."""

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import PULL_REQUEST, Decision, PullRequestKey, moment
from forge.criteria import Criteria, decide
from forge.recipes.surroundings import MISSING
from forge.rules.ranks import tested_with
from forge.stage import Decided, StageLimits, stage
from forge.stages.attempts import Attempts
from forge.stages.environments import Environments
from forge.stages.patches import Patches
from forge.stages.recipes import Recipes
from forge.stages.statements import Statements
from forge.truth import IS_PROMISING, findings


def count(description: str) -> dy.Int64:
    """How many tests are in a cell of the truth table."""
    return dy.Int64(min=0, description=f"tests that {description}")


class Verdicts(PullRequestKey, Decision):
    """One row per candidate that its attempts approve."""

    recipe_sha = dy.String(description="recipe under which the tests ran")
    fail_to_pass = dy.List(
        dy.Struct({"id": dy.String(), "kind": dy.String()}),
        description="tests turned green, in order; before they failed, or were uncollected or "
        "absent, or hang",
    )
    pass_to_pass = dy.List(dy.String(), description="tests kept green, in order")
    expected_failures = dy.List(
        dy.String(), description="those of pass_to_pass that failed before as expected"
    )
    fails_by_collapse_only = dy.Bool(
        description="whether every fail_to_pass was uncollected before: no test said anything"
    )
    pass_to_skip = count("passed and are skipped")
    pass_to_fail = count("passed and fail")
    skip_to_pass = count("were skipped and pass")
    fail_to_expected_failure = count("failed and fail as expected")
    fail_to_skip = count("failed and are skipped")
    fail_to_fail = count("fail on both sides")
    removed = count("are gone")
    other = count("mean nothing, such as skipped on both sides")
    flaky = count("say one thing and another")
    flaky_tests = dy.List(dy.String(), description="those, in order: in neither of the lists")
    is_order_dependent = dy.Bool(
        nullable=True,
        description="whether listed tests do not pass in the opposite order; null: not known, "
        "as of one test alone, or where the runner takes no names of tests",
    )
    order_dependent_tests = dy.List(dy.String(), description="which, in order")
    is_worker_dependent = dy.Bool(
        nullable=True,
        description="whether listed tests do not pass while the other half runs; null: not known",
    )
    worker_dependent_tests = dy.List(dy.String(), description="which, in order")
    attempts_before = dy.Int64(min=1, description="attempts without the gold patch")
    attempts_after = dy.Int64(min=1, description="attempts with it")
    seconds_before = dy.Float64(description="longest time of the tests without it")
    seconds_after = dy.Float64(description="longest time of the tests with it")
    seconds_p95 = dy.Float64(description="95th percentile of the time of tests, of all attempts")
    memory_bytes = dy.Int64(nullable=True, description="highest peak of any attempt")
    processes = dy.Int64(
        nullable=True, description="highest peak of processes and threads; null: not known"
    )
    verified_at = moment("when the last attempt ended, UTC")


class Limits(StageLimits):
    """What attempts must show."""

    befores: int = Field(3, ge=1, description="fewest attempts without the gold patch")
    afters: int = Field(3, ge=1, description="fewest attempts with it")
    fail_to_pass: int = Field(1, ge=1, description="fewest tests turned green")
    pass_to_pass: int = Field(0, ge=0, description="fewest tests kept green")
    collapse_only: bool = Field(
        default=False, description="whether uncollected tests alone make a task"
    )


def criteria(limits: Limits) -> Criteria:
    """In the order of the work: what could not be reached is not held against a row."""
    has_attempts = (pl.col("attempts_before") > 0) & (pl.col("attempts_after") > 0)
    ran: dict[str, pl.Expr] = {
        "has_listed_tests": pl.col("listed_tests") > 0,
        "is_collected_after": ~pl.col("has_broken_after"),
        "is_in_time_after": ~pl.col("has_timeout_after"),
        "has_failures_before": _needs("listed_tests", pl.col("failures_before") > 0),
        "has_fail_to_pass": _needs(
            "failures_before", _tests("fail_to_pass") >= limits.fail_to_pass
        ),
        "is_not_flaky": _tests("flaky_fail_to_pass") == 0,
        "has_pass_to_pass": _tests("pass_to_pass") >= limits.pass_to_pass,
        "is_more_than_collapse": ~pl.col("fails_by_collapse_only") | limits.collapse_only,
        "is_repeated": ~IS_PROMISING
        | (pl.col("attempts_before") >= limits.befores)
        & (pl.col("attempts_after") >= limits.afters),
    }
    reached: Criteria = {
        "has_recipe": pl.col("has_recipe"),
        "has_environment": ~pl.col("has_recipe") | pl.col("has_environment"),
        "has_attempts": ~pl.col("has_environment") | has_attempts,
    }
    ran |= {missing.reason: ~_lacks(name) for name, missing in MISSING.items()}
    return reached | {name: ~has_attempts | criterion for name, criterion in ran.items()}


@stage(by="bucket")
def verdicts(
    statements: dy.LazyFrame[Statements],
    patches: dy.LazyFrame[Patches],
    recipes: dy.LazyFrame[Recipes],
    environments: dy.LazyFrame[Environments],
    attempts: dy.LazyFrame[Attempts],
    *,
    limits: Limits,
) -> Decided[Verdicts]:
    numbers = pl.col("attempts_before", "attempts_after").fill_null(0)
    return (
        statements.select(PULL_REQUEST)
        .join(_reached(recipes, environments), on=PULL_REQUEST, how="left")
        .with_columns(pl.col("has_recipe", "has_environment").fill_null(value=False))
        .join(findings(attempts, patches), on=PULL_REQUEST, how="left")
        .join(_costs(attempts), on=PULL_REQUEST, how="left")
        .with_columns(numbers)
        .pipe(decide, criteria(limits))
    )


def _needs(number: str, criterion: pl.Expr) -> pl.Expr:
    return (pl.col(number) == 0) | criterion


def _lacks(name: str) -> pl.Expr:
    """Whether tests that the gold patch should turn fail beside what the project's machines have.

    Where some turn, the rest of the suite may do without.
    """
    is_named = pl.col("surroundings").list.eval(pl.element().str.starts_with(f"{name}: "))
    fails = pl.col("has_broken_after") | (pl.col("fail_to_fail") > 0)
    return is_named.list.any().fill_null(value=False) & fails & (_tests("fail_to_pass") == 0)


def _tests(column: str) -> pl.Expr:
    return pl.col(column).list.len()


def _reached(recipes: pl.LazyFrame, environments: pl.LazyFrame) -> pl.LazyFrame:
    """Which candidates have a recipe and an environment, with what stopped the best recipe."""
    tried = environments.select("recipe_sha", "is_built", "is_at_rest", "reason")
    tested = tested_with(recipes, environments).select(*PULL_REQUEST, "surroundings")
    return (
        recipes.select(*PULL_REQUEST, "rank", "recipe_sha")
        .join(tried, on="recipe_sha", how="left")
        .sort("rank")
        .group_by(PULL_REQUEST)
        .agg(
            has_recipe=pl.lit(value=True).first(),
            has_environment=pl.col("is_built").fill_null(value=False).any(),
            bound=pl.when(pl.col("is_at_rest").any()).then(pl.lit("rests")),
            why=pl.col("reason").drop_nulls().first(),
        )
        .join(tested, on=PULL_REQUEST, how="left")
        .with_columns(detail=pl.when(~pl.col("has_environment")).then("why"))
    )


def _costs(attempts: pl.LazyFrame) -> pl.LazyFrame:
    is_after = pl.col("side") == "after"
    ordinary = attempts.filter(pl.col("side").is_in(["before", "after"]))
    return ordinary.group_by(PULL_REQUEST).agg(
        recipe_sha=pl.col("recipe_sha").first(),
        seconds_before=pl.col("seconds").filter(~is_after).max(),
        seconds_after=pl.col("seconds").filter(is_after).max(),
        seconds_p95=pl.col("seconds").quantile(0.95, "higher"),
        memory_bytes=pl.col("memory_bytes").max(),
        processes=pl.col("processes").max(),
        verified_at=pl.col("ran_at").max(),
    )
