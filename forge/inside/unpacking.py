"""Members of archives and what is compressed, told by their bytes and not by a name; bounded."""

import bz2
import gzip
import io
import tarfile
import zipfile
import zlib
from typing import IO, Any, Dict, Iterator, List, Optional, Tuple, Type

MOST_BYTES, MEMBER_BYTES = 2000000000, 64000000
DEEPEST = 3
ZIP, TAR = b"PK\x03\x04", b"ustar"
COMPRESSED: Dict[bytes, Any] = {b"\x1f\x8b": gzip, b"BZh": bz2}
"""By their first bytes: the modules that unpack them."""
BROKEN: Tuple[Type[BaseException], ...] = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error),
    *(tarfile.TarError, zipfile.BadZipFile),
)
try:
    import lzma

    COMPRESSED[b"\xfd7zXZ"] = lzma
    BROKEN += (lzma.LZMAError,)
except ImportError:  # a Python that was built without it
    pass

Members = Iterator[Tuple[str, bytes]]
Files = Iterator[Tuple[str, "IO[bytes]"]]


class Member(tarfile.TarInfo):
    """A member of a tar archive, of whose holes nobody asks: ten million of them take a minute."""

    def _proc_gnusparse_10(self, _: object, told: Dict[str, str], __: object) -> None:
        for name in ("GNU.sparse.size", "GNU.sparse.realsize"):  # how long it is with them
            told.pop(name, None)


class Unpacker:
    """Unpacks as much as it may; `unread` names what it could not."""

    def __init__(self) -> None:
        self.left = MOST_BYTES
        self.unread: List[str] = []

    def members(self, path: str, content: bytes, depth: int = 0) -> Members:
        """What is inside some bytes, and inside that; nothing where they are no archive."""
        if depth == DEEPEST:
            return
        for name, inner in self._first(path, content):
            yield name, inner
            for member in self.members(name, inner, depth + 1):
                yield member

    def _first(self, path: str, content: bytes) -> Members:
        try:
            for name, file in _files(content):
                place = "{}!{}".format(path, name) if name else path
                inner = self._read(file)
                if inner is None:
                    self.unread.append(place)
                else:
                    yield place, inner
        except BROKEN:
            return  # it is damaged, or only begins like an archive; its own bytes were looked at

    def _read(self, file: "IO[bytes]") -> Optional[bytes]:
        most = min(MEMBER_BYTES, self.left)
        inner = file.read(most + 1)
        self.left -= min(len(inner), most)
        return inner if len(inner) <= most else None


def _files(content: bytes) -> Files:
    # Caches of downloads write a header of their own before a wheel.
    if ZIP in content[:4096]:
        return _zipped(content)
    for start, module in COMPRESSED.items():
        if content.startswith(start):
            return _compressed(content, module)
    return _tarred(content) if content[257:262] == TAR else iter(())


def _zipped(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                with archive.open(name) as file:
                    yield name, file


def _tarred(content: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(content), tarinfo=Member) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name, file


def _compressed(content: bytes, module: Any) -> Files:
    with module.open(io.BytesIO(content)) as file:
        is_tar = file.read(512)[257:262] == TAR
    if is_tar:
        for member in _tarred(content):
            yield member
    else:
        with module.open(io.BytesIO(content)) as file:
            yield "", file
