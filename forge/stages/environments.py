"""Recipes tried: an image in which the runner lists its tests at the base commit, or why not."""

from collections.abc import Iterable, Iterator

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import KEY, PULL_REQUEST, Decision, artifact
from forge.criteria import decide
from forge.effect import OPEN, Failure, Row, effect
from forge.inside.report import canonical
from forge.recipes import Recipe
from forge.run import Run
from forge.services.docker import Docker, Image, Ran
from forge.stage import Decided, StageLimits, stage
from forge.stages.recipes import Recipes


class Environment(dy.Schema):
    """What a recipe became."""

    image = dy.String(nullable=True, description="name of the image: a cache of the recipe")
    image_digest = dy.String(nullable=True, description="sha256 that names the image's content")
    platform = dy.String(nullable=True, description="operating system and processor")
    bytes = dy.Int64(nullable=True, description="size of the image, layers it shares included")
    own_bytes = dy.Int64(nullable=True, description="what the image adds to its dependencies")
    dependencies_image = dy.String(
        nullable=True, description="image of the dependencies; whoever names the same shares it"
    )
    dependencies_digest = dy.String(
        nullable=True, description="sha256 that names the content of the dependencies' image"
    )
    dependencies_bytes = dy.Int64(
        nullable=True, description="size of the dependencies' image, its toolchain included"
    )
    seconds = dy.Float64(nullable=True, description="time of build and probe")
    log = artifact("what the build printed", nullable=True)
    tests = artifact("ids that the runner lists at the base commit, one a line", nullable=True)
    listed_tests = dy.Int64(nullable=True, description="how many the runner lists")


class Environments(Environment, Decision):
    """One row per distinct recipe that was tried."""

    recipe_sha = dy.String(metadata=KEY, description="names the recipe")
    repository_id = dy.Int64(description="the repository whose recipe it is")
    is_built = dy.Bool(description="the image is there and its runner lists tests")
    reason = dy.String(nullable=True, description="why it is not built")
    detail = dy.String(nullable=True, description="the last words of what failed")


class Limits(StageLimits):
    """How far a candidate's recipes are tried."""

    ranks: int = Field(3, description="most recipes tried for one candidate", ge=1)


# 4: images stand on those of their dependencies, and say on which.
@effect(answers=Environment, version=4, since=4, concurrency=16, seconds=6 * 3600)
async def build_environment(docker: Docker, *, recipe: str) -> Row | Failure:
    wanted = Recipe.model_validate_json(recipe)
    image = await docker.image(wanted)
    if isinstance(image, Failure):
        return image
    probed = await docker.probe(wanted, image.tag)
    if isinstance(probed, Failure):
        return probed
    listed = probed.files.get("listed", b"").decode(errors="replace").splitlines()
    if probed.exit_code or not listed:
        return _not_probed(probed)
    return _environment(docker, image, probed, list(dict.fromkeys(map(canonical, listed))))


def _not_probed(probed: Ran) -> Failure:
    words = probed.log.decode(errors="replace")[-2000:]
    return Failure("environment", "probe_failed" if probed.exit_code else "no_tests_listed", words)


def _environment(docker: Docker, image: Image, probed: Ran, ids: list[str]) -> Row:
    return {
        "image": image.tag,
        "image_digest": image.digest,
        "platform": docker.platform,
        "bytes": image.bytes,
        "own_bytes": image.own_bytes,
        "dependencies_image": image.base.tag,
        "dependencies_digest": image.base.digest,
        "dependencies_bytes": image.base.bytes,
        "seconds": round(image.seconds + probed.seconds, 3),
        "log": image.log,
        "tests": docker.artifacts.put("".join(f"{name}\n" for name in ids).encode()),
        "listed_tests": len(ids),
    }


@stage(by="bucket")
def environments(
    recipes: dy.LazyFrame[Recipes], *, run: Run, limits: Limits
) -> Decided[Environments]:
    return _together(_tried_in_order(recipes, run, limits.ranks)).pipe(_with_fate).pipe(decide, {})


def _tried_in_order(waiting: pl.LazyFrame, run: Run, ranks: int) -> Iterator[pl.LazyFrame]:
    for rank in range(1, ranks + 1):
        now = waiting.filter(pl.col("rank") == rank)
        tried = _tried(now, run)
        yield tried
        waiting = waiting.join(_settled(now, tried), on=PULL_REQUEST, how="anti")


def _tried(now: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    distinct = now.unique("recipe_sha", keep="first", maintain_order=True)
    rows = distinct.select("recipe_sha", "repository_id", "recipe")
    return run.ask(rows, build_environment).join(
        rows.select("recipe_sha", "repository_id"), on="recipe_sha"
    )


def _settled(now: pl.LazyFrame, tried: pl.LazyFrame) -> pl.LazyFrame:
    """Candidates that need no other recipe, or that wait for the answer to this one."""
    has_answer = pl.col("kind").is_null() | (pl.col("kind") == OPEN)
    return now.join(tried.filter(has_answer), on="recipe_sha", how="semi").select(PULL_REQUEST)


def _together(tried: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    # A recipe that is one candidate's first and another's second is still one row.
    return pl.concat(tried).unique("recipe_sha", keep="first", maintain_order=True)


def _with_fate(tried: pl.LazyFrame) -> pl.LazyFrame:
    """A recipe that failed is a row like any other; only what is asked again is not."""
    is_open = pl.col("kind").eq_missing(pl.lit(OPEN))
    log_of_failure = pl.col("detail").str.extract(r"full log: ([0-9a-f]{64})$")
    return tried.with_columns(
        is_built=pl.col("kind").is_null(),
        log=pl.coalesce("log", log_of_failure),
        kind=pl.when(is_open).then("kind"),
    )
