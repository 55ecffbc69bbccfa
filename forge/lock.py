"""One build per root and month, and a disk that can be written."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forge.errors import ForgeError, LockError, SpaceError


@contextmanager
def locked(root: Path, month: str) -> Iterator[None]:
    """Hold a root and month for one build."""
    path = root / ".locks" / f"{month}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = json.loads(file.read() or "{}")
            raise LockError(
                f"another build holds {month} in {root}: "
                f"process {holder.get('pid')} on {holder.get('host')}\n"
                "wait until it ends, or stop it; builds of different months may share a root"
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        yield


@contextmanager
def explained(root: Path) -> Iterator[None]:
    """Turn a full or read-only disk into an error that says so."""
    try:
        yield
    except ForgeError:
        raise
    except Exception as error:
        text = str(error)
        number = getattr(error, "errno", None)
        if number == errno.ENOSPC or "No space left" in text:
            raise SpaceError(
                f"no space left under {root}\n"
                "free some, or set FORGE_DISK lower, and run the same command again: "
                "what was answered is kept"
            ) from error
        if number == errno.EROFS or "Read-only file system" in text:
            raise SpaceError(
                f"{root} cannot be written: it is read-only\nchoose another folder with FORGE_ROOT"
            ) from error
        raise
