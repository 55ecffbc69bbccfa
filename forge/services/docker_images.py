"""Images: found by their tag, or built in a container of bounds and made from what it left.

Not by Dockerfile: a container can be killed at once, is bounded in memory and processes, leaves no
image behind when it fails, and gives its whole log as a file.
"""

import asyncio
import contextlib
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.models.images import Image as DockerImage

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.recipes import Recipe
from forge.services import docker_scripts as scripts
from forge.services import docker_tiers as tiers
from forge.services.docker_containers import LAST_CHARACTERS, Ended, Program, ended, stop_on_limit
from forge.services.docker_engine import (
    BASE,
    CREATED,
    KIND,
    OWN_BYTES,
    PROCESS,
    Engine,
    Unanswered,
)
from forge.services.docker_files import File
from forge.services.docker_limits import Bounds, written_bytes
from forge.services.docker_proxies import Relays
from forge.services.docker_registry import pull
from forge.services.docker_room import our_images, surplus
from forge.services.docker_tiers import Work
from forge.services.git import Failed, Git
from forge.settings import Settings

LOG_BYTES = 50_000_000
LOG, SECONDS = "forge.log", "forge.seconds"
"""Labels: the artifact of what a build printed, and how long it took."""
BASE_DIGEST, BASE_BYTES = "forge.base_digest", "forge.base_bytes"
BOUNDED = {"packages", "dependencies", "task"}
LAST_LINES = 20
ROOT = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETFCAP")
NETWORK_DOWN = re.compile(
    r"Temporary failure (in name resolution|resolving)|Could not resolve host|dns error"
    r"|Connection (refused|reset|timed out)|Read timed out|ConnectTimeout|Network is unreachable"
    r"|50[234] (Bad Gateway|Service|Gateway)"
)


class Base(NamedTuple):
    """The image that another stands on, as it was then."""

    tag: str
    digest: str
    bytes: int


@dataclass(frozen=True)
class Image:
    """A task's image; `log` names the artifact of its build, where it is held."""

    tag: str
    digest: str
    bytes: int
    own_bytes: int
    base: Base
    log: str | None
    seconds: float


class Images:
    """Builds what is not there, one build of a tag at a time."""

    def __init__(
        self, engine: Engine, settings: Settings, artifacts: Artifacts, git: Git, relays: Relays
    ) -> None:
        self.engine, self.settings, self.artifacts, self.git = engine, settings, artifacts, git
        self.relays = relays
        self.bounds = bounds_of(settings)
        self.used: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refused: dict[str, Failure] = {}

    async def toolchain(self, base: str) -> str:
        """The tag of a toolchain image with our tools in it."""
        work = tiers.toolchain(base)
        await self._have(work)
        return work.tag

    async def task(self, recipe: Recipe) -> Image:
        """The image in which a recipe's tests run."""
        tag = tiers.tag_of(recipe)
        self.used.add(tag)
        async with self._locks[tag]:
            found = await self.engine.find_image(tag)
            if found is None:
                found = await self._made(tiers.task(recipe, await self._commit(recipe)))
        return self._described(tag, found)

    async def _have(self, work: Work | str) -> DockerImage:
        """The image that is there, or comes from a registry, or is built after all below it."""
        if isinstance(work, str):
            return await self.engine.find_image(work) or await pull(self.engine, work)
        self.used.add(work.tag)
        async with self._locks[work.tag]:
            if refused := self._refused.get(work.tag):
                raise Unanswered(refused)
            return await self.engine.find_image(work.tag) or await self._made(work)

    async def _made(self, work: Work) -> DockerImage:
        await self._have(work.base)
        try:
            return await self._build(work)
        except Unanswered as stopped:
            # Of all who share it the first has tried it for the others.
            if stopped.failure.kind == "environment":
                self._refused[work.tag] = stopped.failure
            raise

    async def _commit(self, recipe: Recipe) -> Path:
        try:
            return await self.git.commit_archive(recipe.repo, recipe.base_commit)
        except Failed as failed:
            raise Unanswered(failed.failure) from None

    async def _build(self, work: Work) -> DockerImage:
        async with self.engine.slots:
            await self._make_room()
            program = self._program(work, await self.relays.environment())
            async with ended(self.engine, program) as (container, end):
                log = self.artifacts.put(end.files.get(scripts.LOG, b""))
                if end.limit or end.exit_code != 0 or scripts.STEP in end.files:
                    raise Unanswered(failure_of(end, log, self.bounds))
                # Another process may have built it meanwhile: a second image would lose its name.
                image = await self.engine.find_image(work.tag)
                if image is None:
                    built = {LOG: log, SECONDS: str(end.seconds)}
                    image = await self._committed(container, work, built)
        return image

    async def _committed(
        self, container: Container, work: Work, built: dict[str, str]
    ) -> DockerImage:
        base = await self.engine.call(self.engine.client.images.get, str(container.attrs["Image"]))
        built |= {
            BASE: work.base_tag,
            BASE_DIGEST: str(base.id),
            BASE_BYTES: str(base.attrs["Size"]),
        }
        return await self.engine.call(partial(_commit, container, work, built))

    def _described(self, tag: str, image: DockerImage) -> Image:
        # By the image itself: who built it may have died before it was told.
        told = image.labels
        log = told.get(LOG)
        return Image(
            tag=tag,
            digest=str(image.id),
            bytes=int(image.attrs["Size"]),
            own_bytes=int(told[OWN_BYTES]),
            base=Base(told[BASE], told[BASE_DIGEST], int(told[BASE_BYTES])),
            log=log if log is not None and self.artifacts.holds(log) else None,
            seconds=float(told.get(SECONDS, 0)),
        )

    def _program(self, work: Work, proxies: dict[str, str]) -> Program:
        files = {f"{scripts.FOLDER}/{name}": content for name, content in work.files.items()}
        files[f"{scripts.FOLDER}/build.sh"] = work.script.encode()
        files |= scripts.network_files(proxies, self.settings.build_ca_bundle)
        return Program(
            image=work.base_tag,
            command=("/bin/bash", f"{scripts.FOLDER}/build.sh"),
            files={path: File(content) for path, content in files.items()},
            archives=work.archives,
            collect={scripts.LOG: LOG_BYTES, scripts.STEP: 1000},
            network=self.settings.build_network,
            capabilities=ROOT,
            bounds=self.bounds,
        )

    async def _make_room(self) -> None:
        held = await self.engine.call(our_images, self.engine.client)
        bounded = [image for image in held if image.kind in BOUNDED]
        for image in surplus(bounded, self.settings.disk, self.used):
            await self.engine.call(_remove_image, self.engine.client, image.tag)


def bounds_of(settings: Settings) -> Bounds:
    """What one container may use that builds, probes or grades."""
    return Bounds(
        seconds=settings.build_seconds,
        memory_bytes=settings.container_memory_bytes,
        disk_bytes=settings.container_disk_bytes,
    )


def failure_of(end: Ended, log: str, bounds: Bounds) -> Failure:
    """Why a build failed: by the step that failed, unless a limit, network or space ran out."""
    words = end.files.get(scripts.LOG, b"").decode(errors="replace")
    detail = f"{_last_lines(words)}\nfull log: {log}"
    stop_on_limit(end, end.files.get(scripts.LOG, b""), bounds, detail)
    if NETWORK_DOWN.search(words[-5000:]):
        return Failure("infra", "network_failed", detail)
    step = end.files.get(scripts.STEP, b"").decode().strip()
    if step in {"system_packages", "dependencies", "install"}:
        return Failure("environment", f"{step}_failed", detail)
    return Failure("infra", f"{step or 'build'}_failed", detail)


def _last_lines(words: str) -> str:
    return "\n".join(words.splitlines()[-LAST_LINES:])[-LAST_CHARACTERS:]


def _commit(container: Container, work: Work, built: dict[str, str]) -> DockerImage:
    container.reload()
    config: dict[str, Any] = {
        "Labels": {
            KIND: work.kind,
            CREATED: datetime.now(UTC).isoformat(),
            OWN_BYTES: str(written_bytes(container)),
            PROCESS: "",
            **built,
        },
        "Env": [f"{name}={value}" for name, value in _environment(container, work).items()],
        "Cmd": ["/bin/bash"],
        "User": "root",
        "StopSignal": "SIGKILL",  # harnesses stop it gently, and nothing in it is worth saving
        "WorkingDir": "/testbed",
    }
    name, _, tag = work.tag.partition(":")
    return container.commit(repository=name, tag=tag, conf=config)


def _environment(container: Container, work: Work) -> dict[str, str]:
    if work.kind != "task":
        return {}
    inherited = dict(text.split("=", 1) for text in container.attrs["Config"]["Env"] or [])
    path = inherited.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    return {"PATH": f"{scripts.VENV}/bin:{path}", **work.environment}


def _remove_image(client: DockerClient, tag: str) -> None:
    with contextlib.suppress(APIError):  # a container of somebody uses it, or it is gone already
        client.images.remove(tag)
