"""A disk that is full or may not be written: told apart from bugs, and by its folder."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forge.errors import ForgeError, SpaceError
from forge.settings import Settings

FULL = (errno.ENOSPC, errno.EDQUOT)
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
    """Whether an error is, by its words, about a disk that is full or read-only."""
    return _says(error, *FULL, errno.EROFS)


def _told(settings: Settings, error: Exception) -> SpaceError | None:
    held = {"FORGE_ROOT": settings.root, "FORGE_MEMO": settings.memo_folder}
    for name, folder in held.items():
        if _is_closed(folder, error):
            why = "permission denied" if isinstance(error, PermissionError) else "it is read-only"
            return SpaceError(
                f"{folder} cannot be written: {why}\nchoose another folder with {name}"
            )
    folder = min([*held.values(), Path(tempfile.gettempdir())], key=_free_bytes)
    if _says(error, *FULL) or _free_bytes(folder) < LEAST_BYTES:
        return SpaceError(
            f"no space left under {folder}\n"
            "free some, or set FORGE_DISK lower, and run the same command again: "
            "what was answered is kept"
        )
    return None


def _is_closed(folder: Path, error: Exception) -> bool:
    if isinstance(error, PermissionError):
        return Path(str(error.filename)).absolute().is_relative_to(folder.absolute())
    is_read_only = bool(os.statvfs(_nearest(folder)).f_flag & os.ST_RDONLY)
    return is_read_only and _says(error, errno.EROFS)


def _says(error: Exception, *numbers: int) -> bool:
    return any(os.strerror(number) in str(error) for number in numbers)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(_nearest(folder)).free


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
