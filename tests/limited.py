"""A Docker whose containers may use little, for programs that take all that they can get."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
from dockers import opened_docker
from projects import Project, archive_of, make_project

from forge.effect import Failure
from forge.eval_script import render
from forge.recipes import Recipe
from forge.services.docker import EXACTLY, Bounds, Docker, EvalOutput, Image, Ran
from forge.settings import Settings

SECONDS, AT_ONCE = 8, 8
OVERTIME = 60
"""Seconds that an engine may need beside a limit to start, to kill and to remove, when busy."""
LITTLE = {
    "build_seconds": 2 * SECONDS,
    "container_memory_bytes": 300_000_000,
    "container_disk_bytes": 100_000_000,
}
BOUNDS = Bounds(OVERTIME, memory_bytes=80_000_000, processes=64, cpus=1, disk_bytes=100_000_000)
SHORT = replace(BOUNDS, seconds=SECONDS)
TESTS = "tests/test_sums.py"
HIDDEN = "def test_add():\n    assert 1 + 1 == 2\n"
PASSES = """echo '<testsuite><testcase classname="tests.test_sums" name="test_add"/></testsuite>' \
>"$FORGE_RESULT" """


@dataclass(frozen=True)
class Answer:
    """What became of a question, and how long it took."""

    value: Any
    seconds: float


class World:
    """A Docker whose containers may use little."""

    def __init__(self, docker: Docker, project: Project, image: str) -> None:
        self.docker, self.project, self.image = docker, project, image
        self.slots = asyncio.Semaphore(AT_ONCE)

    def recipe(self, **changes: str) -> Recipe:
        return self.project.recipe(**{"install": "true"} | changes)

    def script(self, test: str) -> str:
        return render(
            self.recipe(test=test),
            test_archive=archive_of({TESTS: HIDDEN}),
            removed_test_paths=[],
            targets=[TESTS],
            seconds=600,
        )

    async def build(self, install: str) -> Image | Failure:
        return await self.docker.image(self.recipe(install=install))

    async def probe(self, script: str) -> Ran | Failure:
        return await self.docker.probe(self.recipe(probe=script), self.image)

    async def tests(self, test: str, bounds: Bounds) -> EvalOutput | Failure:
        script = self.script(test)
        return await self.docker.run_tests(
            self.image, patch="", apply=EXACTLY, eval_script=script, bounds=bounds
        )

    async def timed(self, question: Awaitable[Any]) -> Answer:
        async with self.slots:
            began = time.monotonic()
            return Answer(await question, time.monotonic() - began)


@contextmanager
def opened(engine: docker.DockerClient, folder: Path, runner: asyncio.Runner) -> Iterator[World]:
    """The world, whose images go when it does."""
    # What tests of another process make must have another name, also in the same second.
    project = make_project(folder, {TESTS: HIDDEN, "folder": str(folder)})
    settings = Settings(root=folder, git_url=project.git_url, workers=AT_ONCE)
    little = settings.model_copy(update=LITTLE)
    with opened_docker(settings, runner) as wide, opened_docker(little, runner) as narrow:
        image = runner.run(wide.image(project.recipe(install="true")))
        assert isinstance(image, Image), image
        yield World(narrow, project, image.tag)
    for tag in wide.images.used | narrow.images.used:
        if engine.images.list(tag):
            engine.images.remove(tag)
