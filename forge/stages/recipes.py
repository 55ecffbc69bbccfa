"""How to build and test each candidate, from its repository's own files at the merge."""

import json
import re

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import KEY, PULL_REQUEST, Decision, PullRequestKey, moment, text
from forge.criteria import Criteria, decide
from forge.effect import OPEN, Failure, Row, effect
from forge.languages import languages
from forge.recipes.hand_written import read_hand_recipes
from forge.recipes.lock import failure_of, script
from forge.recipes.moments import for_uv, span_start
from forge.recipes.pythons import RELEASED
from forge.recipes.ranking import best, lacking
from forge.recipes.rendering import Drafting, finished
from forge.recipes.versions import ASKS_GIT, version_at
from forge.run import Run
from forge.services.docker import Docker
from forge.services.git import Failed, Git
from forge.stage import Decided, StageLimits, stage
from forge.stages.candidates import Candidates
from forge.stages.features import Features
from forge.stages.patches import Patches
from forge.stages.statements import Statements

MOST_BYTES = 4_000_000
RANKED = [*PULL_REQUEST, "rank"]
# Neighbours share a lock, and images with it, where the start of their span will do.
WAYS = [
    ("merge", "requirements", "span_start"),
    ("merge", "requirements", "merged_at"),
    ("base", "base_requirements", "span_start"),
    ("base", "base_requirements", "merged_at"),
]
IS_REFUSED = pl.col("kind").eq_missing(pl.lit("environment"))


class Recipes(PullRequestKey, Decision):
    """One row per candidate and way to build it, the best declared first."""

    rank = dy.Int64(metadata=KEY, min=1, description="1: tried first")
    recipe_sha = dy.String(regex="^[0-9a-f]{64}$", description="names the recipe")
    recipe = text("JSON of image, system packages, environment, lock, install, probe, test")
    reader = dy.String(description="the declaration that it follows, such as `tox: environment py`")
    lock_source = dy.String(
        regex="^(merge|base|none)$",
        description="whose manifests were resolved; none: there was no need",
    )
    lock_as_of = moment(
        "no package in the lock is younger; null where nothing was resolved", nullable=True
    )
    dropped = dy.List(dy.String(), description="what was declared and left out, as `<what>: <why>`")
    surroundings = dy.List(
        dy.String(), description="what the project's own machines have beside it, `services: redis`"
    )
    passed_over = dy.List(
        dy.Struct(
            {"reader": dy.String(), "reason": dy.String(), "detail": dy.String(nullable=True)}
        ),
        description="declarations of the candidate that gave no recipe of their own, and why",
    )


class Limits(StageLimits):
    """How recipes are searched."""

    pythons: str = Field(
        " ".join(RELEASED), description="versions of Python whose images may be used"
    )
    images: str = Field(
        "", description="images that may be used beside the usual, such as golang:1.25-bookworm"
    )
    ranks: int = Field(3, ge=1, description="most recipes to try per candidate")
    lock_days: int = Field(
        7,
        ge=0,
        description="days of a span whose merges share locks, as of its start; "
        "0: each as of its own moment",
    )


class Manifests(dy.Schema):
    """The files that say how a project is built and tested."""

    manifests = text("JSON object of texts by path, at the merge")
    base_manifests = text("the same at the base, where it differs", nullable=True)


class TaggedVersion(dy.Schema):
    """What git's tags say of the version, as of the base commit."""

    tag = dy.String(nullable=True, description="the nearest tag that is a version")
    version = dy.String(nullable=True, description="the version that a tool makes of it")


class Lock(dy.Schema):
    """Every dependency, pinned."""

    lock = text("the lock, as its package manager writes it")


def criteria() -> Criteria:
    """What a recipe cannot be written without."""
    return {
        "has_language": pl.col("language").is_in([*languages()]),
        "has_recipe": pl.col("recipe").is_not_null(),
    }


@effect(answers=Manifests, version=1, concurrency=4)
async def read_manifests(
    git: Git,
    *,
    repo: str,
    merge_commit: str | None,
    base_commit: str,
    change: str | None,
    pattern: str,
) -> Row | Failure:
    try:
        pair = await git.pair(repo, base_commit, merge_commit, change=change)
        files = await git.read_files(repo, pair.merge, pattern)
        earlier = await git.read_files(repo, base_commit, pattern)
    except Failed as failed:
        return failed.failure
    if sum(map(len, files.values())) > MOST_BYTES:
        return Failure("policy", "manifests_too_large", f"{len(files)} files")
    differs = files != earlier
    return {
        "manifests": _as_json(files),
        "base_manifests": _as_json(earlier) if differs else None,
    }


@effect(answers=TaggedVersion, version=1, concurrency=4)
async def read_version(git: Git, *, repo: str, base_commit: str) -> Row | Failure:
    try:
        tags = await git.nearest_tags(repo, base_commit)
    except Failed as failed:
        return failed.failure
    found = ((tag.name, version_at(*tag)) for tag in tags)
    return next(
        ({"tag": tag, "version": version} for tag, version in found if version),
        {"tag": None, "version": None},
    )


@effect(answers=Lock, version=4, since=4, concurrency=2, seconds=900)
async def resolve_lock(
    docker: Docker, *, image: str, requirements: str, exclude_newer: str
) -> Row | Failure:
    # In a container: resolving may run the build scripts of strangers' packages.
    toolchain = await docker.toolchain(image)
    if isinstance(toolchain, Failure):
        return toolchain
    ran = await docker.run_script(
        toolchain,
        script(exclude_newer),
        files={"requirements.in": requirements.encode()},
        collect=("lock.txt",),
        network=True,
        seconds=600,
    )
    if isinstance(ran, Failure):
        return ran
    if ran.exit_code or "lock.txt" not in ran.files:
        return failure_of(ran.log)
    return {"lock": ran.files["lock.txt"].decode()}


@stage(by="bucket")
def recipes(
    statements: dy.LazyFrame[Statements],
    candidates: dy.LazyFrame[Candidates],
    patches: dy.LazyFrame[Patches],
    features: dy.LazyFrame[Features],
    *,
    run: Run,
    limits: Limits,
    hand_recipes: dict[str, str],
    per_repository: int | None,
) -> Decided[Recipes]:
    wanted = _wanted(statements, candidates, patches, features).with_columns(
        bound=_bound(per_repository), span_start=span_start(limits.lock_days)
    )
    is_asked = pl.col("bound").is_null() & pl.col("pattern").is_not_null()
    manifests = run.ask(wanted.filter(is_asked), read_manifests)
    drafting = Drafting(
        read_hand_recipes(hand_recipes),
        tuple(re.findall(r"[\d.]+", limits.pythons)),
        tuple(limits.images.split()),
        limits.ranks,
    )
    known = wanted.join(manifests, on=PULL_REQUEST, how="left", maintain_order="left")
    drafts = (
        _with_versions(known, run)
        .with_columns(drafts=drafting.drafts)
        .explode("drafts")
        .unnest("drafts")
    )
    return _tried(drafts, run, limits.ranks).pipe(best, limits.ranks).pipe(decide, criteria())


def _wanted(
    statements: pl.LazyFrame,
    candidates: pl.LazyFrame,
    patches: pl.LazyFrame,
    features: pl.LazyFrame,
) -> pl.LazyFrame:
    patterns = {name: language.manifests for name, language in languages().items()}
    return (
        statements.select(PULL_REQUEST)
        .join(candidates.select(*PULL_REQUEST, "repo", "language", "merged_at"), on=PULL_REQUEST)
        .join(
            patches.select(*PULL_REQUEST, "base_commit", "merge_commit", "test_paths", _change()),
            on=PULL_REQUEST,
        )
        .join(features.select(*PULL_REQUEST, "static_difficulty"), on=PULL_REQUEST, how="left")
        .with_columns(
            pattern=pl.col("language").replace_strict(
                patterns, default=None, return_dtype=pl.String
            ),
        )
        .sort("repository_id", "static_difficulty", "number", nulls_last=True)
    )


def _change() -> pl.Expr:
    """Both patches, where no merge holds what they make of the base."""
    both = pl.concat_str("gold_patch", "test_patch")
    return pl.when(pl.col("merge_commit").is_null()).then(both).alias("change")


def _bound(per_repository: int | None) -> pl.Expr:
    place = pl.int_range(pl.len()).over("repository_id")
    is_beyond = pl.lit(value=False) if per_repository is None else place >= per_repository
    return pl.when(is_beyond).then(pl.lit("per_repository"))


def _with_versions(known: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    """The rows with the version that git tells, where the project asks git for one."""
    asks = known.filter(pl.col("manifests").str.contains(ASKS_GIT))
    found = run.ask(asks, read_version)
    is_open = pl.col("kind_version").eq_missing(pl.lit(OPEN))
    return known.join(
        found, on=PULL_REQUEST, how="left", suffix="_version", maintain_order="left"
    ).with_columns(
        manifests=pl.when(~is_open).then("manifests"),
        kind=pl.coalesce("kind", pl.when(is_open).then("kind_version")),
    )


def _tried(drafts: pl.LazyFrame, run: Run, ranks: int) -> pl.LazyFrame:
    """Drafts with their locks: so many, and of who lacks some of these, the spare ones too."""
    is_spare = pl.col("rank").is_not_null() & (pl.col("rank") > ranks)
    tried = _locked(drafts.filter(~is_spare), run)
    more = drafts.filter(is_spare).join(lacking(tried, ranks), on=PULL_REQUEST, how="semi")
    return pl.concat([tried, _locked(more, run)])


def _locked(drafts: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    """The drafts with their locks, and with what stopped those that have none."""
    locks = _locks(drafts.filter(pl.col("requirements").is_not_null()), run)
    return (
        drafts.join(locks, on=RANKED, how="left", suffix="_lock", maintain_order="left")
        .with_columns(
            lock_source=pl.coalesce("lock_source", "given_source", pl.lit("none")),
            exclude_newer=pl.coalesce(for_uv("lock_as_of"), for_uv("span_start")),
            kind=pl.coalesce("kind", "undrafted_kind", "kind_lock"),
            reason=pl.coalesce("reason", "undrafted", "reason_lock"),
            detail=pl.coalesce("detail", "undrafted_detail", "detail_lock"),
        )
        .with_columns(finished().struct.unnest())
    )


def _locks(drafts: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    """The first lock that can be had; where there is none, why the first could not."""
    tried, waiting = [], drafts
    for source, requirements, as_of in WAYS:
        asked = waiting.filter(pl.col(requirements).is_not_null()).with_columns(
            requirements=requirements, lock_as_of=as_of, exclude_newer=for_uv(as_of)
        )
        answers = run.ask(asked, resolve_lock).join(
            asked.select(*RANKED, "lock_as_of"), on=RANKED, how="left"
        )
        tried.append(answers.with_columns(lock_source=pl.lit(source)))
        waiting = waiting.join(answers.filter(~IS_REFUSED), on=RANKED, how="anti")
    settled_first = pl.concat(tried).sort(IS_REFUSED, maintain_order=True)
    return settled_first.unique(RANKED, keep="first", maintain_order=True)


def _as_json(files: dict[str, bytes]) -> str:
    texts = {path: content.decode("utf-8-sig", "replace") for path, content in files.items()}
    return json.dumps(texts, ensure_ascii=False, sort_keys=True)
