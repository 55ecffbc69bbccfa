"""Versions that projects take from git's tags, told without the tags."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from histories import Repository

from forge.recipes.drafts import Wanted
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project
from forge.services.git import Git

BUILT_WITH = '[build-system]\nrequires = ["{}"]\n[project]\nname = "b"\n'
WANTED = Wanted("a/b", "c" * 40, datetime(2026, 3, 5, 12), ("test_a.py",), ("3.11",))


def recipe(files: dict[str, str], tag: str | None, version: str | None):
    wanted = Wanted(**{**vars(WANTED), "tag": tag, "version": version})
    return draft_pip(Project(files), wanted)[0].recipe


@pytest.mark.parametrize(
    ("tool", "variable"),
    [
        ("setuptools-scm[toml]>=8", "SETUPTOOLS_SCM_PRETEND_VERSION"),
        ("hatch-vcs", "SETUPTOOLS_SCM_PRETEND_VERSION"),
        ("pbr>=6", "PBR_VERSION"),
        ("poetry-dynamic-versioning", "POETRY_DYNAMIC_VERSIONING_BYPASS"),
    ],
)
def test_tool_is_told_the_version_that_tags_give(tool, variable):
    files = {"pyproject.toml": BUILT_WITH.format(tool)}
    found = recipe(files, "v1.2", "1.3.dev4")
    assert found.environment == {variable: "1.3.dev4"}
    assert "git tag" not in found.install


def test_tool_that_cannot_be_told_finds_the_tag_while_the_project_is_installed():
    files = {"pyproject.toml": BUILT_WITH.format("versioneer"), "setup.py": ""}
    lines = recipe(files, "v1.2", "1.3.dev4").install.splitlines()
    assert lines[-3:] == [
        "git tag v1.2",
        "uv pip install --no-deps --editable .",
        "git tag --delete v1.2",
    ]
    assert "git tag" not in recipe(files, None, None).install


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "served/ann/fix")


def tags(repository: Repository, commit: str, root: Path) -> list[tuple[str, int]]:
    git = Git(repository.template, root / "mirrors")
    return [tuple(tag) for tag in asyncio.run(git.nearest_tags("ann/fix", commit))]


def test_tags_of_earlier_commits_are_found_and_none_of_later_ones(repository, tmp_path):
    repository.commit("Begin")
    repository.git("tag", "v1.0")
    repository.commit("Go on")
    repository.git("tag", "-a", "-m", "docs", "docs-2")
    base = repository.commit("Fix")
    repository.commit("Release")
    repository.git("tag", "v1.1")
    assert tags(repository, base, tmp_path) == [("docs-2", 1), ("v1.0", 2)]


def test_tag_of_a_branch_that_was_not_merged_is_not_found(repository, tmp_path):
    base = repository.commit("Begin")
    repository.branch("stable")
    repository.commit("Release")
    repository.git("tag", "v1.0")
    repository.switch()
    assert tags(repository, base, tmp_path) == []
    assert tags(repository, repository.git("rev-parse", "v1.0"), tmp_path) == [("v1.0", 0)]


def test_tags_are_fetched_again_after_the_branches_were(repository, tmp_path):
    first = repository.commit("Begin")
    assert tags(repository, first, tmp_path) == []
    second = repository.commit("Release")
    repository.git("tag", "v2")
    git = Git(repository.template, tmp_path / "mirrors")

    async def later() -> list[str]:
        await git.history("ann/fix", since=git.started)
        return [tag.name for tag in await git.nearest_tags("ann/fix", second)]

    assert asyncio.run(later()) == ["v2"]


def test_commit_that_the_history_does_not_hold_has_no_tag(repository, tmp_path):
    repository.commit("Begin")
    assert tags(repository, "0" * 40, tmp_path) == []
