"""Places that a user names for what is written: looked at before the work, explained after it."""

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from forge.disk import is_full
from forge.errors import ForgeError, InputError, SpaceError


def check_output(path: Path, suffixes: Collection[str], what: str) -> None:
    """InputError where no file of one of these suffixes can be written."""
    if path.is_dir():
        raise InputError(f"{path} is a folder\nname a file in it, such as {path / 'tasks.parquet'}")
    if path.suffix not in suffixes:
        raise InputError(
            f"{path.name}: {what} are written as {' or '.join(suffixes)}\n"
            f"name the file {path.stem}.parquet, for example"
        )
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}\nmake it first")
    with written_to(path):
        tempfile.TemporaryFile(dir=path.parent).close()


@contextmanager
def written_to(place: Path) -> Iterator[None]:
    """Turn what the system says while a file or folder is written into an error that names it."""
    try:
        yield
    except OSError as error:
        raise refused(place, error) from error


def refused(place: Path, error: OSError) -> ForgeError:
    """What to tell a user of a place that cannot be written."""
    if is_full(error):
        return SpaceError(f"no space left to write {place}\nfree some, or name another place")
    return InputError(f"{place} cannot be written: {error.strerror or error}\nname another place")
