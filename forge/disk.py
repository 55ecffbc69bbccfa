"""A disk that is full or may not be written: told apart from bugs, and by its folder."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forge.errors import ForgeError, InputError, SpaceError
from forge.settings import Settings

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSING = (*FULL, errno.EROFS)
# Not every library says why it cannot write: Polars calls it `transport error`.
LEAST_BYTES = 1_000_000


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn what a full or read-only disk does into an error that says so, and where."""
    try:
        yield
    except ForgeError:
        raise
    except Exception as error:
        if told := _told(settings, error):
            raise told from error
        raise


def is_of_disk(error: Exception) -> bool:
    """Whether the system said of an error that it is about a disk that is full or read-only."""
    # Not by its words: they may quote somebody's file name.
    return isinstance(error, OSError) and error.errno in REFUSING


def refusal(folder: Path, told: str) -> OSError | None:
    """What the disk says, tried now, where a program's words may be about a disk that refuses."""
    if any(os.strerror(number) in told for number in REFUSING):
        try:
            with tempfile.TemporaryFile(dir=nearest(folder)) as file:
                os.posix_fallocate(file.fileno(), 0, LEAST_BYTES)
        except OSError as error:
            return error if is_of_disk(error) else None
    return None


def _told(settings: Settings, error: Exception) -> ForgeError | None:
    held = {"FORGE_ROOT": settings.root, "FORGE_MEMO": settings.memo_folder}
    held |= {"FORGE_RAW": settings.raw} if settings.raw else {}
    for name, folder in held.items():
        if _is_closed(folder, error):
            why = "permission denied" if isinstance(error, PermissionError) else "it is read-only"
            return SpaceError(
                f"{folder} cannot be written: {why}\nchoose another folder with {name}"
            )
        if not (path := nearest(folder)).is_dir():
            return InputError(f"{path} is no folder\nchoose a folder with {name}")
    folder = min([*held.values(), Path(tempfile.gettempdir())], key=_free_bytes)
    if is_full(error) or _free_bytes(folder) < LEAST_BYTES:
        return SpaceError(
            f"no space left under {folder}\n"
            "free some, or set FORGE_DISK lower, and run the same command again: "
            "what was answered is kept"
        )
    return None


def _is_closed(folder: Path, error: Exception) -> bool:
    if isinstance(error, PermissionError):
        return Path(str(error.filename)).absolute().is_relative_to(folder.absolute())
    is_read_only = bool(os.statvfs(nearest(folder)).f_flag & os.ST_RDONLY)
    return is_read_only and os.strerror(errno.EROFS) in str(error)


def is_full(error: Exception) -> bool:
    """Whether an error says that a disk or a quota is full."""
    # Polars and DuckDB end with the system's words; anybody's own are further in front.
    words = [end for n in FULL for end in (os.strerror(n), f"(os error {n})")]
    number = error.errno if isinstance(error, OSError) else None
    return number in FULL or str(error).endswith(tuple(words))


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(nearest(folder)).free


def nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())
