"""Hourly files, brought from an archive's folder to this machine."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx
import stamina

from forge.address import Address
from forge.errors import InputError, ServiceError
from forge.services import proxies
from forge.services.download_answers import (
    OUTAGES,
    AbsentError,
    BusyError,
    ChecksumError,
    UnfinishedError,
    again,
    is_all_held,
    said,
    take,
)
from forge.services.download_parts import Part, digest_of, part_beside
from forge.services.readers import to_end
from forge.settings import Settings

__all__ = ["AbsentError", "ChecksumError", "Download", "Downloads", "name_of"]

TRIES = 5
SECONDS = httpx.Timeout(60, connect=20)
# An hour that comes more slowly would take more than one.
LEAST_BYTES = 500_000
LEAST_SECONDS = 60.0
# The largest hour known has 130 MB.
DUMP_BYTES = 2 * 2**30
HOW_TO_SET = "set FORGE_ARCHIVE_URL to the folder of hourly files, or try again later"


@dataclass(frozen=True)
class Download:
    """A file as it came."""

    path: Path
    bytes: int
    sha256: str
    is_proven: bool = False
    """Whether the archive sent it so: what is broken about it is broken there."""

    @property
    def damage(self) -> str | None:
        """Why no more of it came."""
        return f"more than {DUMP_BYTES:,} bytes" if self.bytes > DUMP_BYTES else None


@dataclass
class Downloads:
    """Connections to an archive, and the folder where its files may stand already."""

    address: Address
    raw_folder: Path
    is_keeping: bool
    slots: asyncio.Semaphore
    http: httpx.AsyncClient = field(init=False)
    quiet_until: float = 0.0
    """When the archive wants to be asked again, for all downloads."""

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Downloads from the archive that the settings name."""
        address, slots = settings.archive_url, asyncio.Semaphore(settings.downloads)
        try:
            url = httpx.URL(address.url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise InputError(f"{address.url!r}: {error}\n{HOW_TO_SET}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise InputError(f"{address.url!r} is no http address\n{HOW_TO_SET}")
        plain, is_keeping = replace(address, url=str(url)), settings.raw is not None
        return cls(plain, settings.raw_folder, is_keeping, slots)

    async def __aenter__(self) -> Self:
        shown = proxies.told()
        try:
            self.http = self._client()
        except (ValueError, ImportError, httpx.InvalidURL):
            raise InputError(
                f"a proxy cannot be used: {shown}\nname one of http:// or https://"
            ) from None
        return self

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            auth=self.address.login,
            timeout=SECONDS,
            follow_redirects=True,
            headers={"User-Agent": "sweforge", "Accept-Encoding": "identity"},
        )

    async def __aexit__(self, *exc: object) -> None:
        await self.http.aclose()

    def held(self, hour: datetime) -> Path | None:
        """The file of an hour where it stands already."""
        path = self._raw(hour)
        return path if path.is_file() else None

    def _raw(self, hour: datetime) -> Path:
        return self.raw_folder / f"{name_of(hour)}.json.gz"

    def _absence(self, hour: datetime) -> Path:
        return self.raw_folder / f"{name_of(hour)}.missing"

    def _note_absence(self, hour: datetime, error: AbsentError) -> None:
        # What is kept is to stand for the archive, gaps included.
        if self.is_keeping and error.at and not error.is_early(hour):
            note = self._absence(hour)
            note.touch()
            at = error.at.replace(tzinfo=UTC).timestamp()
            os.utime(note, (at, at))

    async def bring(self, hour: datetime, draft: Path, *, is_doubted: bool = False) -> Download:
        """The file of an hour, which may be written as `draft`; AbsentError where there is none.

        Where they are doubted, the file that stands and what is held of it are not used.
        """
        if not is_doubted and (held := self.held(hour)):
            return await asyncio.to_thread(_download, held)
        if self._absence(hour).exists():
            raise AbsentError(_modified(self._absence(hour)))
        async with self.slots, self._part(hour, draft) as part:
            if is_doubted:
                return await self._brought(hour, part, draft)
            if held := self.held(hour):  # another process has brought it meanwhile
                return await asyncio.to_thread(_download, held)
            part.recall(self._url(hour))
            return await self._brought(hour, part, draft)

    @asynccontextmanager
    async def _part(self, hour: datetime, draft: Path) -> AsyncIterator[Part]:
        if self.is_keeping:
            async with part_beside(self._raw(hour)) as part:
                yield part
        else:
            yield Part(draft)

    def _url(self, hour: datetime) -> str:
        return f"{self.address}/{name_of(hour)}.json.gz"

    async def _brought(self, hour: datetime, part: Part, draft: Path) -> Download:
        url = self._url(hour)
        try:
            async for attempt in stamina.retry_context(on=again, attempts=TRIES, timeout=None):
                with attempt:
                    await self._bring_rest(url, part)
                    await to_end(asyncio.to_thread(_check, part, url))
        except OUTAGES as error:
            raise ServiceError(
                f"the archive does not answer: {url}: {said(error)}\n{HOW_TO_SET}"
            ) from error
        except AbsentError as error:
            part.drop()
            self._note_absence(hour, error)
            raise
        except (ChecksumError, ServiceError):
            part.drop()
            raise
        path = self._raw(hour) if self.is_keeping else draft
        return await to_end(asyncio.to_thread(_named, part, path, draft))

    async def _bring_rest(self, url: str, part: Part) -> None:
        if part.is_whole:
            return
        await asyncio.sleep(self.quiet_until - time.monotonic())
        try:
            async with asyncio.timeout(LEAST_SECONDS) as bound:
                await self._stream(url, part, bound)
        except TimeoutError:
            slow = f"fewer than {LEAST_BYTES:,} bytes came within {LEAST_SECONDS:g} seconds"
            raise UnfinishedError(slow) from None
        except BusyError as error:
            until = time.monotonic() + (error.seconds or 0)
            self.quiet_until = max(self.quiet_until, until)
            raise

    async def _stream(self, url: str, part: Part, bound: asyncio.Timeout) -> None:
        async with self.http.stream("GET", url, headers=part.wish) as response:
            if is_all_held(response, part):
                return
            take(response, part, url)
            wanted = part.size + LEAST_BYTES
            with part.path.open("ab") as file:
                # Raw: a server may call the file's own compression an encoding.
                async for piece in response.aiter_raw():
                    file.write(piece)
                    file.flush()  # a process that is killed leaves what it has
                    if file.tell() >= wanted:
                        bound.reschedule(asyncio.get_running_loop().time() + LEAST_SECONDS)
                        wanted = file.tell() + LEAST_BYTES
                    if file.tell() > DUMP_BYTES:
                        return
        if part.version and part.version.total not in {None, part.size}:
            raise UnfinishedError("its rest did not come")


def name_of(hour: datetime) -> str:
    """An hour as the archive's files are named: the hour is not padded.

    >>> name_of(datetime(2026, 3, 1, 5))
    '2026-03-01-5'
    """
    return f"{hour:%Y-%m-%d}-{hour.hour}"


def _check(part: Part, url: str) -> None:
    if part.size > DUMP_BYTES:
        return
    with part.path.open("rb") as file:
        is_page = file.read(512).lstrip().startswith(b"<")
    if is_page:
        raise ServiceError(f"{url} is a web page, no gzip file\n{HOW_TO_SET}")
    if wrong := part.wrong_checksums():
        part.forget()
        raise ChecksumError(f"{url} has another {', '.join(wrong)} than its server says")


def _named(part: Part, path: Path, draft: Path) -> Download:
    is_proven = part.is_proven or part.size > DUMP_BYTES
    if part.path == draft:
        path = draft
    elif part.size > DUMP_BYTES:
        path = Path(shutil.move(part.path, draft))
        part.drop()
    else:
        part.become(path)
    return _download(path, is_proven=is_proven)


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)


def _download(path: Path, *, is_proven: bool = False) -> Download:
    return Download(path, path.stat().st_size, digest_of(path), is_proven)
