"""Files on their way: the bytes held so far, and which version of a file they are of."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import msgspec

from forge.lock import is_held
from forge.services.download_versions import Version

LOOK_SECONDS = 0.2


@dataclass
class Part:
    """The first bytes of a file; with `notes`, another process may go on from them."""

    path: Path
    notes: Path | None = None
    version: Version | None = None
    is_joined: bool = False
    """Whether they came in several answers."""

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are held that the server spoke of."""
        return self.version is not None and self.version.total == self.size

    @property
    def wish(self) -> dict[str, str]:
        """Headers that ask for the rest only; none where nothing can be joined."""
        if not self.size or not self.version or not self.version.validator:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.version.validator}

    @property
    def is_proven(self) -> bool:
        """Whether these are the server's bytes, for all that it told of them."""
        if self.version is None:
            return False
        return bool(self.version.checksums) or (self.is_whole and not self.is_joined)

    def begin(self, version: Version) -> None:
        """Hold nothing yet, of a version."""
        self.path.open("wb").close()
        self.version, self.is_joined = version, False
        if self.notes:
            # Later bytes than the notes would be taken for those of the version before.
            draft = self.notes.with_suffix(".draft")
            draft.write_bytes(msgspec.json.encode(version))
            draft.replace(self.notes)

    def join(self, version: Version) -> None:
        """Take what comes as the rest of what is held."""
        self.version, self.is_joined = version, True

    def recall(self, url: str) -> None:
        """Go on from what another process has left of the same address."""
        with suppress(OSError, msgspec.DecodeError):
            if self.notes and self.size:
                version = msgspec.json.decode(self.notes.read_bytes(), type=Version)
                self.version = version if version.url == url else None
                self.is_joined = True

    def forget(self) -> None:
        """Hold nothing, of no version."""
        self.version = None
        self.path.open("wb").close()

    def wrong_checksums(self) -> list[str]:
        """Checksums that the server told and the bytes have not."""
        told = self.version.checksums if self.version else {}
        return [name for name in told if digest_of(self.path, name) != told[name]]

    def become(self, path: Path) -> None:
        """Be a whole file under its name, durably."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(path)
        self.drop()

    def drop(self) -> None:
        """Leave nothing."""
        for path in (self.path, self.notes):
            if path:
                path.unlink(missing_ok=True)


def digest_of(path: Path, name: str = "sha256") -> str:
    """A file's digest, in hexadecimal."""
    begin = partial(hashlib.new, name, usedforsecurity=False)
    with path.open("rb") as file:
        return hashlib.file_digest(file, begin).hexdigest()


@asynccontextmanager
async def part_beside(path: Path) -> AsyncIterator[Part]:
    """What is held of a file, in its folder, for this process alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.with_name(f"{path.name}.part")
    with await _alone(held):
        part = Part(held, held.with_suffix(".version"))
        try:
            yield part
        finally:
            if held.exists() and not part.size:
                part.drop()


async def _alone(path: Path) -> IO[bytes]:
    """A file that nobody else has locked; who had it may have given it another name meanwhile."""
    while True:
        file = path.open("ab")
        if not is_held(file) and _is_at(file, path):
            return file
        file.close()
        await asyncio.sleep(LOOK_SECONDS)


def _is_at(file: IO[bytes], path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False
