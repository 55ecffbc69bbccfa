"""The demo world, made and served once per test process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from forge.demo import make_world, serve_world
from forge.demo.history import Shas, write_repository
from forge.demo.world import Repository, world


@pytest.fixture(scope="session")
def repositories() -> dict[str, Repository]:
    return {repository.repo: repository for repository in world()}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def served(made: Path) -> Iterator[dict[str, str | Path]]:
    with serve_world(made.parent) as settings:
        yield settings


@pytest.fixture(scope="session")
def shas(
    repositories: dict[str, Repository], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[int, Shas]]:
    folder = tmp_path_factory.mktemp("git")
    return {r.repo: write_repository(r, folder / r.repo) for r in repositories.values()}
