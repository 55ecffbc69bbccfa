"""Images of tasks on their way to others: what they are called there, and pushed to a registry."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import polars as pl
from docker.models.images import Image as DockerImage

from forge.artifacts import Artifacts
from forge.ask import Progress
from forge.effect import Failure
from forge.errors import ServiceError, UsageError
from forge.exported import HOST, PARSERS, PART, Task, rows_of, task_of
from forge.images import image_of
from forge.services.docker import Docker
from forge.services.docker_engine import Unanswered
from forge.services.docker_registry import digest_there, push
from forge.services.docker_room import OURS
from forge.settings import Settings

REGISTRY = re.compile(rf"(?P<host>{HOST})(?:/{PART})*")
TAG_DIGITS = 32
SHIPPED = {"image": pl.String, "shipped": pl.String, "digest": pl.String, "is_same": pl.Boolean}
REMEDIES = {
    "login_refused": "`docker login {host}` with an account that may push there, and export again",
    "registry_without_tls": "name {host} among the engine's insecure-registries, or give it TLS",
    "disk_full": "free some space where the registry and the engine keep images, and export again",
}
REMEDY = "see whether {host} is up and can be reached from the engine, and export again"


class Shipped(NamedTuple):
    """A task's image: its name in the table, its name for others, and its content's digest."""

    image: str
    shipped: str
    digest: str
    is_as_verified: bool


def check_registry(place: str) -> None:
    """UsageError for what cannot be a REGISTRY[/prefix]."""
    found = REGISTRY.fullmatch(place)
    if found is None or not ({".", ":"} & set(found["host"]) or found["host"] == "localhost"):
        raise UsageError(
            "a registry is a host, and may have a prefix in lower case\n"
            "such as registry.example.org/team; who may push is told by `docker login`"
        )


def named_for(place: str, image: str, digest: str) -> str:
    """What an image is called in a registry: its tag names its content, so that it never moves.

    >>> named_for("localhost:5000/team", "sweforge/ada__sums:c0ffee", "sha256:" + 64 * "a")
    'localhost:5000/team/ada__sums:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    """
    name = image.removeprefix(OURS).partition("@")[0].rpartition("/")[2].partition(":")[0]
    return f"{place}/{name}:{digest.removeprefix('sha256:')[:TAG_DIGITS]}"


def shipped_in(tasks: pl.LazyFrame, shipped: Iterable[Shipped]) -> pl.LazyFrame:
    """The tasks, with the names and digests under which others find their images."""
    names = pl.LazyFrame([*shipped], schema=SHIPPED, orient="row")
    joined = tasks.join(names, on="image", how="left", maintain_order="left")
    there = {"image": pl.col("shipped"), "image_digest": pl.col("digest")}
    return joined.with_columns(**there).drop(*[*SHIPPED][1:])


def pushed(tasks: pl.LazyFrame, place: str, settings: Settings, tell: Progress) -> list[Shipped]:
    """Push the tasks' images to a registry; each is then named by the digest that it has there."""
    check_registry(place)
    return asyncio.run(_pushed(wanted_of(tasks), place, settings, tell))


async def _pushed(
    wanted: list[Task], place: str, settings: Settings, tell: Progress
) -> list[Shipped]:
    found = []
    async with opened(settings) as docker:
        for done, task in enumerate(wanted, 1):
            digest = str((await image_here(docker, task)).id)
            reference = named_for(place, task.image, digest)
            try:
                there = await digest_there(docker.engine, reference)
                there = there or await push(docker.engine, digest, reference)
            except Unanswered as stopped:
                raise _not_pushed(task.image, place, stopped.failure) from None
            found.append(shipped_as(task, f"{reference.rpartition(':')[0]}@{there}", digest))
            tell("push", done, len(wanted))
    return found


def shipped_as(task: Task, name: str, digest: str) -> Shipped:
    """What became of a task's image, whose name for others this is."""
    return Shipped(task.image, name, digest, task.image_digest in {None, digest})


def _not_pushed(image: str, place: str, failure: Failure) -> ServiceError:
    host = place.partition("/")[0]
    remedy = REMEDIES.get(failure.reason, REMEDY).format(host=host)
    return ServiceError(
        f"{image} could not be pushed to {host}: {failure.detail}\n"
        f"{remedy}: what is there is not pushed again"
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Docker]:
    """The engine, with logs of builds where a root keeps them."""
    async with Docker.open(settings, Artifacts(settings.memo_folder / "artifacts")) as docker:
        yield docker


def wanted_of(tasks: pl.LazyFrame) -> list[Task]:
    """One task of each image, in order."""
    told = ["instance_id", "image", "image_digest", "recipe"]
    # What is not needed is large: scripts and patches of all tasks.
    blank = {"eval_script": "-", "log_parser": PARSERS[0], "fail_to_pass": [], "pass_to_pass": []}
    rows = tasks.select(told).unique("image", keep="first", maintain_order=True)
    return [task_of(row | blank, where) for where, row in rows_of(rows, "the table tasks")]


async def image_here(docker: Docker, task: Task) -> DockerImage:
    """The image of a task, made again where it is gone; ServiceError where it cannot be."""
    image = await image_of(docker, task)
    found = None if isinstance(image, Failure) else await docker.engine.find_image(image.digest)
    if found is None:
        why = f"{image.reason}: {image.detail}" if isinstance(image, Failure) else "it was removed"
        raise ServiceError(
            f"{task.image}, the image of {task.instance_id}, cannot be had: {why}\n"
            "build the month again, or mend what stopped it"
        )
    return found
