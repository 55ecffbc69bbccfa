"""Locks resolved and images built from them, by a real engine."""

import asyncio
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from docker import DockerClient
from projects import IMAGE, make_project

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.recipes.drafts import Draft, Wanted
from forge.recipes.lock import failure_of, script, without
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project
from forge.services.docker import Docker, Image
from forge.settings import Settings
from forge.stages.recipes import resolve_lock

MERGED_AT = datetime(2026, 3, 5, 12)
FILES = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling", "hatch-vcs"]
build-backend = "hatchling.build"
[project]
name = "sums"
dynamic = ["version"]
dependencies = ["iniconfig"]
[dependency-groups]
test = ["pytest"]
[tool.hatch.version]
source = "vcs"
[tool.pytest.ini_options]
addopts = "-v --timeout=60"
""",
    "src/sums/__init__.py": "import iniconfig\n",
    "tests/test_sums.py": "import sums\n\ndef test_one():\n    assert sums.iniconfig\n",
}


@pytest.mark.parametrize(
    ("words", "kind", "reason"),
    [
        ("  x No solution found when resolving dependencies:", "environment", "lock_unsatisfiable"),
        ("error: Failed to build `x==1.0`", "environment", "lock_failed"),
        ("error sending request for url (https://example.org)", "infra", "index_unreachable"),
    ],
)
def test_words_of_the_resolver_say_what_kind_of_failure_it_was(words, kind, reason):
    assert failure_of(words.encode()) == Failure(kind, reason, words.strip())


def test_lock_never_holds_the_project_itself():
    assert without("a-b==1\nattrs==2\n", "a-b") == "attrs==2\n"


def draft(base_commit: str) -> Draft:
    wanted = Wanted("ada/sums", base_commit, MERGED_AT, ("tests/test_sums.py",), ("3.11",))
    found = draft_pip(Project(FILES), wanted)
    assert not isinstance(found, Failure)
    return found[0]


async def lock_and_build(settings: Settings, found: Draft) -> tuple[str, Image | Failure]:
    async with Docker.open(settings, Artifacts(settings.root / "artifacts")) as docker:
        answer = await resolve_lock.function(
            docker,
            image=found.recipe.image,
            requirements=found.requirements,
            exclude_newer="2026-03-05T12:00:00Z",
        )
        assert isinstance(answer, dict), answer
        recipe = found.recipe.model_copy(update={"lock": without(answer["lock"], "sums")})
        return answer["lock"], await docker.image(recipe)


def test_lock_is_as_of_the_merge_and_its_image_can_be_built(
    tmp_path: Path, docker_engine: DockerClient
):
    project = make_project(tmp_path, FILES)
    found = draft(project.base_commit)
    settings = Settings(root=tmp_path / "root", git_url=project.git_url)
    lock, image = asyncio.run(lock_and_build(settings, found))
    assert found.recipe.image == IMAGE
    assert "pytest==9.0.2\n" in lock  # 9.0.3 came later
    assert "pytest-timeout==" in lock
    assert isinstance(image, Image), image
    docker_engine.images.remove(image.tag, force=True)


async def lock(settings: Settings, requirements: str) -> object:
    async with Docker.open(settings, Artifacts(settings.root / "artifacts")) as docker:
        return await resolve_lock.function(
            docker, image=IMAGE, requirements=requirements, exclude_newer="2026-03-05T12:00:00Z"
        )


@pytest.mark.usefixtures("docker_engine")
def test_what_no_version_satisfies_is_a_failure_in_the_resolvers_words(tmp_path: Path):
    failure = asyncio.run(lock(Settings(root=tmp_path), "pytest>=9.2\n"))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.reason) == ("environment", "lock_unsatisfiable")
    assert "pytest" in (failure.detail or "")


def test_script_is_pinned_to_the_version_of_its_effect():
    words = sha256(script("2026-03-05").encode()).hexdigest()
    assert (resolve_lock.version, words[:8]) == (4, "13f1d5a4")
