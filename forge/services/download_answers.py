"""What a server's answer to one request for a file means."""

from datetime import datetime, timedelta

import httpx

from forge.services.download_parts import Part
from forge.services.download_versions import continued, date, size_of, version_of

# An hour appears within minutes, after an outage of the archive within days, and never later:
# nobody fills gaps. A wrong `missing` is remembered for good, a wrong `pending` costs a request.
YOUNG = timedelta(days=7)
LONGEST_WAIT = 300.0


class AbsentError(Exception):
    """There is no such file; `at` is the archive's own time."""

    def __init__(self, at: datetime | None) -> None:
        super().__init__("status 404")
        self.at = at

    def is_early(self, hour: datetime) -> bool:
        """Whether the file of an hour may still appear."""
        return self.at is None or self.at < hour + timedelta(hours=1) + YOUNG


class BusyError(Exception):
    """An answer that says: later."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"status {response.status_code}")
        seconds = _retry_after(response.headers)
        self.seconds = None if seconds is None else min(seconds, LONGEST_WAIT)


class UnfinishedError(Exception):
    """A download broke off; another try may go on from what it brought."""


class ChecksumError(Exception):
    """What came is not what the server says it sent."""


AGAIN = (httpx.TransportError, UnfinishedError, ChecksumError)
OUTAGES = (httpx.HTTPError, httpx.InvalidURL, BusyError, UnfinishedError)


def is_all_held(response: httpx.Response, part: Part) -> bool:
    """Whether a server sends nothing because nothing is left: how long it is was never told."""
    is_end = response.status_code == 416 and size_of(response) == part.size > 0
    return is_end and part.version is not None and part.version.total is None


def take(response: httpx.Response, part: Part, url: str) -> None:
    """Make a part ready for what an answer sends, or raise what it says."""
    if response.status_code in {404, 410}:
        raise AbsentError(date(response.headers.get("Date")))
    if response.status_code == 429 or response.is_server_error:
        raise BusyError(response)
    if response.status_code == 206:
        _go_on(response, part)
    elif response.status_code == 416 and part.wish:
        part.forget()
        raise UnfinishedError("it holds no more of the file, which is not whole")
    else:
        response.raise_for_status()
        part.begin(version_of(response, url))


def _go_on(response: httpx.Response, part: Part) -> None:
    version = part.wish and part.version and continued(part.version, response, part.size)
    if not version:
        part.forget()
        raise UnfinishedError("it sent another part of the file than was asked for")
    part.join(version)


def again(error: Exception) -> bool | float:
    """Whether a try may end otherwise, or after how many seconds."""
    if isinstance(error, BusyError):
        return error.seconds if error.seconds is not None else True
    return isinstance(error, AGAIN)


def said(error: Exception) -> str:
    """An error's words, which many have none of."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}"
    return str(error) or type(error).__name__


def _retry_after(headers: httpx.Headers) -> float | None:
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    at, now = date(value), date(headers.get("Date"))
    return max(0.0, (at - now).total_seconds()) if at and now else None
