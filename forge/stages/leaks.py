"""What of the fix or of its tests could be read in a would-be task's image."""

import dataframely as dy
import polars as pl

from forge.columns import PULL_REQUEST, Decision, PullRequestKey, leaks_column
from forge.criteria import decide
from forge.effect import Failure, Row, effect
from forge.languages import languages
from forge.leaks import wanted
from forge.recipes import Recipe
from forge.run import Run
from forge.services.docker import Docker
from forge.stage import Decided, stage
from forge.stages.merges import Merges
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests
from forge.stages.recipes import Recipes
from forge.stages.verdicts import Verdicts


class Scanned(dy.Schema):
    """What a look through one image showed."""

    image_leaks = leaks_column("what was found, where (`!` before a member of an archive), and how")
    unread = dy.List(dy.String(), description="paths that could not be read, or unpack without end")
    scanned_files = dy.Int64(min=0, description="files of the image that were looked at")
    scanned_bytes = dy.Int64(min=0, description="bytes of these files")


class Leaks(PullRequestKey, Scanned, Decision):
    """One row per would-be task."""


@effect(answers=Scanned, version=2, since=2, concurrency=16, seconds=6 * 3600)
async def scan_image(
    docker: Docker, *, recipe: str, gold_patch: str, test_patch: str, shas: list[str]
) -> Row | Failure:
    """Look for both patches and the commits of the fix in a recipe's image."""
    built = Recipe.model_validate_json(recipe)
    image = await docker.image(built)
    if isinstance(image, Failure):
        return image
    parts = wanted(gold_patch, test_patch, languages()[built.language].manifests)
    asked = {"commit": built.base_commit, "shas": shas, "parts": parts}
    found = await docker.find_leaks(image.tag, asked)
    if isinstance(found, Failure):
        return found
    return {
        "image_leaks": [*_told(built.environment, shas), *found["findings"]],
        "unread": found["unread"],
        "scanned_files": found["files"],
        "scanned_bytes": found["bytes"],
    }


def _told(environment: dict[str, str], shas: list[str]) -> list[Row]:
    """Variables of the image that name a commit of the fix."""
    return [
        {"kind": "environment", "path": name, "evidence": value}
        for name, value in environment.items()
        if any(sha[:7] in value for sha in shas)
    ]


@stage(by="bucket")
def leaks(
    verdicts: dy.LazyFrame[Verdicts],
    patches: dy.LazyFrame[Patches],
    pull_requests: dy.LazyFrame[PullRequests],
    merges: dy.LazyFrame[Merges],
    recipes: dy.LazyFrame[Recipes],
    *,
    run: Run,
) -> Decided[Leaks]:
    heads = merges.select(*PULL_REQUEST, "head_sha")
    commits = pl.concat_list("merge_commit", "head_sha").list.drop_nulls().list.unique()
    shas = pull_requests.join(heads, on=PULL_REQUEST, how="left").select(
        *PULL_REQUEST, shas=commits.list.sort()
    )
    rows = (
        verdicts.select(*PULL_REQUEST, "recipe_sha")
        .join(recipes.select("recipe_sha", "recipe").unique("recipe_sha"), on="recipe_sha")
        .join(patches.select(*PULL_REQUEST, "gold_patch", "test_patch"), on=PULL_REQUEST)
        .join(shas, on=PULL_REQUEST)
    )
    return run.ask(rows, scan_image).pipe(decide, {})
