"""Attempts with a real engine, over recipes and patches that stand here word for word."""

from datetime import datetime

import dataframely as dy
import polars as pl
import pytest
from projects import Project, archive_of, make_project, patch_of

from forge.artifacts import Artifacts
from forge.build import Options, build
from forge.columns import KEY, PullRequestKey, text
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import stage
from forge.stages.attempts import attempts
from forge.stages.environments import environments
from forge.store import Store

NOW = datetime(2026, 4, 1)
SUMS = "def add(a, b):\n    return a - b\n"
FIX = {"sums.py": "def add(a, b):\n    return a + b\n"}
TESTS = "tests/test_sums.py"
HIDDEN = (
    "from sums import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n\n\n"
    "def test_add():\n    assert add(1, 1) == 2\n"
)
FLAKY = (
    HIDDEN
    + "\n\ndef test_flaky():\n    import os\n    assert int(os.environ['HOSTNAME'], 16) % 2\n"
)
FEW = {"survivors": 2, "would_be_tasks": 3, "dependences": False, "seconds": 60}


ORDERED = (
    HIDDEN
    + "\n\nSEEN = []\n\n\ndef test_first():\n    SEEN.append(1)\n"
    + "\n\ndef test_second():\n    assert SEEN\n"
)


class Statements(PullRequestKey):
    """One row per candidate."""


class Patches(PullRequestKey):
    """One row per candidate."""

    gold_patch = text("diff")
    test_paths = dy.List(dy.String())
    removed_test_paths = dy.List(dy.String())
    test_archive = text("base64")


class Recipes(PullRequestKey):
    """One row per candidate and way to build it."""

    rank = dy.Int64(metadata=KEY)
    recipe_sha = dy.String()
    recipe = text("JSON")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    files = {"sums.py": SUMS, TESTS: "def test_old(): ...\n"}
    return make_project(tmp_path_factory.mktemp("origin"), files)


@pytest.fixture
def settings(docker_engine, project, tmp_path) -> Settings:  # noqa: ARG001 - skips without it
    return Settings(root=tmp_path, git_url=project.git_url)


def candidate(project: Project, hidden: str = HIDDEN, **changes: object) -> dict[str, object]:
    """A candidate's row in every table upstream."""
    recipe = project.recipe()
    return {
        "repository_id": 7,
        "number": 1,
        "rank": 1,
        "recipe_sha": recipe.sha,
        "recipe": recipe.text,
        "gold_patch": patch_of(project, FIX),
        "test_paths": [TESTS],
        "removed_test_paths": [],
        "test_archive": archive_of({TESTS: hidden}),
    } | changes


def made(settings: Settings, *rows: dict[str, object], **limits: object) -> Store:
    """The store after a build of environments and attempts."""
    table = pl.LazyFrame(rows)

    @stage
    def statements() -> dy.LazyFrame[Statements]:
        return table.pipe(Statements.cast)

    @stage
    def patches() -> dy.LazyFrame[Patches]:
        return table.pipe(Patches.cast)

    @stage(by="bucket")
    def recipes(statements: dy.LazyFrame[Statements]) -> dy.LazyFrame[Recipes]:  # noqa: ARG001 - its upstream
        return table.drop_nulls("recipe").pipe(Recipes.cast)

    run = build(
        [statements, patches, recipes, environments, attempts],
        Selection("2026-03"),
        settings,
        Options(limits={"attempts": FEW | limits}),
        now=NOW,
        progress=lambda *_: None,
    )
    list(run)
    return Store(settings.root, "2026-03")


def attempts_of(store: Store) -> list[dict[str, object]]:
    table = store.scan("attempts", attempts.schema).sort("side", "attempt")
    return list(table.collect().iter_rows(named=True))


def rejected(store: Store) -> list[tuple[int, str, list[str]]]:
    folder = store.rejected_folder("attempts")
    return pl.read_parquet(folder)["number", "fate", "reasons"].rows()


def letters(row: dict[str, object]) -> dict[str, str]:
    return {test["id"].partition("::")[2]: test["letter"] for test in row["tests"]}


def test_would_be_task_is_run_in_three_waves(settings, project):
    store = made(settings, candidate(project))
    rows = attempts_of(store)
    assert [(row["side"], row["attempt"]) for row in rows] == [
        *[("before", 1), ("before", 2)],
        *[("after", 1), ("after", 2), ("after", 3)],
    ]
    red, green = {"test_zero": "P", "test_add": "F"}, {"test_zero": "P", "test_add": "P"}
    assert [letters(row) for row in rows] == [red] * 2 + [green] * 3
    first = rows[0]
    artifacts = Artifacts(settings.memo_folder / "artifacts")
    assert "assert 0 == 2" in artifacts.path(first["log"]).read_text()
    assert artifacts.path(first["result"]).read_bytes().startswith(b"<?xml")
    assert first["unlisted_tests"] == 2
    assert (first["exit_code"], first["is_timed_out"], first["broken_files"]) == (1, False, [])
    assert first["memory_bytes"] > 1_000_000
    assert first["processes"] is None or 2 < first["processes"] < 100
    assert {row["eval_script"] for row in rows} == {first["eval_script"]}
    assert rejected(store) == []


def test_would_be_task_is_run_reversed_and_in_two_halves(settings, project):
    few = {"survivors": 1, "would_be_tasks": 1, "dependences": True}
    rows = attempts_of(made(settings, candidate(project, ORDERED), **few))
    others = {(row["side"], row["attempt"]): letters(row) for row in rows[2:]}
    assert others == {
        ("reversed", 1): {"test_second": "F", "test_first": "P", "test_add": "P", "test_zero": "P"},
        ("parallel", 1): {"test_zero": "P", "test_first": "P"},
        ("parallel", 2): {"test_add": "P", "test_second": "F"},
    }


def test_what_took_longest_in_one_wave_is_asked_first_in_the_next(settings, project):
    slow = HIDDEN + "\n\ndef test_slow():\n    __import__('time').sleep(5)\n"
    alone = settings.model_copy(update={"workers": 1})
    rows = [candidate(project, number=1), candidate(project, slow, number=2)]
    again = [
        (row["ran_at"], row["number"])
        for row in attempts_of(made(alone, *rows, would_be_tasks=2))
        if row["attempt"] == 2
    ]
    assert [number for _, number in sorted(again)] == [2, 2, 1, 1]


def test_candidate_whose_gold_patch_changes_nothing_is_run_once_on_each_side(settings, project):
    other = patch_of(project, {"README": "words\n"})
    rows = attempts_of(made(settings, candidate(project, gold_patch=other)))
    assert [(row["side"], row["attempt"]) for row in rows] == [("before", 1), ("after", 1)]


def test_candidate_without_recipe_or_environment_is_rejected_with_its_reason(settings, project):
    broken = project.recipe(install="exit 1")
    store = made(
        settings,
        candidate(project, number=1, recipe=None, recipe_sha=None),
        candidate(project, number=2, recipe=broken.text, recipe_sha=broken.sha),
    )
    assert attempts_of(store) == []
    assert sorted(rejected(store)) == [
        (1, "rejected", ["has_recipe", "has_environment"]),
        (2, "rejected", ["has_environment"]),
    ]


def test_gold_patch_that_does_not_apply_rejects_the_candidate(settings, project):
    askew = patch_of(project, FIX).replace("return a - b", "return b - a")
    store = made(settings, candidate(project, gold_patch=askew))
    assert [row["side"] for row in attempts_of(store)] == ["before"]
    assert rejected(store) == [(1, "rejected", ["gold_patch_does_not_apply"])]


def test_nothing_that_was_run_is_run_again(settings, project):
    first = attempts_of(made(settings, candidate(project)))
    again = attempts_of(made(settings, candidate(project), would_be_tasks=4))
    assert [row["ran_at"] for row in again[:5]] == [row["ran_at"] for row in first]
    assert len(again) == len(first) + 1


def test_flaky_test_shows_in_its_letters(settings, project):
    rows = attempts_of(made(settings, candidate(project, FLAKY), survivors=6, would_be_tasks=6))
    assert {letters(row)["test_flaky"] for row in rows} == {"P", "F"}


def test_test_that_hangs_before_is_cut_by_the_limit(settings, project):
    hangs = HIDDEN + "\n\ndef test_hangs():\n    while add(1, 1) != 2:\n        pass\n"
    rows = attempts_of(made(settings, candidate(project, hangs), seconds=15, survivors=1))
    befores = [row for row in rows if row["side"] == "before"]
    assert {letters(row)["test_hangs"] for row in befores} == {"T"}
    assert {row["is_timed_out"] for row in befores} == {True}
    assert {letters(row)["test_hangs"] for row in rows if row["side"] == "after"} == {"P"}


def test_tests_that_eat_the_memory_are_open_and_not_red(settings, project):
    hog = "def test_hog():\n    bytearray(10**9)\n"
    store = made(settings, candidate(project, hog), memory_bytes=100_000_000)
    assert attempts_of(store) == []
    assert rejected(store) == [(1, "open", ["memory_limit"])]
