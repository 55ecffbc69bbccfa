"""Approved tasks, everything joined: all that an exporter, a grader or a reader needs of one."""

from functools import reduce

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.attacks import ATTACKS
from forge.columns import PULL_REQUEST, moment, text
from forge.criteria import Criteria, decide
from forge.eval_script import LOG_PARSER
from forge.stage import Decided, StageLimits, stage
from forge.stages.attempts import Attempts
from forge.stages.candidates import Candidates
from forge.stages.environments import Environments
from forge.stages.features import Features
from forge.stages.gates import Gates
from forge.stages.hints import Hints
from forge.stages.leaks import Leaks
from forge.stages.merges import Merges
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests
from forge.stages.recipes import Recipes
from forge.stages.repositories import Repositories
from forge.stages.statements import Statements
from forge.stages.verdicts import Verdicts

GATES: dict[str, pl.Expr] = {
    "nothing_fails": ~pl.col("resolved_nothing"),
    "gold_passes": pl.col("resolved_gold"),
    # An attack that does not apply proves nothing, and does no harm.
    **{
        f"{attack}_fails": ~(pl.col(f"resolved_{attack}") & pl.col(f"applied_{attack}"))
        for attack in ATTACKS[2:]
    },
}
EVAL_TYPE = "pass_and_fail"


class Tasks(Leaks, Statements, Features, Verdicts):
    """One row per task: an approved candidate whose patch no other task has."""

    instance_id = dy.String(description="owner__name-number")
    repo = dy.String(description="owner/name, canonical")
    base_commit = dy.String(description="commit the task starts from")
    merge_commit = dy.String(
        nullable=True, description="commit that brought the change in; null for a row's own patches"
    )
    gold_patch = text("the change without its tests")
    test_patch = text("the change to tests")
    test_paths = dy.List(dy.String(), description="files of the test patch that the merge has")
    patch_id = dy.String(nullable=True, description="git's stable id of the whole change")
    hints_text = text(
        "what people said under its issues before the fix; empty: nothing; null: hints_reason",
        nullable=True,
    )
    hints_reason = dy.String(nullable=True, description="why nobody knows what people said")
    created_at = moment("when it was merged, UTC; when it was opened, git does not tell")
    version = dy.String(description="month of the merge, in place of the project's own version")
    fail_to_pass = dy.List(dy.String(), description="tests turned green, in order")
    fail_to_pass_kinds = dy.List(
        dy.String(), description="failed, uncollected, absent or hangs: what each was before"
    )
    eval_script = text("the script that ran in every attempt, byte for byte")
    image = dy.String(description="name of the image: a cache of the recipe")
    image_digest = dy.String(nullable=True, description="sha256 that names the image's content")
    image_bytes = dy.Int64(nullable=True, description="size of the image, shared layers included")
    image_own_bytes = dy.Int64(nullable=True, description="what the image adds to its dependencies")
    dependencies_image = dy.String(
        nullable=True, description="image of the dependencies; tasks that name the same share it"
    )
    dependencies_digest = dy.String(
        nullable=True, description="sha256 that names the content of the dependencies' image"
    )
    dependencies_bytes = dy.Int64(
        nullable=True, description="size of the dependencies' image, its toolchain included"
    )
    platform = dy.String(nullable=True, description="operating system and processor")
    log_parser = dy.String(description="SWE-bench's name of the parser of what the script prints")
    eval_type = dy.String(description="SWE-bench's name of how both lists count")
    recipe = text("JSON of image, system packages, environment, lock, install, probe, test")
    lock = text("every dependency pinned, as the package manager writes it; may be empty")
    lock_source = dy.String(description="whose manifests were resolved: merge, base or none")
    lock_as_of = moment(
        "no package in the lock is younger; null where nothing was resolved", nullable=True
    )
    language = dy.String(description="language of its changed test files")
    licence = dy.String(nullable=True, description="SPDX id; null where unsure")
    licence_source = dy.String(nullable=True, description="who says so")
    fork_root_id = dy.Int64(description="the family of forks that it belongs to")
    fork_root_source = dy.String(description="who says so: github, root_commit or none")
    stars = dy.Int64(nullable=True, description="stargazers; git does not know them")
    source = dy.String(description="where the merge comes from: archive, git, pool or rows")


class Limits(StageLimits):
    """What a task may give away."""

    tolerated_leaks: list[str] = Field(
        ["quotes_test_patch"],
        description="kinds of leaks that stop no task; tests quote what an issue reports",
    )


def criteria(limits: Limits) -> Criteria:
    is_first = pl.col("first_id") == pl.col("instance_id")
    return {**GATES, "has_no_leaks": _has_no_leaks(limits), "is_first_of_its_patch": is_first}


@stage
def tasks(  # noqa: PLR0917 - here all tables meet
    verdicts: dy.LazyFrame[Verdicts],
    merges: dy.LazyFrame[Merges],
    repositories: dy.LazyFrame[Repositories],
    pull_requests: dy.LazyFrame[PullRequests],
    candidates: dy.LazyFrame[Candidates],
    patches: dy.LazyFrame[Patches],
    features: dy.LazyFrame[Features],
    hints: dy.LazyFrame[Hints],
    statements: dy.LazyFrame[Statements],
    recipes: dy.LazyFrame[Recipes],
    environments: dy.LazyFrame[Environments],
    attempts: dy.LazyFrame[Attempts],
    gates: dy.LazyFrame[Gates],
    leaks: dy.LazyFrame[Leaks],
    *,
    limits: Limits,
) -> Decided[Tasks]:
    told = [
        pull_requests.select(*PULL_REQUEST, "repo", "merged_at"),
        merges.select(*PULL_REQUEST, "source"),
        candidates.select(*PULL_REQUEST, "language"),
        patches.select(
            *PULL_REQUEST,
            "base_commit",
            "merge_commit",
            "gold_patch",
            "test_patch",
            "test_paths",
            "patch_id",
        ),
        features,
        hints.select(*PULL_REQUEST, "hints_text", "hints_reason"),
        statements.drop("unknown"),
        _scripts(attempts),
        _gates(gates),
        leaks.drop("unknown"),
    ]
    return (
        reduce(_joined, told, verdicts.drop("unknown"))
        .join(_families(repositories), on="repository_id", how="left")
        .join(_recipes(recipes), on=[*PULL_REQUEST, "recipe_sha"], how="left")
        .join(_images(environments), on="recipe_sha", how="left")
        .with_columns(_derived())
        .with_columns(first_id=_first(limits))
        .with_columns(detail=pl.coalesce(_leaking(limits), _duplicated()))
        .pipe(decide, criteria(limits))
    )


def _joined(tasks: pl.LazyFrame, told: pl.LazyFrame) -> pl.LazyFrame:
    return tasks.join(told, on=PULL_REQUEST, how="left")


def _scripts(attempts: pl.LazyFrame) -> pl.LazyFrame:
    # Every attempt of a candidate runs the same script.
    befores = attempts.filter(pl.col("side") == "before")
    return befores.group_by(PULL_REQUEST).agg(pl.col("eval_script").first())


def _gates(gates: pl.LazyFrame) -> pl.LazyFrame:
    """What the grader said of each attack; null where it was not asked."""
    return gates.group_by(PULL_REQUEST).agg(
        pl.col(f"is_{what}").filter(pl.col("attack") == attack).first().alias(f"{what}_{attack}")
        for attack in Gates.attack.categories
        for what in ("resolved", "applied")
    )


def _families(repositories: pl.LazyFrame) -> pl.LazyFrame:
    return repositories.select(
        "repository_id", "licence", "licence_source", "fork_root_id", "fork_root_source", "stars"
    )


def _recipes(recipes: pl.LazyFrame) -> pl.LazyFrame:
    lock = pl.col("recipe").str.json_path_match("$.lock")
    columns = recipes.select(
        *PULL_REQUEST, "recipe_sha", "recipe", "lock_source", "lock_as_of", "rank", lock=lock
    )
    return columns.unique([*PULL_REQUEST, "recipe_sha"], keep="any").drop("rank")


def _images(environments: pl.LazyFrame) -> pl.LazyFrame:
    return environments.select(
        "recipe_sha",
        "image",
        "image_digest",
        "platform",
        "dependencies_image",
        "dependencies_digest",
        "dependencies_bytes",
        image_bytes="bytes",
        image_own_bytes="own_bytes",
    )


def _derived() -> list[pl.Expr]:
    tests = pl.col("fail_to_pass").list
    return [
        pl.concat_str(
            pl.col("repo").str.replace("/", "__", literal=True), "number", separator="-"
        ).alias("instance_id"),
        tests.eval(pl.element().struct.field("id")).alias("fail_to_pass"),
        tests.eval(pl.element().struct.field("kind")).alias("fail_to_pass_kinds"),
        pl.col("merged_at").alias("created_at"),
        pl.col("merged_at").dt.strftime("%Y-%m").alias("version"),
        pl.col("lock_source").cast(pl.String),
        pl.lit(LOG_PARSER).alias("log_parser"),
        pl.lit(EVAL_TYPE).alias("eval_type"),
    ]


def _leaks(limits: Limits) -> pl.Expr:
    both = pl.concat_list("image_leaks", "statement_leaks")
    kind = pl.element().struct.field("kind")
    return both.list.eval(pl.element().filter(~kind.is_in(limits.tolerated_leaks)))


def _has_no_leaks(limits: Limits) -> pl.Expr:
    return _leaks(limits).list.len() == 0


def _leaking(limits: Limits) -> pl.Expr:
    leak = _leaks(limits).list.first().struct
    return pl.format("{} in {}: {}", *map(leak.field, ("kind", "path", "evidence")))


def _first(limits: Limits) -> pl.Expr:
    """The task that keeps a patch: one that nothing refuses, a family's root, the earliest."""
    wishes = [*GATES.values(), _has_no_leaks(limits)]
    is_refused = ~pl.all_horizontal(wish.fill_null(value=False) for wish in wishes)
    is_fork = pl.col("repository_id") != pl.col("fork_root_id")
    order = [is_refused, is_fork, pl.col("merged_at"), pl.col("repository_id"), pl.col("number")]
    # Changes of modes alone have no patch id, and are no duplicates of each other.
    whole = pl.coalesce("patch_id", "instance_id")
    of_patch = pl.col("instance_id").sort_by(order).first().over(whole)
    of_tests = pl.col("instance_id").sort_by(order).first().over("base_commit", "test_patch")
    is_first = of_patch == pl.col("instance_id")
    return pl.when(is_first).then(of_tests).otherwise(of_patch)


def _duplicated() -> pl.Expr:
    is_first = pl.col("first_id") == pl.col("instance_id")
    return pl.when(~is_first).then(pl.format("the same patch as {}", "first_id"))
