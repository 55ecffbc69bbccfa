"""One build per root and month."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from forge.errors import LockError

LOOK_SECONDS = 1.0


@contextmanager
def locked(root: Path, month: str) -> Iterator[None]:
    """Hold a root and month for one build."""
    path = root / ".locks" / f"{month}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if _is_another_builds(file):
            file.seek(0)
            holder = json.loads(file.read() or "{}")
            raise LockError(
                f"another build holds {month} in {root}: "
                f"process {holder.get('pid')} on {holder.get('host')}\n"
                "wait until it ends, or stop it; builds of different months may share a root"
            )
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        yield


def _is_another_builds(file: IO[Any]) -> bool:
    """Whether a lock stays held: those who only look hold it for less than a moment."""
    until = time.monotonic() + LOOK_SECONDS
    while is_held(file):
        if time.monotonic() > until:
            return True
        time.sleep(0.02)
    return False


def is_held(file: IO[Any], *, kind: int = fcntl.LOCK_EX) -> bool:
    """Whether a living process holds an open file's lock; else it is ours until we close it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def is_idle(root: Path) -> bool:
    """Whether no build is at work in a root."""
    for path in (root / ".locks").glob("*.json"):
        with path.open("rb") as file:  # nothing is written: the disk may be full
            if is_held(file, kind=fcntl.LOCK_SH):
                return False
    return True
