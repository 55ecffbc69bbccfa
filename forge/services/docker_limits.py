"""What a program may use, and what ends it when it uses more: watched from outside the container.

From outside, because whoever runs inside may be root there. Memory, processors, processes and the
size of one file are held by the kernel; time and the room on the engine's disk by looking.
"""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError
from docker.models.containers import Container
from requests.exceptions import RequestException

from forge.effect import Failure
from forge.services.docker_engine import Engine

SHORTEST_WAIT, LOOK_SECONDS = 0.05, 1.0
FILE_BYTES = 16_384
"""What a file takes beside its content: ext4 has one inode for so many bytes of disk."""
FILE_SECONDS = 1e-6
"""An engine that measures a container needs more than this for each of its files."""
CHANGE = b'"Kind":'
REFUSED = "=== processes that were refused: "
TOO_LARGE = re.compile(r"(Errno 27\] |: )File too large|File size limit exceeded")
WORDS_BYTES = 100_000


@dataclass(frozen=True)
class Bounds:
    """What a program may use before it is stopped."""

    seconds: float = 600
    memory_bytes: int = 8_000_000_000
    processes: int = 4096
    cpus: float = 2
    disk_bytes: int = 20_000_000_000

    def passed(self, limit: str) -> Failure:
        """The failure that names a limit: time, memory, process or disk."""
        return Failure("infra", f"{limit}_limit", self._words[limit])

    @property
    def _words(self) -> dict[str, str]:
        return {
            "time": f"it ran longer than {self.seconds:g} seconds",
            "memory": f"it needed more than {self.memory_bytes:,} bytes of memory",
            "process": f"it started more than {self.processes:,} processes and threads",
            "disk": f"it wrote more than {self.disk_bytes:,} bytes to disk, "
            f"{FILE_BYTES:,} counted for each file beside its content",
        }


async def watched(engine: Engine, container: Container, bounds: Bounds) -> Failure | None:
    """Wait for a program's end; the limit that it passed, where it did, and then it is killed."""
    until, pause = time.monotonic() + bounds.seconds, LOOK_SECONDS
    while True:
        left = until - time.monotonic()
        await engine.call(_wait, container, max(SHORTEST_WAIT, min(pause, left)))
        looked = time.monotonic()
        limit = await engine.call(_limit_while_running, container, bounds)
        now = time.monotonic()
        if limit is None and is_running(container) and now > until:
            limit = bounds.passed("time")
        if limit or not is_running(container):
            return await engine.call(_limit_at_the_end, container, bounds, limit)
        pause = max(LOOK_SECONDS, now - looked)  # looking takes half of an engine's time at most


def _wait(container: Container, seconds: float) -> None:
    # For its end, but not long: it blocks a thread, and limits are to be looked at. An engine that
    # is gone is told by the look that follows.
    with suppress(RequestException):
        container.wait(timeout=seconds)


def is_running(container: Container) -> bool:
    """Whether it ran when it was last looked at."""
    return bool(state(container)["Running"])


def state(container: Container) -> dict[str, Any]:
    """What the engine said of it when it was last looked at."""
    found: dict[str, Any] = container.attrs["State"]
    return found


def _limit_while_running(container: Container, bounds: Bounds) -> Failure | None:
    container.reload()
    if not is_running(container):
        return None
    if _processes(container) >= bounds.processes:
        return bounds.passed("process")
    return bounds.passed("disk") if _fills_disk(container, bounds.disk_bytes) else None


def _limit_at_the_end(
    container: Container, bounds: Bounds, limit: Failure | None
) -> Failure | None:
    if is_running(container):
        _kill(container)
        container.reload()
    if state(container)["OOMKilled"]:
        return bounds.passed("memory")
    if limit is None and _fills_disk(container, bounds.disk_bytes):
        return bounds.passed("disk")
    return limit


def _kill(container: Container) -> None:
    try:
        container.kill()
    except APIError as error:
        if "is not running" not in str(error):
            raise


def _processes(container: Container) -> int:
    """Processes and threads; not by the engine's statistics, which it gathers once a second."""
    try:
        return len(container.top(ps_args="-eLo pid")["Processes"] or ())
    except APIError:  # it ended meanwhile, or the engine cannot list: the kernel holds the limit
        return 0


def _fills_disk(container: Container, most: int) -> bool:
    began = time.monotonic()
    written = written_bytes(container)
    could_be = int((time.monotonic() - began) / FILE_SECONDS)
    # Counting takes an engine long: it is done only where there can be that many files.
    if written <= most < written + FILE_BYTES * could_be:
        written += FILE_BYTES * _files(container, (most - written) // FILE_BYTES + 1)
    return written > most


def written_bytes(container: Container) -> int:
    """The sizes of all files that were written in a container beside those of its image."""
    api = container.client.api  # type: ignore[union-attr]
    found = api.containers(all=True, size=True, filters={"id": container.id})
    return sum(int(one.get("SizeRw") or 0) for one in found)


def _files(container: Container, enough: int) -> int:
    """How many files were written or removed; the count ends when there are enough."""
    api = container.client.api  # type: ignore[union-attr]
    url = f"{api.base_url}/v{api.api_version}/containers/{container.id}/changes"
    found, rest = 0, b""
    with api.get(url, stream=True, timeout=api.timeout) as answer:
        if not answer.ok:  # files vanished while it counted: there will be another look
            return 0
        for chunk in answer.iter_content(1 << 20):
            found += (rest + chunk).count(CHANGE)
            rest = chunk[1 - len(CHANGE) :]
            if found >= enough:
                break
    return found


def limit_in(log: bytes, bounds: Bounds) -> Failure | None:
    """The limit that the last words of a failed program speak of."""
    words = log[-WORDS_BYTES:].decode(errors="replace")
    if re.search(rf"^{re.escape(REFUSED)}\d", words, re.MULTILINE):
        return bounds.passed("process")
    return bounds.passed("disk") if TOO_LARGE.search(words) else None
