"""Recipes tried in order, with a real engine; the recipes are literal shell."""

from datetime import datetime
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from projects import Project, make_project

from forge.artifacts import Artifacts
from forge.build import Options, build
from forge.columns import KEY, PullRequestKey, text
from forge.recipes import Recipe
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import stage
from forge.stages.environments import environments
from forge.store import Store

NOW = datetime(2026, 4, 1)
GOOD = "mkdir -p /opt/venv"
BAD = "echo no such dependency; exit 1"


class Recipes(PullRequestKey):
    """One row per candidate and way to build it."""

    rank = dy.Int64(metadata=KEY)
    recipe_sha = dy.String()
    recipe = text("JSON")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return make_project(tmp_path_factory.mktemp("origin"), {"a.py": "x = 1\n"})


@pytest.fixture
def settings(docker_engine, project, tmp_path) -> Settings:  # noqa: ARG001 - skips without it
    return Settings(root=tmp_path, git_url=project.git_url)


def recipe(project: Project, install: str, probe: str = "echo a.py::t") -> Recipe:
    return project.recipe(install=install, probe=probe)


def made(settings: Settings, *tried: tuple[int, int, Recipe], **limits: int) -> pl.DataFrame:
    """The table, for recipes given as (number of the pull request, rank, recipe)."""
    rows = pl.LazyFrame(
        [
            {"repository_id": 7, "number": n, "rank": r, "recipe_sha": x.sha, "recipe": x.text}
            for n, r, x in tried
        ]
    )

    @stage(by="bucket")
    def recipes(seed: dy.LazyFrame[PullRequestKey]) -> dy.LazyFrame[Recipes]:  # noqa: ARG001 - its upstream
        return rows.pipe(Recipes.cast)

    @stage
    def seed() -> dy.LazyFrame[PullRequestKey]:
        return rows.unique(["repository_id", "number"]).pipe(PullRequestKey.cast)

    options = Options(limits={"environments": dict(limits)})
    run = build(
        [seed, recipes, environments],
        Selection("2026-03"),
        settings,
        options,
        now=NOW,
        progress=lambda *_: None,
    )
    list(run)
    return Store(settings.root, "2026-03").scan("environments", environments.schema).collect()


def artifact(settings: Settings, name: str) -> Path:
    return Artifacts(settings.memo_folder / "artifacts").path(name)


def test_environment_is_built_where_the_runner_lists_tests(settings, project):
    good = recipe(project, GOOD, "echo 'a.py::t[é]'; echo a.py::u; echo a.py::u")
    (row,) = made(settings, (1, 1, good)).rows(named=True)
    assert row["is_built"]
    assert row["image"].startswith("sweforge/ada__sums:")
    assert row["image_digest"].startswith("sha256:")
    assert row["platform"].startswith("linux/")
    assert artifact(settings, row["tests"]).read_text() == "a.py::t[é]\na.py::u\n"
    assert row["listed_tests"] == 2
    assert "=== install" in artifact(settings, row["log"]).read_text()


def test_next_recipe_is_tried_only_where_the_first_one_failed(settings, project):
    good, bad, second = recipe(project, GOOD), recipe(project, BAD), recipe(project, GOOD + " -v")
    table = made(settings, (1, 1, good), (1, 2, second), (2, 1, bad), (2, 2, good))
    assert dict(table["recipe_sha", "is_built"].rows()) == {
        good.sha: True,
        bad.sha: False,
    }


LACKING = """echo b.py::t
cat >&2 <<'END'
==================== ERRORS ====================
____________ ERROR collecting a.py _____________
ImportError while importing test module 'a.py'.
E   ModuleNotFoundError: No module named 'attr.x'
____________ ERROR collecting c.py _____________
E   ModuleNotFoundError: No module named 'numpy'
=========== short test summary info ============
END
"""


def test_next_recipe_is_tried_where_a_touched_test_imports_in_vain(settings, project):
    lacking = recipe(project, GOOD, LACKING)
    first, second = lacking.model_copy(update={"touched": ("a.py",)}), recipe(project, GOOD)
    table = made(settings, (1, 1, first), (1, 2, second), (2, 1, lacking), (2, 2, second))
    assert dict(table["recipe_sha", "missing_modules"].rows()) == {
        first.sha: ["attr.x"],
        second.sha: [],
        lacking.sha: [],
    }


def test_failed_recipe_says_why_and_where_its_log_is(settings, project):
    (row,) = made(settings, (1, 1, recipe(project, BAD))).rows(named=True)
    assert (row["is_built"], row["image"], row["reason"]) == (False, None, "install_failed")
    assert "no such dependency" in row["detail"]
    assert "no such dependency" in artifact(settings, row["log"]).read_text()


@pytest.mark.parametrize(
    ("probe", "reason"), [("true", "no_tests_listed"), ("echo broken >&2; exit 2", "probe_failed")]
)
def test_runner_that_lists_nothing_makes_no_environment(settings, project, probe, reason):
    (row,) = made(settings, (1, 1, recipe(project, GOOD, probe))).rows(named=True)
    assert (row["is_built"], row["reason"]) == (False, reason)


def test_probe_has_no_network_and_cannot_change_the_image(settings, project):
    probe = "touch /testbed/left; ls /sys/class/net; ls /testbed; id -un"
    (row,) = made(settings, (1, 1, recipe(project, GOOD, probe))).rows(named=True)
    assert artifact(settings, row["tests"]).read_text().split() == ["lo", "a.py", "left", "forge"]


def test_no_more_recipes_are_tried_than_the_limit_says(settings, project):
    bad, worse = recipe(project, BAD), recipe(project, BAD + "1")
    assert made(settings, (1, 1, bad), (1, 2, worse), ranks=1)["recipe_sha"].to_list() == [bad.sha]


def test_recipe_that_ran_into_the_network_is_open_and_asked_again(settings, project):
    offline = recipe(project, "echo 'Temporary failure in name resolution' >&2; exit 1")
    good = recipe(project, GOOD)
    assert made(settings, (1, 1, offline), (1, 2, good)).is_empty()
    record = Store(settings.root, "2026-03").manifest("environments").parts
    assert sum(part.open for part in record.values()) == 1
    made(settings, (1, 1, offline), (1, 2, good))
    table = made(settings, (1, 1, offline), (1, 2, good))  # the third time is the last
    assert dict(table["recipe_sha", "reason"].rows()) == {
        offline.sha: "network_failed",
        good.sha: None,
    }


def test_repository_that_missed_three_times_in_a_row_rests(settings, project):
    bad = [recipe(project, f"{BAD} # {number}") for number in range(1, 7)]
    table = made(settings, *((number, 1, one) for number, one in enumerate(bad, 1)))
    known = {one.sha: number for number, one in enumerate(bad, 1)}
    found = sorted((known[sha], rests) for sha, rests in table["recipe_sha", "is_at_rest"].rows())
    assert found == [(1, False), (2, False), (3, False), (4, True), (5, True), (6, True)]
    assert table.filter("is_at_rest")["reason"].unique().to_list() == ["rests"]
    assert not table["is_built"].any()


def test_repository_goes_on_where_one_of_three_was_built(settings, project):
    tried = [
        (1, 1, recipe(project, f"{BAD} # 1")),
        (2, 1, recipe(project, f"{BAD} # 2")),
        (2, 2, recipe(project, GOOD)),
        *((number, 1, recipe(project, f"{BAD} # {number}")) for number in (3, 4)),
    ]
    table = made(settings, *tried, misses=3)
    assert (len(table), table["is_at_rest"].any()) == (5, False)
