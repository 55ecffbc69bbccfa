"""Hourly files, brought from an archive's folder to this machine."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Self

import httpx
import stamina

from forge.address import Address
from forge.errors import InputError, ServiceError
from forge.services.proxies import proxies
from forge.settings import Settings

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

    def is_early(self, hour: datetime) -> bool:
        """Whether the file of an hour may still appear."""
        return self.at is None or self.at < hour + timedelta(hours=1) + YOUNG


class ChecksumError(Exception):
    """What came is not what the server says it sent."""


@dataclass(frozen=True)
class Download:
    """A file as it came, and what is broken about its coming."""

    path: Path
    bytes: int
    sha256: str

    @property
    def damage(self) -> str | None:
        """Why no more of it came."""
        return f"more than {DUMP_BYTES:,} bytes" if self.bytes > DUMP_BYTES else None


@dataclass
class Downloads:
    """Connections to an archive."""

    address: Address
    http: httpx.AsyncClient = field(init=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Downloads from the archive that the settings name."""
        address = settings.archive_url
        try:
            url = httpx.URL(address.url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise InputError(f"{address.url!r}: {error}\n{HOW_TO_SET}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise InputError(f"{address.url!r} is no http address\n{HOW_TO_SET}")
        return cls(replace(address, url=str(url)))

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

    async def bring(self, hour: datetime, draft: Path) -> Download:
        """The file of an hour, which may be written as `draft`; AbsentError where there is none."""
        url = f"{self.address}/{name_of(hour)}.json.gz"
        try:
            async for attempt in stamina.retry_context(on=_again, attempts=TRIES, timeout=None):
                with attempt:
                    download = await self._fetch(url, draft)
        except (httpx.HTTPError, httpx.InvalidURL, BusyError) as error:
            raise ServiceError(
                f"the archive does not answer: {url}: {_said(error)}\n{HOW_TO_SET}"
            ) from error
        if _is_page(draft):
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


def name_of(hour: datetime) -> str:
    """An hour as the archive's files are named: the hour is not padded.

    >>> name_of(datetime(2026, 3, 1, 5))
    '2026-03-01-5'
    """
    return f"{hour:%Y-%m-%d}-{hour.hour}"


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
