"""The stage over a real repository, its upstream tables literal."""

import json
from datetime import datetime
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from histories import Repository

from forge.build import Options, build
from forge.columns import PullRequestKey, moment
from forge.errors import InputError
from forge.recipes import Recipe
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import stage
from forge.stages.recipes import Recipes, recipes
from forge.store import Store

NOW = datetime(2026, 4, 1)
MERGED_AT = datetime(2026, 3, 5, 12)
LOCKED = 'lock = "pytest==9.0.2"'
CONTENT = '[project]\nname = "tidy"\n[dependency-groups]\ntest = ["{}"]\n'


class Statements(PullRequestKey):
    """One row per pull request of the world below."""


class Candidates(PullRequestKey):
    repo = dy.String()
    language = dy.String()
    merged_at = moment("when")


class Patches(PullRequestKey):
    base_commit = dy.String()
    merge_commit = dy.String()
    gold_patch = dy.String()
    test_patch = dy.String()
    test_paths = dy.List(dy.String())


class Features(PullRequestKey):
    static_difficulty = dy.Float64()


def world(rows: list[dict[str, object]]) -> list[object]:
    """The stages upstream, as one literal table of all their columns."""
    table = pl.LazyFrame(rows)

    @stage
    def statements() -> dy.LazyFrame[Statements]:
        return table.pipe(Statements.cast)

    @stage
    def candidates() -> dy.LazyFrame[Candidates]:
        return table.pipe(Candidates.cast)

    @stage
    def patches() -> dy.LazyFrame[Patches]:
        return table.pipe(Patches.cast)

    @stage
    def features() -> dy.LazyFrame[Features]:
        return table.pipe(Features.cast)

    return [statements, candidates, patches, features, recipes]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "remote" / "lantern" / "tidy")


def row(number: int, base: str, merge: str, **changes: object) -> dict[str, object]:
    return {
        "repository_id": 7,
        "number": number,
        "repo": "Lantern/tidy",
        "language": "python",
        "merged_at": MERGED_AT,
        "base_commit": base,
        "merge_commit": merge,
        "gold_patch": "",
        "test_patch": "",
        "test_paths": ["tests/test_a.py"],
        "static_difficulty": 3.0,
    } | changes


def made(repository: Repository, rows: list[dict[str, object]], **flags: object) -> pl.DataFrame:
    root = repository.folder.parent.parent.parent / "root"
    settings = Settings(root=root, git_url=repository.template.replace("{owner}", "lantern"))
    options = Options(limits={"recipes": flags.pop("limits", {"pythons": "3.11"})})
    selection = Selection("2026-03", **flags)
    list(build(world(rows), selection, settings, options, now=NOW, progress=lambda *_: None))
    return Store(root, "2026-03").scan("recipes", Recipes).collect()


def fates(repository: Repository) -> list[tuple[object, ...]]:
    root = repository.folder.parent.parent.parent / "root"
    found = pl.scan_parquet(root / "rejected" / "recipes" / "month=2026-03" / "*.parquet")
    return found.sort("number").select("number", "fate", "reasons").collect().rows()


def test_recipe_written_by_hand_needs_no_engine(repository: Repository) -> None:
    base = repository.commit("Say nothing", {"a.py": "x = 1\n"})
    hand = {"lantern__tidy": f'{LOCKED}\n[environment]\nTABLES = "/testbed/tables"'}
    rows = [row(1, base, base)]
    limits = {"pythons": "3.11", "ranks": 1}
    (found,) = made(repository, rows, hand_recipes=hand, limits=limits).to_dicts()
    recipe = Recipe.model_validate_json(found["recipe"])
    assert (found["rank"], found["reader"], found["lock_source"]) == (1, "hand_written", "none")
    assert (recipe.lock, recipe.base_commit, found["recipe_sha"]) == (
        "pytest==9.0.2",
        base,
        recipe.sha,
    )
    assert recipe.environment == {
        "PYTHONPATH": "/testbed:/testbed/src",
        "TABLES": "/testbed/tables",
    }


def test_image_chosen_by_hand_serves_what_the_search_finds_too(repository: Repository) -> None:
    content = '[project]\nname = "a"\nrequires-python = ">=3.99"\n'
    base = repository.commit("Ask for much", {"pyproject.toml": content})
    hand = {"lantern__tidy": f'{LOCKED}\nimage = "python:3.99-slim-bookworm"'}
    (found,) = made(repository, [row(1, base, base)], hand_recipes=hand, limits={"ranks": 1}).rows()
    assert '"image":"python:3.99-slim-bookworm"' in str(found)


def test_easiest_candidates_of_a_repository_come_first_and_the_rest_wait(
    repository: Repository,
) -> None:
    base = repository.commit("Say nothing", {"a.py": "x = 1\n"})
    rows = [row(n, base, base, static_difficulty=d) for n, d in [(1, 9.0), (2, 2.0), (3, 5.0)]]
    flags = {"hand_recipes": {"lantern__tidy": LOCKED}, "limits": {"ranks": 1}}
    found = made(repository, rows, per_repository=2, **flags)
    assert found["number"].to_list() == [2, 3]
    assert fates(repository) == [(1, "deferred", ["per_repository"])]


def test_candidate_without_a_recipe_is_rejected_with_its_reason(repository: Repository) -> None:
    base = repository.commit("Say nothing", {"a.py": "x = 1\n"})
    content = '[project]\nname = "a"\nrequires-python = ">=3.12"\n'
    new = repository.commit("Ask for much", {"pyproject.toml": content})
    rows = [row(1, base, base, language="javascript"), row(2, base, new), row(3, base, "0" * 40)]
    assert made(repository, rows).is_empty()
    assert fates(repository)[:2] == [
        (1, "rejected", ["has_language", "has_recipe"]),
        (2, "rejected", ["no_python"]),
    ]
    assert fates(repository)[2][1] == "rejected"


def test_slip_in_a_recipe_written_by_hand_ends_the_build(repository: Repository) -> None:
    base = repository.commit("Say nothing", {"a.py": "x = 1\n"})
    with pytest.raises(InputError, match="no such key: imag"):
        made(repository, [row(1, base, base)], hand_recipes={"other__repo": "imag = 1"})


@pytest.mark.usefixtures("docker_engine")
def test_locks_come_from_the_merge_and_where_that_fails_from_the_base(
    repository: Repository,
) -> None:
    base = repository.commit("Begin", {"pyproject.toml": CONTENT.format("pytest")})
    newer = repository.commit("More", {"pyproject.toml": CONTENT.format("pytest<9")})
    broken = repository.commit("Much more", {"pyproject.toml": CONTENT.format("pytest>9999")})
    hopeless = '[project]\nname = "tidy"\ndependencies = ["pytest>9999"]\n'
    bare = repository.commit("Too much", {"pyproject.toml": hopeless})
    rows = [row(1, base, newer), row(2, base, broken), row(3, bare, bare)]
    found = made(repository, rows, limits={"pythons": "3.11", "ranks": 1})
    locks = [json.loads(text)["lock"] for text in found.sort("number")["recipe"]]
    assert found.select("number", "rank", "lock_source").sort("number").rows() == [
        (1, 1, "merge"),
        (2, 1, "base"),
    ]
    assert [line for lock in locks for line in lock.splitlines() if "pytest" in line] == [
        "pytest==8.4.2",
        "pytest==9.0.2",
    ]
    assert fates(repository) == [(3, "rejected", ["lock_unsatisfiable"])]


@pytest.mark.usefixtures("docker_engine")
def test_ranks_have_no_gap_where_a_lock_failed(repository: Repository) -> None:
    base = repository.commit("Begin", {"pyproject.toml": CONTENT.format("pytest>9999")})
    found = made(repository, [row(1, base, base)])
    assert found.select("rank", "reader").rows() == [(1, "pytest alone")]
    assert [one["reader"] for one in found["passed_over"][0]] == [
        "pyproject: group test",
        "everything for tests",
    ]


def locks(found: pl.DataFrame) -> list[tuple[object, ...]]:
    recipes = [Recipe.model_validate_json(text) for text in found.sort("number")["recipe"]]
    pytests = [next(x for x in r.lock.splitlines() if x.startswith("pytest=")) for r in recipes]
    told = found.sort("number")["lock_as_of"].to_list()
    assert [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in told] == [r.lock_as_of for r in recipes]
    return list(zip(pytests, told, strict=True))


@pytest.mark.usefixtures("docker_engine")
def test_neighbours_share_the_lock_of_their_spans_start_unless_it_came_too_early(
    repository: Repository,
) -> None:
    plain = repository.commit("Begin", {"pyproject.toml": CONTENT.format("pytest")})
    newer = repository.commit("More", {"pyproject.toml": CONTENT.format("pytest>=9.0.2")})
    friday, tuesday = datetime(2025, 12, 5, 8), datetime(2025, 12, 9, 8)
    rows = [
        row(1, plain, plain, merged_at=friday),
        row(2, plain, plain, merged_at=tuesday),
        row(3, plain, newer, merged_at=tuesday),
    ]
    limits = {"pythons": "3.11", "ranks": 1}
    # 9.0.2 was uploaded on 6 December; spans of seven days start on Thursdays.
    assert locks(made(repository, rows, limits=limits)) == [
        ("pytest==9.0.1", datetime(2025, 12, 4)),
        ("pytest==9.0.1", datetime(2025, 12, 4)),
        ("pytest==9.0.2", tuesday),
    ]
    assert locks(made(repository, rows, limits={**limits, "lock_days": 0})) == [
        ("pytest==9.0.1", friday),
        ("pytest==9.0.2", tuesday),
        ("pytest==9.0.2", tuesday),
    ]


def test_version_is_that_of_the_nearest_tag_at_the_base(repository: Repository) -> None:
    content = '[build-system]\nrequires = ["hatch-vcs"]\n[project]\nname = "tidy"\n'
    repository.commit("Begin", {"pyproject.toml": content})
    repository.git("tag", "v1.2")
    base = repository.commit("Go on")
    merge = repository.commit("Fix", {"a.py": "x = 1\n"})
    repository.git("tag", "v1.3")
    flags = {"hand_recipes": {"lantern__tidy": LOCKED}, "limits": {"ranks": 1}}
    (found,) = made(repository, [row(1, base, merge)], **flags)["recipe"]
    environment = Recipe.model_validate_json(found).environment
    assert environment == {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.3.dev1"}
