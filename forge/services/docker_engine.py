"""The Docker engine: calls in threads, what is ours by label, and what its errors mean."""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.models.images import Image as DockerImage

from forge.effect import Failure
from forge.errors import EngineError
from forge.processes import is_dead
from forge.services.docker_admission import Admission

KIND = "forge"
"""Label of our images: toolchain, dependencies or task."""
PROCESS = "forge.process"
"""Label of our containers: host, pid and start of the process that made them.

Images have it empty, so that what others start from them is not taken for ours."""
CREATED, OWN_BYTES, BASE = "forge.created", "forge.bytes", "forge.base"
CALL_SECONDS = 120
AHEAD = 2
"""Slots for each worker: one container runs, another is made ready or removed."""
NO_SPACE = "no space left on device"

P = ParamSpec("P")
T = TypeVar("T")


class Unanswered(Exception):  # noqa: N818 - it is a failure, not an error
    """A question to Docker that has no answer, as the failure an effect returns."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.reason}: {failure.detail}")
        self.failure = failure


class Engine:
    """One connection, shared by all workers.

    Containers that wait to run, or were run and are read, need a slot; those that run, a place that
    `admission` gives: while some are made ready, read and removed, others keep the machine busy.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.slots = asyncio.Semaphore(AHEAD * workers)
        self._threads = ThreadPoolExecutor((AHEAD + 1) * workers + 2, "docker")
        self.believed: set[int] = set()
        """Questions whose answers are their own doing, by their hash: they were asked alone."""
        self._admission: Admission | None = None
        self._client: docker.DockerClient | None = None

    @property
    def client(self) -> docker.DockerClient:
        """The connected SDK."""
        if self._client is None:
            raise EngineError("the Docker service was not opened")
        return self._client

    @property
    def admission(self) -> Admission:
        """Who may run now, on the engine's machine."""
        if self._admission is None:
            raise EngineError("the Docker service was not opened")
        return self._admission

    async def connect(self) -> None:
        """Connect, and take away what killed processes left."""
        try:
            self._client = await asyncio.to_thread(docker.from_env, timeout=CALL_SECONDS)
            told = await asyncio.to_thread(self._client.info)
        except (DockerException, OSError) as error:
            raise no_engine(error) from None
        self._admission = Admission(self.workers, int(told["MemTotal"]))
        await self.call(remove_leftovers, self._client)

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)
        self._threads.shutdown(wait=False)

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the SDK in a thread, and say what its errors mean."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        except APIError as error:
            if NO_SPACE in str(error).lower():
                raise Unanswered(Failure("infra", "disk_full", str(error))) from None
            raise
        except requests.exceptions.RequestException as error:
            raise await self._lost(error) from None

    async def _lost(self, error: Exception) -> Exception:
        try:
            await asyncio.to_thread(self.client.ping)
        except (DockerException, OSError) as silence:
            return no_engine(silence)
        return Unanswered(Failure("infra", "engine_call_failed", str(error)))

    async def find_image(self, tag: str) -> DockerImage | None:
        """The local image of that name."""
        try:
            return await self.call(self.client.images.get, tag)
        except ImageNotFound:
            return None


def no_engine(error: Exception) -> EngineError:
    """What to tell somebody whose Docker does not answer."""
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return EngineError(
        f"no Docker engine answers at {address}: {_innermost(error)}\n"
        "start Docker, or let DOCKER_HOST name an engine that you may use; "
        "what was answered before is kept"
    )


def _innermost(error: BaseException) -> str:
    cause = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause)


def remove_leftovers(client: docker.DockerClient) -> None:
    """Remove containers whose process is dead, never those of another live one."""
    for container in our_containers(client):
        if is_dead(container.labels[PROCESS]):
            remove(container)


def our_containers(client: docker.DockerClient) -> Iterator[Container]:
    """Every container that a forge process made."""
    found = client.containers.list(all=True, filters={"label": PROCESS}, ignore_removed=True)
    return (container for container in found if container.labels.get(PROCESS))


def remove(container: Container) -> None:
    """Remove a container, running or not, unless somebody else just did."""
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if "already in progress" not in str(error):
            raise
