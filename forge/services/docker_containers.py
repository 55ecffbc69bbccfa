"""One program in one fresh container, within bounds, and what it left."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound
from docker.models.containers import Container
from docker.types import Ulimit

from forge.effect import Failure
from forge.processes import process_label
from forge.services.docker_admission import Need
from forge.services.docker_engine import (
    NO_SPACE,
    PROCESS,
    Engine,
    Unanswered,
    remove,
)
from forge.services.docker_files import File, TooLargeError, get, put, unpack
from forge.services.docker_limits import Bounds, limit_in, state, watched

NO_NETWORK = "none"
LAST_CHARACTERS = 2000
FIRST_VICTIM = 1000
"""Where a machine has no memory left, its kernel kills what runs in containers first."""


@dataclass(frozen=True)
class Program:
    """What to run, what it finds, and which files to bring back, by path with largest sizes.

    Each file is a question to the engine of its own, unless it lies in one of the `folders`; some
    are worth it only where a limit ended the program.
    """

    image: str
    command: tuple[str, ...]
    files: Mapping[str, File] = field(default_factory=dict)
    archives: Mapping[str, Path] = field(default_factory=dict)
    collect: Mapping[str, int] = field(default_factory=dict)
    collect_at_limit: Mapping[str, int] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    network: str = NO_NETWORK
    user: str = "0:0"
    capabilities: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    is_alone: bool = False

    @property
    def need(self) -> Need:
        """What it needs of the machine."""
        return Need(self.image, self.bounds.memory_bytes, is_alone=self.is_alone)


@dataclass(frozen=True)
class Ended:
    """How a program ended, or the limit that ended it; files that it did not leave are absent.

    `had_company`: other programs of this process ran beside it.
    """

    exit_code: int
    limit: Failure | None
    seconds: float
    files: dict[str, bytes]
    had_company: bool


@asynccontextmanager
async def ended(engine: Engine, program: Program) -> AsyncIterator[tuple[Container, Ended]]:
    """The container of a program after its end, and what it left; the container is then removed.

    Nothing of it stays behind, also when the waiting task is cancelled: then the program is killed.
    """
    container = await _create(engine, program)
    try:
        await engine.call(put, container, program.files)
        for folder, archive in program.archives.items():
            await engine.call(unpack, container, folder, archive)
        yield container, await _finish(engine, container, program)
    finally:
        await asyncio.shield(engine.call(remove, container))


async def _create(engine: Engine, program: Program) -> Container:
    create = partial(engine.client.containers.create, **options(program))
    creating = asyncio.ensure_future(engine.call(create))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        await engine.call(remove, await creating)
        raise
    except ImageNotFound:
        reason = Failure("infra", "image_gone", f"{program.image} was removed meanwhile")
        raise Unanswered(reason) from None


def options(program: Program) -> dict[str, Any]:
    """What an engine is told of a program: its bounds, and that it has no right."""
    bounds = program.bounds
    return {
        "image": program.image,
        "command": list(program.command),
        "entrypoint": [],
        "user": program.user,
        "labels": {PROCESS: process_label()},
        "network_mode": program.network,
        "cap_drop": ["ALL"],
        "cap_add": list(program.capabilities),
        "security_opt": ["no-new-privileges"],
        "mem_limit": bounds.memory_bytes,
        "memswap_limit": bounds.memory_bytes,
        "nano_cpus": int(bounds.cpus * 1e9),
        "pids_limit": bounds.processes,
        "ulimits": [_ulimit("fsize", bounds.disk_bytes), _ulimit("core", 0)],
        "oom_score_adj": FIRST_VICTIM,
        "ipc_mode": "private",
        "init": True,
        "log_config": {"Type": "none"},
        "use_config_proxy": False,  # of the user's Docker: its password would be the container's
    }


def _ulimit(name: str, most: int) -> Ulimit:
    return Ulimit(name=name, soft=most, hard=most)


async def _finish(engine: Engine, container: Container, program: Program) -> Ended:
    async with engine.admission.admitted(program.need) as stay:
        began = time.monotonic()
        await engine.call(container.start)
        limit = await watched(engine, container, program.bounds)
        seconds = round(time.monotonic() - began, 3)
    files = await _collect(engine, container, program, limit)
    return Ended(state(container)["ExitCode"], limit, seconds, files, stay.had_company)


async def _collect(
    engine: Engine, container: Container, program: Program, limit: Failure | None
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = {**program.collect, **(program.collect_at_limit if limit else {})}
    for path in (*program.folders, *left):
        wanted = {p: left.pop(p) for p in [*left] if p == path or p.startswith(f"{path}/")}
        try:
            found |= await engine.call(get, container, path, wanted) if wanted else {}
        except TooLargeError as error:
            if limit is None:  # else that is what there is to say
                raise Unanswered(Failure("environment", "output_limit", str(error))) from None
    return found


def stop_on_limit(end: Ended, log: bytes, bounds: Bounds, told: str | None = None) -> None:
    """Raise where a limit or a full disk ended a program, with its last words or what is told."""
    limit = end.limit or (limit_in(log, bounds) if end.exit_code else None)
    if limit:
        words = log.decode(errors="replace")[-LAST_CHARACTERS:] if told is None else told
        raise Unanswered(replace(limit, detail=f"{limit.detail}\n{words}"))
    if end.exit_code and NO_SPACE.encode() in log[-100_000:].lower():
        words = "no space left on the engine's disk, or in the small /dev/shm of a container"
        raise Unanswered(Failure("infra", "disk_full", words))
