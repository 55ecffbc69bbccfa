"""GH Archive, or a folder of the same hourly files elsewhere."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import httpx
import stamina

from forge.address import Address
from forge.artifacts import Artifacts
from forge.dumps import Counts, TimelineError, read_dump
from forge.effect import Failure, Row
from forge.errors import InputError, ServiceError
from forge.events import Events
from forge.services.proxies import proxies
from forge.settings import Settings

__all__ = ["Archive", "Events"]

# An hour appears within minutes, after an outage of the archive within days, and never later:
# nobody fills gaps. A wrong `missing` is remembered for good, a wrong `pending` costs a request.
YOUNG = timedelta(days=7)
TRIES = 5
LONGEST_WAIT = 300.0
SECONDS = httpx.Timeout(60, connect=20)
CONNECTIONS = 8
# The largest hour known has 130 MB.
DUMP_BYTES = 2 * 2**30
HOW_TO_SET = "set FORGE_ARCHIVE_URL to the folder of hourly files, or try again later"

R = TypeVar("R")


class BusyError(Exception):
    """An answer that says: later."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.seconds = _retry_after(response.headers)


class AbsentError(Exception):
    """There is no such file; `at` is the archive's own time."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__("status 404")
        self.at = _date(response.headers.get("Date"))


@dataclass(frozen=True)
class Download:
    """A file as it came."""

    path: Path
    bytes: int
    sha256: str


@dataclass
class Archive:
    """Downloads hours, reads them off the event loop, and keeps their events as artifacts."""

    address: Address
    artifacts: Artifacts
    workers: asyncio.Semaphore
    http: httpx.AsyncClient = field(init=False)

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The archive that the settings name."""
        address = settings.archive_url
        try:
            url = httpx.URL(address.url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise InputError(f"{address.url!r}: {error}\n{HOW_TO_SET}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise InputError(f"{address.url!r} is no http address\n{HOW_TO_SET}")
        plain = replace(address, url=str(url))
        return cls(plain, artifacts, asyncio.Semaphore(settings.workers))

    @property
    def identity(self) -> str:
        """The address."""
        return self.address.url

    async def __aenter__(self) -> Self:
        found = proxies()
        try:
            self.http = self._client()
        except (ValueError, ImportError, httpx.InvalidURL):
            shown = ", ".join(f"{name}={address}" for name, address in found.items())
            raise InputError(
                f"a proxy cannot be used: {shown}\nname one of http:// or https://"
            ) from None
        return self

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            auth=self.address.login,
            timeout=SECONDS,
            limits=httpx.Limits(max_connections=CONNECTIONS),
            follow_redirects=True,
            headers={"User-Agent": "sweforge", "Accept-Encoding": "identity"},
        )

    async def __aexit__(self, *exc: object) -> None:
        await self.http.aclose()

    async def read(self, hour: datetime) -> Row | Failure:
        """What one hour holds; its pull request events are an artifact."""
        with self._drafts() as (dump, events):
            try:
                download = await self._download(hour, dump)
            except AbsentError as error:
                return _absent(hour, error)
            try:
                async with self.workers:
                    counts = await _in_thread(partial(read_dump, dump, hour=hour, events=events))
            except TimelineError:
                return _timeline(hour)
            return await _in_thread(partial(self._kept, download, counts, events))

    @contextmanager
    def _drafts(self) -> Iterator[tuple[Path, Path]]:
        dump, events = self.artifacts.draft(), self.artifacts.draft()
        try:
            yield dump, events
        finally:
            dump.unlink(missing_ok=True)
            events.unlink(missing_ok=True)

    async def _download(self, hour: datetime, path: Path) -> Download:
        url = f"{self.address}/{name_of(hour)}.json.gz"
        try:
            async for attempt in stamina.retry_context(on=_again, attempts=TRIES, timeout=None):
                with attempt:
                    download = await self._fetch(url, path)
        except (httpx.HTTPError, httpx.InvalidURL, BusyError) as error:
            raise ServiceError(
                f"the archive does not answer: {url}: {_said(error)}\n{HOW_TO_SET}"
            ) from error
        if _is_page(path):
            raise ServiceError(f"{url} is a web page, no gzip file\n{HOW_TO_SET}")
        return download

    async def _fetch(self, url: str, path: Path) -> Download:
        async with self.http.stream("GET", url) as response:
            _check(response)
            digest, size = hashlib.sha256(), 0
            with path.open("wb") as file:
                # Raw: a server may call the file's own compression an encoding.
                async for piece in response.aiter_raw():
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    if size > DUMP_BYTES:
                        break
        return Download(path, size, digest.hexdigest())

    def _kept(self, download: Download, counts: Counts, events: Path) -> Row:
        is_cut = download.bytes > DUMP_BYTES
        damage = f"more than {DUMP_BYTES:,} bytes" if is_cut else counts.damage
        return {
            "status": "corrupt" if damage else "ok",
            "bytes": download.bytes,
            "raw_bytes": counts.raw_bytes,
            "lines": counts.lines,
            "bad_lines": counts.bad_lines,
            "pull_request_events": counts.pull_request_events,
            "merges": counts.merges,
            "digest": download.sha256,
            "events": self.artifacts.keep(events),
            "damage": damage,
        }


async def _in_thread(function: Callable[[], R]) -> R:
    # A thread cannot be cancelled: it would write again what nobody will remove.
    thread = asyncio.create_task(asyncio.to_thread(function))
    try:
        await asyncio.wait([thread])
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        thread.exception()
        raise
    return thread.result()


def name_of(hour: datetime) -> str:
    """An hour as the archive's files are named: the hour is not padded.

    >>> name_of(datetime(2026, 3, 1, 5))
    '2026-03-01-5'
    """
    return f"{hour:%Y-%m-%d}-{hour.hour}"


def _absent(hour: datetime, error: AbsentError) -> Row | Failure:
    if error.at is None or error.at < hour + timedelta(hours=1) + YOUNG:
        return Failure("pending", "not_published", f"{name_of(hour)} is not published yet")
    names = ("bytes", "raw_bytes", "lines", "bad_lines", "pull_request_events", "merges")
    nothing = dict.fromkeys((*names, "digest", "events", "damage"))
    return {"status": "missing"} | nothing


def _timeline(hour: datetime) -> Failure:
    return Failure(
        "data",
        "timeline_format",
        f"{name_of(hour)} is in the Timeline format of before 2015, which names no repository's id",
    )


def _check(response: httpx.Response) -> None:
    if response.status_code in {404, 410}:
        raise AbsentError(response)
    if response.status_code == 429 or response.is_server_error:
        raise BusyError(response)
    response.raise_for_status()


def _again(error: Exception) -> bool | float:
    if isinstance(error, BusyError):
        return min(error.seconds, LONGEST_WAIT) if error.seconds is not None else True
    return isinstance(error, httpx.TransportError)


def _retry_after(headers: httpx.Headers) -> float | None:
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    at, now = _date(value), _date(headers.get("Date"))
    return max(0.0, (at - now).total_seconds()) if at and now else None


def _date(value: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(value or "")
        return at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _said(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}"
    return str(error) or type(error).__name__


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(512).lstrip().startswith(b"<")
