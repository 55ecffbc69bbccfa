"""A small repository and what git mode finds in it; a Docker and what a module runs in it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from dockers import opened_docker
from histories import Repository
from limited import World, opened
from projects import Project

from forge.services.docker import Docker, Image
from forge.services.git import Git, Merge, Sought
from forge.settings import Settings


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"a.py": "one = 1\n"})
    return made


@pytest.fixture
def found(repository: Repository, tmp_path: Path):
    def find(**sought: object) -> Merge:
        git = Git(repository.template, tmp_path / "mirrors")
        return asyncio.run(git.find_merge("ann/fix", Sought(**sought)))

    return find


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def docker(
    docker_engine: DockerClient,  # noqa: ARG001 - skips without it
    project: Project,
    runner: asyncio.Runner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Docker]:
    """The service, with the project that a module brings as its only repository."""
    settings = Settings(root=tmp_path_factory.mktemp("docker"), git_url=project.git_url)
    with opened_docker(settings, runner) as service:
        yield service


@pytest.fixture(scope="module")
def image(docker: Docker, project: Project, runner: asyncio.Runner) -> Image:
    image = runner.run(docker.image(project.recipe()))
    assert isinstance(image, Image), image
    return image


@pytest.fixture(scope="module")
def world(
    docker_engine: DockerClient, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with opened(docker_engine, tmp_path_factory.mktemp("limits"), runner) as world:
        yield world
