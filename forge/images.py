"""The image of a task: found on this machine, pulled from its registry, or built from its recipe.

A row may come from a stranger. Where it names a registry, the engine asks that one; where it holds
a recipe, its shell runs in a container of bounds with the network of `FORGE_BUILD_NETWORK`.
"""

import re
from typing import Literal, NamedTuple

from docker.models.images import Image as DockerImage
from pydantic import ValidationError

from forge.effect import Failure
from forge.exported import REFERENCE, Task
from forge.languages import languages
from forge.recipes import Recipe
from forge.rules.identity import is_repository
from forge.services.docker import Docker
from forge.services.docker_engine import Unanswered
from forge.services.docker_registry import pull

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class TaskImage(NamedTuple):
    """An image on this machine: its digest is also the name by which an engine starts it."""

    digest: str
    source: Literal["found", "pulled", "built"]
    tags: tuple[str, ...] = ()
    """Of what was built for it."""


async def image_of(docker: Docker, task: Task) -> TaskImage | Failure:
    """The image in which a task's tests run."""
    try:
        if found := await _found(docker, task):
            return TaskImage(str(found.id), "found")
        if is_pullable(task.image):
            return TaskImage(str((await pull(docker.engine, task.image)).id), "pulled")
        missing = Failure("infra", "image_gone", f"the image {task.image} is gone")
    except Unanswered as stopped:
        missing = stopped.failure
    return await _built(docker, task.recipe) if task.recipe else missing


async def _found(docker: Docker, task: Task) -> DockerImage | None:
    # By its content first: another build of the recipe may have taken its name.
    exact = task.image_digest and await docker.engine.find_image(task.image_digest)
    return exact or await docker.engine.find_image(task.image)


def is_pullable(reference: str) -> bool:
    """Whether a name says where its image is, or what it holds; others are names of a machine.

    >>> is_pullable("sweforge/ada__sums:1"), is_pullable("registry.example.org/sums:1")
    (False, True)
    >>> is_pullable("localhost/sums"), is_pullable("ada/sums@sha256:" + 64 * "0")
    (True, True)
    """
    host, slash, _ = reference.partition("/")
    is_host = bool(slash) and (host == "localhost" or "." in host or ":" in host)
    return is_host or "@" in reference


async def _built(docker: Docker, text: str) -> TaskImage | Failure:
    try:
        recipe = Recipe.model_validate_json(text)
    except ValidationError as error:
        return Failure("data", "recipe_unreadable", str(error))
    if problem := _problem(recipe):
        return Failure("data", "recipe_unreadable", problem)
    image = await docker.image(recipe)
    if isinstance(image, Failure):
        return image
    return TaskImage(image.digest, "built", (image.tag, image.base.tag))


def _problem(recipe: Recipe) -> str | None:
    """What of a recipe would reach more than a container, and must not."""
    if recipe.language not in languages():
        return f"forge knows no language {recipe.language!r}"
    if not is_repository(recipe.repo):
        return f"no owner/name: {recipe.repo!r}"
    if not REFERENCE.fullmatch(recipe.image):
        return f"{recipe.image!r} names no image"
    return None if COMMIT.fullmatch(recipe.base_commit) else f"no commit: {recipe.base_commit!r}"
