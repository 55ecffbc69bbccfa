"""A project whose tests take so many seconds, its image, and its attempts by forge."""

import base64
import gzip
import io
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.eval_script import render
from forge.recipes import Recipe
from forge.services.docker import EXACTLY, Bounds, Docker, EvalOutput
from forge.settings import Settings

IMAGE = "python:3.11-slim-bookworm"
LOCK = "iniconfig==2.1.0\npackaging==25.0\npluggy==1.6.0\npygments==2.19.2\npytest==8.4.2\n"
DEPENDENCIES = """
uv venv -q --python "$(command -v python3)" /opt/venv
uv pip install -q --no-deps -r "$FORGE_LOCK"
"""
PYTEST = "python -m pytest --rootdir=/testbed -o junit_family=xunit1"
TESTS = "tests/test_suite.py"
SUITE = """import time

import pytest


@pytest.mark.parametrize("number", range({tests}))
def test_takes_its_time(number):
    until = time.{clock}() + {seconds}
    while time.{clock}() < until:
        {step}
"""
GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")


@dataclass(frozen=True)
class Suite:
    """One project, built, and the service that runs its tests."""

    docker: Docker
    recipe: Recipe
    image: str

    def bare(self, seconds: float, *, is_busy: bool) -> str:
        """The shell command that writes the same suite and runs it, and nothing else."""
        suite = base64.b64encode(suite_text(seconds, is_busy=is_busy).encode()).decode()
        return (
            f"cd /testbed && echo {suite} | base64 -d >{TESTS} && export FORGE_RESULT=/tmp/result\n"
            f"set -- {TESTS}\n{self.recipe.test}"
        )

    async def attempt(self, seconds: float, *, is_busy: bool, cpus: float) -> EvalOutput:
        """The same suite as `attempts` runs it."""
        script = render(
            self.recipe,
            test_archive=_archive(suite_text(seconds, is_busy=is_busy)),
            removed_test_paths=[],
            targets=[TESTS],
            seconds=600,
        )
        bounds = Bounds(2100, 4_000_000_000, 1024, cpus, 10_000_000_000)
        tested = await self.docker.run_tests(
            self.image, patch="", apply=EXACTLY, eval_script=script, bounds=bounds
        )
        if isinstance(tested, Failure) or {t[1] for t in tested.letters["tests"]} != {"P"}:
            raise click.ClickException(f"the suite did not pass: {tested}")
        return tested


def suite_text(seconds: float, *, is_busy: bool) -> str:
    """Twenty tests that wait, or that compute for so many seconds of a processor."""
    clock, step = (
        ("process_time", "sum(range(1000))") if is_busy else ("monotonic", "time.sleep(0.01)")
    )
    return SUITE.format(tests=20, seconds=seconds / 20, clock=clock, step=step)


@asynccontextmanager
async def built(workers: int) -> AsyncIterator[Suite]:
    """The suite's project in an image, which goes when the benchmark is over."""
    with tempfile.TemporaryDirectory(prefix="forge-suite-") as folder:
        commit = _repository(Path(folder) / "ada" / "suite")
        chosen = {"root": Path(folder), "git_url": f"{folder}/{{owner}}/{{repo}}"}
        settings = Settings().model_copy(update=chosen | {"workers": workers})
        async with Docker.open(settings, Artifacts(Path(folder) / "artifacts")) as docker:
            recipe = _recipe(commit)
            image = await docker.image(recipe)
            if isinstance(image, Failure):
                raise click.ClickException(f"{image.reason}: {image.detail}")
            yield Suite(docker, recipe, image.tag)
            docker.engine.client.images.remove(image.tag)


def _recipe(commit: str) -> Recipe:
    return Recipe(
        language="python",
        repo="ada/suite",
        base_commit=commit,
        image=IMAGE,
        lock=LOCK,
        dependencies=DEPENDENCIES,
        probe=f"{PYTEST} --collect-only -q | grep ::",
        test=f'{PYTEST} --junitxml="$FORGE_RESULT" "$@"',
        results="junit",
    )


def _repository(folder: Path) -> str:
    (folder / TESTS).parent.mkdir(parents=True)
    (folder / TESTS).write_text("def test_old(): ...\n", encoding="utf-8")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True)
    head = [*GIT, "rev-parse", "HEAD"]
    return subprocess.run(head, cwd=folder, check=True, capture_output=True, text=True).stdout[:40]


def _archive(suite: str) -> str:
    packed, content = io.BytesIO(), suite.encode()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo(TESTS)
        member.size, member.mode = len(content), 0o644
        tar.addfile(member, io.BytesIO(content))
    return base64.b64encode(gzip.compress(packed.getvalue(), mtime=0)).decode()
