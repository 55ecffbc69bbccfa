"""What an answer of GitHub means: which limit it names, and what became of a question."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import msgspec

from forge.services.download_versions import date

LONGEST_WAIT = 3_600.0
"""Seconds: no limit that GitHub publishes resets later."""
PRIMARY = {"RATE_LIMITED", "RATE_LIMIT"}
HEAVY = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
FINAL = {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE"}
"""Types of errors that asking again does not change."""
SECONDARY = re.compile(
    r"secondary.rate.limit|abuse.(rate.limit|detection)|submitted too quickly", re.IGNORECASE
)
SPENT = re.compile(r"API rate limit (already )?exceeded", re.IGNORECASE)
SLOW = re.compile(r"something went wrong while executing your query|timed? ?out", re.IGNORECASE)


Place = tuple[str | int, ...]


class LimitedError(Exception):
    """A token is to rest; `seconds` is None where GitHub does not say for how long."""

    def __init__(self, seconds: float | None, *, is_of_resource: bool = False) -> None:
        super().__init__("a rate limit")
        self.seconds = seconds
        self.is_of_resource = is_of_resource
        """Whether other resources are left to the token."""


class OverloadedError(Exception):
    """A call was too much at once, or GitHub too busy for it."""


class RefusedError(Exception):
    """GitHub does not take the call: `status`, and why in its own words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"status {status}: {words}" if words else f"status {status}")
        self.status = status


@dataclass(frozen=True)
class Reply:
    """What became of one question: a node, or the type of the error in its place."""

    node: dict[str, Any] | None
    error: str | None = None

    @property
    def may_pass(self) -> bool:
        """Whether asking again may tell more."""
        return self.error is not None and self.error not in FINAL

    @property
    def is_heavy(self) -> bool:
        """Whether it would come if less were asked at once."""
        return self.error in HEAVY


class Answer(NamedTuple):
    """The body of an answer that holds something."""

    content: dict[str, Any]
    errors: list[dict[str, Any]]

    def replies(self, places: list[Place]) -> list[Reply]:
        """What became of the questions whose nodes are at these places."""
        depth, failed = len(places[0]), dict[Place, str]()
        # What may pass counts before what is final: one place may hold both.
        for error in sorted(self.errors, key=lambda error: kind_of(error) in FINAL):
            failed.setdefault(tuple((error.get("path") or [])[:depth]), kind_of(error))
        return [self._reply(place, _first(failed, place)) for place in places]

    def _reply(self, place: Place, error: str | None) -> Reply:
        found: Any = self.content
        for step in place:
            if found is not None:
                found = found[step]
        return Reply(found or None, error)


def _first(failed: dict[Place, str], place: Place) -> str | None:
    """The error of a place, or of what it lies in."""
    around = (failed.get(place[:depth]) for depth in range(len(place), -1, -1))
    return next((error for error in around if error), None)


def read(response: httpx.Response) -> Answer:
    """What a response holds; raises what it means where it holds nothing."""
    body = _body(response)
    errors = [error for error in body.get("errors") or [] if isinstance(error, dict)]
    if limit := _limit(response, body, errors):
        raise limit
    _check_status(response, body)
    if isinstance(body.get("data"), dict):
        return Answer(body["data"], errors)
    words = "; ".join(str(error.get("message") or "") for error in errors)
    if not body or SLOW.search(words) or {kind_of(error) for error in errors} & HEAVY:
        raise OverloadedError(words or "an answer that is no JSON")
    raise RefusedError(200, words)


def read_rest(response: httpx.Response) -> Any:
    """The JSON that REST answers; raises what a response means that holds none."""
    if response.status_code != 200:  # a text that is answered may speak of limits
        body = _body(response)
        if limit := _limit(response, body, []):
            raise limit
        _check_status(response, body)
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise OverloadedError("an answer that is no JSON") from None


def _check_status(response: httpx.Response, body: dict[str, Any]) -> None:
    if response.status_code in {408, 429} or response.is_server_error:
        raise OverloadedError(f"status {response.status_code}")
    if response.status_code != 200:
        raise RefusedError(response.status_code, str(body.get("message") or ""))


def kind_of(error: dict[str, Any]) -> str:
    """The type of an error, in one spelling."""
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return str(error.get("type") or code or "UNKNOWN").upper()


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _limit(
    response: httpx.Response, body: dict[str, Any], errors: list[dict[str, Any]]
) -> LimitedError | None:
    headers, is_refused = response.headers, response.status_code in {403, 429}
    said = [body.get("message"), body.get("documentation_url"), *(e.get("message") for e in errors)]
    words = " ".join(str(text) for text in said if text)
    is_spent = is_refused and headers.get("x-ratelimit-remaining") == "0"
    is_primary = is_spent or any(kind_of(error) in PRIMARY for error in errors)
    is_primary = is_primary or (is_refused and bool(SPENT.search(words)))
    is_told = is_refused and ("retry-after" in headers or response.status_code == 429)
    is_secondary = (is_refused or not body.get("data")) and bool(SECONDARY.search(words))
    if not (is_primary or is_told or is_secondary):
        return None
    seconds = retry_after(headers)
    is_of_resource = is_primary and not is_secondary and seconds is None
    if seconds is None and is_primary:
        seconds = reset_in(headers)
    return LimitedError(seconds, is_of_resource=is_of_resource)


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that a server wants to be left alone, an hour at most."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    at, now = date(value), date(headers.get("date"))
    return min(max((at - now).total_seconds(), 0.0), LONGEST_WAIT) if at and now else None


def reset_in(headers: httpx.Headers) -> float | None:
    """Seconds until the points come back, by the server's own clock, an hour at most."""
    value = headers.get("x-ratelimit-reset", "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    at = date(headers.get("date")) or datetime.now(UTC)
    seconds = float(value[:15]) - calendar.timegm(at.timetuple())
    return min(max(seconds, 0.0), LONGEST_WAIT)
