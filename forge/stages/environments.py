"""Recipes tried: an image in which the runner lists its tests at the base commit, or why not."""

import re
from dataclasses import replace
from itertools import pairwise

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import KEY, PULL_REQUEST, Decision, artifact
from forge.criteria import decide
from forge.effect import OPEN, Failure, Row, effect
from forge.inside.report import canonical
from forge.recipes import Recipe
from forge.recipes.surroundings import lacking
from forge.run import Run
from forge.services.docker import Docker, Image, Ran
from forge.stage import Decided, StageLimits, stage
from forge.stages.recipes import Recipes

RESTS = "rests"
"""Reason of a candidate that is not tried, as those before it were tried in vain."""
WAVES, GROWTH, ENDLESS = 4, 4, 2**62
HAS_ANSWER = pl.col("kind").is_null() | (pl.col("kind") == OPEN)
IS_WHOLE = pl.col("missing_modules").list.len().fill_null(0) == 0
# How pytest tells what it could not import: a title for each file, and the traceback below it.
UNLISTED = re.compile(
    r"^_+ ERROR collecting (\S+) _+$(.*?)(?=^[_=]+ |\Z)", re.DOTALL | re.MULTILINE
)
MISSING_MODULE = re.compile(r"\bNo module named '?([\w.]+)")


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
    missing_modules = dy.List(
        dy.String(),
        nullable=True,
        description="what the touched tests import in vain: a later recipe may have it",
    )


class Environments(Environment, Decision):
    """One row per distinct recipe that was tried, or that rests with its repository."""

    recipe_sha = dy.String(metadata=KEY, description="names the recipe")
    repository_id = dy.Int64(description="the repository whose recipe it is")
    is_built = dy.Bool(description="the image is there and its runner lists tests")
    is_at_rest = dy.Bool(
        description="not tried, as those of the repository before it were tried in vain"
    )
    reason = dy.String(nullable=True, description="why it is not built")
    detail = dy.String(nullable=True, description="the last words of what failed")


class Limits(StageLimits):
    """How far a candidate's recipes are tried."""

    ranks: int = Field(3, description="most recipes tried for one candidate", ge=1)
    misses: int = Field(
        3,
        description="candidates in a row without environment after which a repository rests",
        ge=1,
    )


# 5: what the touched tests miss is told.
@effect(answers=Environment, version=5, since=5, concurrency=16, seconds=6 * 3600)
async def build_environment(docker: Docker, *, recipe: str) -> Row | Failure:
    wanted = Recipe.model_validate_json(recipe)
    found = await _tried(docker, wanted)
    return _explained(wanted, found) if isinstance(found, Failure) else found


def _explained(wanted: Recipe, failure: Failure) -> Failure:
    """The failure by what the project's own machines have beside the recipe, where that shows."""
    if failure.kind != "environment":
        return failure
    words = failure.detail or ""
    found = lacking(wanted.surroundings, words)
    return replace(found, detail=f"{found.detail}\n{words}") if found else failure


async def _tried(docker: Docker, wanted: Recipe) -> Row | Failure:
    image = await docker.image(wanted)
    if isinstance(image, Failure):
        return image
    probed = await docker.probe(wanted, image.tag)
    if isinstance(probed, Failure):
        return probed
    listed = probed.files.get("listed", b"").decode(errors="replace").splitlines()
    if probed.exit_code or not listed:
        return _not_probed(probed)
    ids = list(dict.fromkeys(map(canonical, listed)))
    return _environment(docker, image, probed, ids) | {"missing_modules": _missing(wanted, probed)}


def _not_probed(probed: Ran) -> Failure:
    words = probed.log.decode(errors="replace")[-2000:]
    return Failure("environment", "probe_failed" if probed.exit_code else "no_tests_listed", words)


def _missing(wanted: Recipe, probed: Ran) -> list[str]:
    words = UNLISTED.findall(probed.log.decode(errors="replace"))
    told = "\n".join(text for path, text in words if path in wanted.touched)
    return sorted(set(MISSING_MODULE.findall(told)))


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
    wanted = recipes.filter(pl.col("rank") <= limits.ranks).with_columns(
        place=pl.col("number").rank("dense").over("repository_id")
    )
    return _made(wanted, run, limits).pipe(_with_fate).pipe(decide, {})


def _made(wanted: pl.LazyFrame, run: Run, limits: Limits) -> pl.LazyFrame:
    """What became of the recipes; of each repository a few candidates come first, then more."""
    tried: list[pl.LazyFrame] = []
    most = [0, *(limits.misses * GROWTH**n for n in range(WAVES - 1)), ENDLESS]
    for first, last in pairwise(most):
        now = wanted.filter(pl.col("place").is_between(first, last, closed="right"))
        resting = _resting(wanted, tried, limits.misses)
        awake = now.join(resting, on="repository_id", how="anti")
        for rank in range(1, limits.ranks + 1):
            tried.append(run.ask(_next(awake, tried, rank), build_environment))
        tried.append(_at_rest(now.join(resting, on="repository_id", how="semi")))
    # A recipe that is one candidate's first and another's second is still one row.
    rows = _together(tried).unique("recipe_sha", keep="first", maintain_order=True)
    return rows.join(_distinct(wanted).select("recipe_sha", "repository_id"), on="recipe_sha")


def _together(tried: list[pl.LazyFrame]) -> pl.LazyFrame:
    schema = dict.fromkeys(("recipe_sha", "kind", "reason"), pl.String)
    nothing = pl.LazyFrame(schema=schema | {"missing_modules": pl.List(pl.String)})
    return pl.concat([nothing, *tried], how="diagonal")


def _next(awake: pl.LazyFrame, tried: list[pl.LazyFrame], rank: int) -> pl.LazyFrame:
    """The recipes of a rank, of candidates that need one and do not wait for an answer."""
    # Of what was answered alone: a plan that holds how it came to be asked doubles with each rank.
    answered = _together(tried).filter(HAS_ANSWER, IS_WHOLE)
    earlier = awake.filter(pl.col("rank") < rank)
    settled = earlier.join(answered, on="recipe_sha", how="semi")
    now = awake.filter(pl.col("rank") == rank).join(settled, on=PULL_REQUEST, how="anti")
    return _distinct(now)


def _distinct(wanted: pl.LazyFrame) -> pl.LazyFrame:
    rows = wanted.unique("recipe_sha", keep="first", maintain_order=True)
    return rows.select("recipe_sha", "repository_id", "recipe")


def _resting(wanted: pl.LazyFrame, tried: list[pl.LazyFrame], misses: int) -> pl.LazyFrame:
    """Repositories whose latest candidates have all been tried in vain, so many in a row."""
    outcome = wanted.join(_together(tried).select("recipe_sha", is_hit=HAS_ANSWER), on="recipe_sha")
    place = pl.col("place")
    return (
        outcome.group_by("repository_id")
        .agg(in_a_row=place.max() - place.filter("is_hit").max().fill_null(0))
        .filter(pl.col("in_a_row") >= misses)
        .select("repository_id")
    )


def _at_rest(resting: pl.LazyFrame) -> pl.LazyFrame:
    # By its first recipe it is told from a candidate that is still to be asked.
    return resting.filter(pl.col("rank") == 1).select(
        "recipe_sha", kind=pl.lit("policy"), reason=pl.lit(RESTS)
    )


def _with_fate(tried: pl.LazyFrame) -> pl.LazyFrame:
    """A recipe that failed is a row like any other; only what is asked again is not."""
    is_open = pl.col("kind").eq_missing(pl.lit(OPEN))
    log_of_failure = pl.col("detail").str.extract(r"full log: ([0-9a-f]{64})$")
    return tried.with_columns(
        is_built=pl.col("kind").is_null(),
        is_at_rest=pl.col("reason").eq_missing(pl.lit(RESTS)),
        log=pl.coalesce("log", log_of_failure),
        kind=pl.when(is_open).then("kind"),
    )
