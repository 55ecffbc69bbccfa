"""Files into containers and out of them, as tar archives of bounded size, never through logs."""

import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.errors import NotFound
from docker.models.containers import Container

IN_MEMORY = 10_000_000
TAR_OVERHEAD = 100_000


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


def get(container: Container, path: str, *, at_most: int) -> bytes | None:
    """The content of a plain file; None where there is none, or a link or a folder in its place."""
    try:
        chunks, _ = container.get_archive(path)
    except NotFound:
        return None
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as archive:
        for chunk in _bounded(chunks, at_most + TAR_OVERHEAD, path):
            archive.write(chunk)
        archive.seek(0)
        return _only_file(archive)


def _bounded(chunks: Iterator[bytes], at_most: int, path: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > at_most:
            raise TooLargeError(f"{path} holds more than {at_most} bytes")
        yield chunk


def _only_file(archive: tempfile.SpooledTemporaryFile[bytes]) -> bytes | None:
    with tarfile.open(fileobj=archive) as tar:
        member = tar.next()
        content = tar.extractfile(member) if member and member.isreg() else None
        return content.read() if content else None
