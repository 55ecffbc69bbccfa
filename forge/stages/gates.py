"""Attacks on would-be tasks: the grader must fall for none, and pass the gold patch."""

import dataframely as dy
import polars as pl

from forge.attacks import ATTACKS, TOGETHER, Target, patches_of
from forge.columns import KEY, PULL_REQUEST, Decision, PullRequestKey, artifact
from forge.criteria import decide
from forge.effect import Failure, Row, effect
from forge.errors import EngineError, ServiceError
from forge.eval_script import LOG_PARSER
from forge.grading import graded
from forge.recipes import Recipe
from forge.run import Run
from forge.services.docker import Docker
from forge.stage import Decided, stage
from forge.stages.attempts import Attempts
from forge.stages.patches import Patches
from forge.stages.recipes import Recipes
from forge.stages.verdicts import Verdicts


class Gate(dy.Schema):
    """What the grader says of one attack."""

    is_resolved = dy.Bool(description="the grader took the patch for a solution")
    is_applied = dy.Bool(description="the patch applied; an attack that does not proves nothing")
    report = artifact("what the eval script printed")


class Gates(PullRequestKey, Gate, Decision):
    """One row per would-be task and attack; attacks that one patch carries out share its answer."""

    attack = dy.Enum(ATTACKS, metadata=KEY, description="what was tried instead of a solution")


# 3: another grouping of attacks, and more that the reset takes away.
@effect(answers=Gate, version=3, since=3, concurrency=16, seconds=6 * 3600)
async def grade_attack(
    docker: Docker,
    *,
    together: list[str],
    recipe: str,
    eval_script: str,
    gold_patch: str,
    test_patch: str,
    fail_to_pass: list[str],
    pass_to_pass: list[str],
) -> Row | Failure:
    wanted = Recipe.model_validate_json(recipe)
    image = await docker.image(wanted)
    if isinstance(image, Failure):
        return image
    row = {
        "instance_id": " and ".join(together),
        "image": image.tag,
        "eval_script": eval_script,
        "log_parser": LOG_PARSER,
        "fail_to_pass": fail_to_pass,
        "pass_to_pass": pass_to_pass,
    }
    target = Target(gold_patch, test_patch, fail_to_pass, pass_to_pass, wanted.runner)
    return await _first_applied(docker, row, patches_of(together, target))


async def _first_applied(docker: Docker, row: Row, patches: list[str]) -> Row | Failure:
    for patch in patches:
        try:
            report = await graded(docker, row, patch)
        except EngineError:
            raise
        except ServiceError as error:
            return Failure("infra", "not_graded", str(error))
        if report.is_applied:
            break
    return {name: getattr(report, name) for name in Gate.column_names()}


@stage(by="bucket")
def gates(
    verdicts: dy.LazyFrame[Verdicts],
    patches: dy.LazyFrame[Patches],
    recipes: dy.LazyFrame[Recipes],
    attempts: dy.LazyFrame[Attempts],
    *,
    run: Run,
) -> Decided[Gates]:
    # Attempts of other sides run the tests in other orders.
    befores = attempts.filter(pl.col("side") == "before")
    scripts = befores.select(*PULL_REQUEST, "eval_script").unique(PULL_REQUEST, keep="any")
    pairs = [(attack, list(together)) for together in TOGETHER for attack in together]
    attacks = pl.LazyFrame(
        pairs,
        schema={"attack": Gates.attack.dtype, "together": pl.List(pl.String)},
        orient="row",
    )
    rows = (
        verdicts.select(
            *PULL_REQUEST,
            "recipe_sha",
            "pass_to_pass",
            fail_to_pass=pl.col("fail_to_pass").list.eval(pl.element().struct.field("id")),
        )
        .join(recipes.select("recipe_sha", "recipe").unique("recipe_sha"), on="recipe_sha")
        .join(patches.select(*PULL_REQUEST, "gold_patch", "test_patch"), on=PULL_REQUEST)
        .join(scripts, on=PULL_REQUEST)
        .join(attacks, how="cross")
    )
    return run.ask(rows, grade_attack).pipe(decide, {})
