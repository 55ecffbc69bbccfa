"""The network: the archive, where git fetches, proxies, logins, and the time that servers tell."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from forge.address import Address, masked
from forge.doctor.findings import Finding, missing, ok, warning
from forge.errors import InputError, ServiceError
from forge.services.git_addresses import address_of
from forge.services.proxies import exempt, proxies
from forge.settings import Settings

SECONDS = 5.0
HOUR = "2026-03-01-0.json.gz"
"""An hour that the archive has; one that it lacks is an answer too."""
SOMEBODY = "git/git"
REFUSED = {401: "asks for another login", 403: "refuses", 407: "is behind a proxy that refuses"}
SKEW = 60
TOKENS = (
    *("FORGE_GITHUB_TOKENS", "FORGE_LLM_API_KEY", "GITHUB_TOKEN", "GH_TOKEN"),
    *("OPENAI_API_KEY", "OPENROUTER_API_KEY", "ANTHROPIC_API_KEY"),
)
LOOPBACK = ("127.0.0.1", "localhost")


def archive(settings: Settings) -> Iterator[Finding]:
    """Whether it answers for an hour."""
    address = settings.archive_url
    without = "without it, --pool, --rows and --source git work"
    remedy = f"check FORGE_ARCHIVE_URL and the proxies; {without}"
    try:
        status, content, _ = _asked(address, f"/{HOUR}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        found = f"{address} does not answer: {_words(error)}"
        yield missing("archive", found, remedy, ServiceError)
        return
    if status in {200, 206} and not content.startswith(b"\x1f\x8b"):
        yield missing("archive", f"{address} gives a page, no gzip", remedy, ServiceError)
    elif status in {200, 206, 404, 410}:
        has = "has" if status < 300 else "answers, without"
        yield ok("archive", f"{address} {has} {HOUR.partition('.')[0]}")
    else:
        said = REFUSED.get(status, "does not answer")
        yield missing("archive", f"{address} {said}: status {status}", remedy, ServiceError)


def mirrors(settings: Settings) -> Iterator[Finding]:
    """Whether the host that repositories are fetched from can be reached."""
    template = settings.git_url
    address = Address(address_of(template.url, SOMEBODY), template.secret)
    parts = urlsplit(address.url)
    try:
        found = _reached(address)
    except (httpx.HTTPError, OSError, ValueError) as error:
        remedy = "check the network and the proxies, or set FORGE_GIT_URL to another server"
        said = f"{address.origin} cannot be reached: {_words(error)}"
        yield missing("mirrors", said, remedy, ServiceError)
    else:
        yield found if isinstance(found, Finding) else ok("mirrors", f"{parts.scheme}: {found}")


def _reached(address: Address) -> Finding | str:
    parts = urlsplit(address.url)
    if parts.scheme == "file":
        return _folder(Path(parts.path.split("/git/git")[0]))
    if not parts.scheme.startswith("http"):
        host = parts.hostname or address.url.partition("@")[2].partition(":")[0]
        port = parts.port or {"git": 9418}.get(parts.scheme, 22)
        socket.create_connection((host, port), SECONDS).close()
        return f"{host}:{port} takes connections"
    status, _, _ = _asked(address, "/info/refs?service=git-upload-pack")
    if status in {403, 407} or status >= 500 or (status == 401 and address.secret):
        said = f"{address.origin} {REFUSED.get(status, 'is in trouble')}: status {status}"
        remedy = "check the login in FORGE_GIT_URL, and the proxies"
        return missing("mirrors", said, remedy, ServiceError)
    return f"{address.origin} answers"


def _folder(folder: Path) -> Finding | str:
    if not folder.exists():
        remedy = "set FORGE_GIT_URL to a server, or a folder that is there"
        return missing("mirrors", f"no folder {folder}", remedy, InputError)
    return f"repositories of {folder}"


def _asked(address: Address, path: str) -> tuple[int, bytes, str | None]:
    """Status, first bytes and time of an answer."""
    options = {"timeout": SECONDS, "follow_redirects": True, "auth": address.login}
    with (
        httpx.Client(**options) as http,  # type: ignore[arg-type]
        http.stream("GET", address.url.rstrip("/") + path) as response,
    ):
        content = next(response.iter_raw(1024), b"")
        return response.status_code, content, response.headers.get("Date")


def _words(error: Exception) -> str:
    return masked(str(error) or type(error).__name__)


def tokens(settings: Settings) -> Iterator[Finding]:
    """Which logins and tokens there are, never what they are."""
    logins = {"FORGE_ARCHIVE_URL": settings.archive_url, "FORGE_GIT_URL": settings.git_url}
    held = [f"a login in {name}" for name, address in logins.items() if address.secret]
    held += [name for name in TOKENS if os.environ.get(name)]
    held += ["~/.netrc"] if Path("~/.netrc").expanduser().exists() else []
    yield ok("tokens", f"{', '.join(held) or 'none'}; none is needed for public repositories")


def proxied(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - they are the environment's
    """Which proxies are set, and that loopback goes past them."""
    found = proxies()
    if not found:
        yield ok("proxies", "none")
        return
    shown = ", ".join(f"{name}={_shown(address)}" for name, address in found.items())
    spared = {host.strip() for text in exempt().values() for host in text.split(",")}
    if "*" not in spared and not spared & set(LOOPBACK):
        remedy = f"let no_proxy be {','.join(LOOPBACK)}, or `forge demo` asks the proxy for itself"
        yield warning("proxies", f"{shown}, also before loopback", remedy)
    else:
        yield ok("proxies", shown)


def _shown(address: Address) -> str:
    return address.url.replace("://", "://***@", 1) if address.secret else address.url


def clock(settings: Settings) -> Iterator[Finding]:
    """Whether time runs on, and is the same elsewhere."""
    began, wall = time.monotonic(), time.time()
    found = list(_times(settings))
    jumped = abs((time.time() - wall) - (time.monotonic() - began))
    if jumped > 1:
        yield warning("clock", f"it jumped by {jumped:.0f} s just now", "let one service set it")
        return
    if not found:
        yield ok("clock", "runs on; no server tells the time")
        return
    host, skew = max(found, key=lambda told: abs(told[1]))
    if abs(skew) > SKEW:
        said = f"{abs(skew):,.0f} s {'behind' if skew > 0 else 'ahead of'} {host}"
        yield warning("clock", said, "set it, such as by chrony: what is too young goes by it")
    else:
        yield ok("clock", f"within {SKEW} s of {host}")


def _times(settings: Settings) -> Iterator[tuple[str, float]]:
    """Seconds that each server's clock is ahead of ours."""
    paths = {settings.archive_url: f"/{HOUR}", settings.git_url: ""}
    for address, path in paths.items():
        if address.url.startswith("http"):
            with suppress(httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
                told = _asked(Address(address.origin), "/") if not path else _asked(address, path)
                at = parsedate_to_datetime(told[2] or "")
                yield address.origin, (at - datetime.now(UTC)).total_seconds()
