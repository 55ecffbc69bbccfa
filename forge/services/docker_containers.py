"""One program in one fresh container, within bounds, and what it left."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container

from forge.effect import Failure
from forge.services.docker_engine import (
    NO_SPACE,
    PROCESS,
    Engine,
    Unanswered,
    process_label,
    remove,
)
from forge.services.docker_files import File, TooLargeError, get, put, unpack

NO_NETWORK = "none"
SHORTEST_NAP, LONGEST_NAP, NAP_SHARE = 0.05, 1.0, 0.1
KILLED = 137


@dataclass(frozen=True)
class Bounds:
    """What a program may use before it is stopped."""

    seconds: float = 600
    memory_bytes: int = 8_000_000_000
    processes: int = 4096
    cpus: float = 2


@dataclass(frozen=True)
class Program:
    """What to run, what it finds, and which files to bring back, by path with largest sizes.

    Each file is a question to the engine of its own, unless it lies in one of the `folders`.
    """

    image: str
    command: tuple[str, ...]
    files: Mapping[str, File] = field(default_factory=dict)
    archives: Mapping[str, Path] = field(default_factory=dict)
    collect: Mapping[str, int] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    network: str = NO_NETWORK
    user: str = "0:0"
    capabilities: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True)
class Ended:
    """How a program ended; files that it did not leave are absent."""

    exit_code: int
    is_timed_out: bool
    seconds: float
    files: dict[str, bytes]


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
    create = partial(engine.client.containers.create, **_options(program))
    creating = asyncio.ensure_future(engine.call(create))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        await engine.call(remove, await creating)
        raise
    except ImageNotFound:
        reason = Failure("infra", "image_gone", f"{program.image} was removed meanwhile")
        raise Unanswered(reason) from None


def _options(program: Program) -> dict[str, Any]:
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
        "init": True,
        "log_config": {"Type": "none"},
        "use_config_proxy": False,  # of the user's Docker: its password would be the container's
    }


async def _finish(engine: Engine, container: Container, program: Program) -> Ended:
    began = time.monotonic()
    await engine.call(container.start)
    state = await _wait(engine, container, began + program.bounds.seconds)
    is_timed_out = bool(state["Running"])
    if is_timed_out:
        await engine.call(_kill, container)
    if state["OOMKilled"]:
        reason = f"more than {program.bounds.memory_bytes} bytes of memory"
        raise Unanswered(Failure("infra", "out_of_memory", reason))
    seconds = round(time.monotonic() - began, 3)
    files = await _collect(engine, container, program)
    code = KILLED if is_timed_out else state["ExitCode"]
    return Ended(code, is_timed_out, seconds, files)


async def _wait(engine: Engine, container: Container, until: float) -> dict[str, Any]:
    # By looking, not by the engine's own wait: that one blocks a thread and cannot be cancelled.
    began = time.monotonic()
    while True:
        state: dict[str, Any] = await engine.call(_state, container)
        if not state["Running"] or time.monotonic() > until:
            return state
        nap = max(SHORTEST_NAP, min(LONGEST_NAP, NAP_SHARE * (time.monotonic() - began)))
        await asyncio.sleep(min(nap, max(0.0, until - time.monotonic())))


def _state(container: Container) -> dict[str, Any]:
    container.reload()
    state: dict[str, Any] = container.attrs["State"]
    return state


def _kill(container: Container) -> None:
    try:
        container.kill()
    except APIError as error:
        if "is not running" not in str(error):
            raise


async def _collect(engine: Engine, container: Container, program: Program) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = dict(program.collect)
    for path in (*program.folders, *program.collect):
        wanted = {p: left.pop(p) for p in [*left] if p == path or p.startswith(f"{path}/")}
        try:
            found |= await engine.call(get, container, path, wanted) if wanted else {}
        except TooLargeError as error:
            raise Unanswered(Failure("environment", "output_too_large", str(error))) from None
    return found


def stop_on_full_disk(log: bytes) -> None:
    """Raise where a program's own words say that the engine's disk is full."""
    if NO_SPACE.encode() in log[-100_000:].lower():
        raise Unanswered(Failure("infra", "disk_full", "no space left on the engine's disk"))
