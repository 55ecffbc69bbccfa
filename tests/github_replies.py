"""What GitHub says beside answers: refusals in the published shapes, and its gateway's failures."""

import json
from typing import Any, Literal, NamedTuple

DOCS = "https://docs.github.com"
REQUEST = "9C31:8954C:60104B:C1D441:688BE22C"
SECONDARY = f"{DOCS}/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api"
PrimaryForm = Literal["RATE_LIMITED", "RATE_LIMIT", "403", "429"]
SecondaryForm = Literal["403", "429", "200"]


class Reply(NamedTuple):
    """What goes out for one request; a stalled one says its length and sends half."""

    status: int
    body: bytes
    headers: dict[str, str] = {}  # noqa: RUF012 - an empty one that nobody writes to
    kind: str = "answer"
    is_stalled: bool = False


def said(status: int, told: Any, kind: str = "answer", **headers: str) -> Reply:
    """JSON as GitHub sends it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(told).encode(), named, kind)


def bad_credentials() -> Reply:
    """A token that is wrong, expired or revoked."""
    told = {"message": "Bad credentials", "documentation_url": f"{DOCS}/rest", "status": "401"}
    return said(401, told, "credentials")


def forbidden() -> Reply:
    """A client that does not say who it is."""
    message = "Request forbidden by administrative rules. Please make sure your request has a"
    return said(403, {"message": f"{message} User-Agent header."}, "forbidden")


def nothing_found() -> Reply:
    """A path that leads nowhere, or where the token may not look."""
    told = {"message": "Not Found", "documentation_url": f"{DOCS}/rest", "status": "404"}
    return said(404, told)


def primary(form: PrimaryForm, user: int) -> Reply:
    """The hour's points are used up."""
    already = "already " if form == "RATE_LIMIT" else ""
    message = f"API rate limit {already}exceeded for user ID {user}."
    if form.isdigit():
        url = f"{DOCS}/rest/overview/rate-limits-for-the-rest-api"
        return said(int(form), {"message": message, "documentation_url": url}, "primary")
    code = {"code": "graphql_rate_limit"} if form == "RATE_LIMIT" else {}
    return said(200, {"errors": [{"type": form, **code, "message": message}]}, "primary")


def secondary(form: SecondaryForm, retry_after: int | None = 60) -> Reply:
    """Too much at once or in a minute; `retry-after` where GitHub says one."""
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try"
    told = {
        "message": f"{message} again. If you reach out to GitHub Support for help, please include "
        f"the request ID {REQUEST}.",
        "documentation_url": f"{SECONDARY}#about-secondary-rate-limits",
    }
    errors = {"errors": [{"message": told["message"]}]} if form == "200" else {}
    wait = {} if retry_after is None else {"retry_after": str(retry_after)}
    return said(int(form), told | errors, "secondary", **wait)


def bad_gateway(status: int = 502) -> Reply:
    """What the proxy before GitHub says, in HTML."""
    title = {502: "502 Bad Gateway", 503: "503 Service Unavailable", 504: "504 Gateway Time-out"}
    head = f"<html>\r\n<head><title>{title[status]}</title></head>\r\n<body>\r\n"
    body = f"{head}<center><h1>{title[status]}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Reply(status, body.encode(), {"content-type": "text/html"}, "gateway")


def something_went_wrong() -> str:
    """What GitHub says of a time-out, of a whole query or of one node in it."""
    message = "Something went wrong while executing your query. This may be the result of a timeout"
    whole = f"{message}, or it could be a GitHub bug. Please include `{REQUEST}` when reporting"
    return f"{whole} this issue."


def timed_out(status: int = 502) -> Reply:
    """A query that took more than ten seconds."""
    return said(status, {"data": None, "errors": [{"message": something_went_wrong()}]}, "timeout")


def malformed() -> Reply:
    """An answer that ends in the middle of its JSON."""
    return Reply(200, b'{"data":{"nodes":[{"numb', kind="malformed")


def stalled() -> Reply:
    """An answer that never comes to its end."""
    return Reply(200, b'{"data":{"nodes":[{"number":7}]}}', kind="stalled", is_stalled=True)


def dropped() -> Reply:
    """A connection that ends without a word."""
    return Reply(0, b"", kind="dropped")
