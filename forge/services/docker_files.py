"""Files into containers and out of them, as tar archives of bounded size, never through logs."""

import io
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.errors import NotFound
from docker.models.containers import Container

IN_MEMORY = 10_000_000
TAR_OVERHEAD = 100_000_000  # headers, and files beside those that are wanted


@dataclass(frozen=True)
class File:
    """A file to put into a container."""

    content: bytes
    owner: int = 0


class TooLargeError(Exception):
    """A file in a container is larger than anybody reads."""


def put(container: Container, files: Mapping[str, File]) -> None:
    """Write files, by absolute path, into a container that has not started."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, file in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(file.content), 0o644
            member.uid = member.gid = file.owner
            tar.addfile(member, io.BytesIO(file.content))
    container.put_archive("/", archive.getvalue())


def unpack(container: Container, folder: str, archive: Path) -> None:
    """Unpack a tar archive into a folder of a container that has not started."""
    with archive.open("rb") as file:
        container.put_archive(folder, file)


def get(container: Container, path: str, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """Plain files at a path or below it, by absolute path, of those that are wanted.

    `wanted` gives their largest sizes; what is absent, a link or a folder is left out.
    """
    try:
        chunks, _ = container.get_archive(path)
    except NotFound:
        return {}
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as archive:
        for chunk in _bounded(chunks, sum(wanted.values()) + TAR_OVERHEAD, path):
            archive.write(chunk)
        archive.seek(0)
        return dict(_plain_files(archive, posixpath.dirname(path), wanted))


def _bounded(chunks: Iterator[bytes], at_most: int, path: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > at_most:
            raise TooLargeError(f"{path} holds more than {at_most} bytes")
        yield chunk


def _plain_files(
    archive: tempfile.SpooledTemporaryFile[bytes], parent: str, wanted: Mapping[str, int]
) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=archive) as tar:
        for member in tar:
            path = posixpath.join(parent, member.name)
            content = tar.extractfile(member) if member.isreg() and path in wanted else None
            if content is not None and member.size > wanted[path]:
                raise TooLargeError(f"{path} holds more than {wanted[path]} bytes")
            if content is not None:
                yield path, content.read()
