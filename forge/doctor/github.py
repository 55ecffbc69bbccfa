"""GitHub: whether it takes each token, and what is left of its limits, which costs no point."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import httpx
from pydantic import SecretStr

from forge.address import Address, masked
from forge.doctor.findings import Finding, missing, ok, warning
from forge.errors import ForgeError, InputError, ServiceError
from forge.services.github_answers import (
    LimitedError,
    OverloadedError,
    RefusedError,
    read_rest,
)
from forge.services.github_connection import HEADERS, address_of, login
from forge.services.github_models import Left, RateLimits, User, told
from forge.settings import Settings

SECONDS = 5.0
AT_ONCE = 8
NOT_COUNTED = "rate limiting is not enabled"
HOW_TO_REACH = "check FORGE_GITHUB_URL and the proxies; --enrich git works without it"
WITHOUT = "set FORGE_GITHUB_TOKENS to one or several, and months are asked of GitHub"


def github(settings: Settings) -> Iterator[Finding]:
    """Whether it takes the tokens, and how much each of them may still ask."""
    secrets = settings.github_tokens
    if not secrets:
        yield Finding("github", "ok", "no token is set: --enrich git is used", WITHOUT)
        return
    address = address_of(settings)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [*pool.map(partial(_looked, address), range(1, len(secrets) + 1), secrets)]
    # A server that does not answer one does not answer the others.
    down = next((one for one in found if one.subject == "github"), None)
    yield from [down] if down else found
    if len(secrets) > 1 and not down:
        yield from _shared(address, secrets)


def _looked(address: Address, number: int, secret: SecretStr) -> Finding:
    subject = f"github/{number}"
    try:
        limits = told(RateLimits, _asked(address, "/rate_limit", secret))
    except RefusedError as refused:
        return _refused(address, subject, refused)
    except LimitedError:
        remedy = "wait some minutes; a build would wait by itself"
        return warning(subject, "GitHub wants to be left alone for a while", remedy)
    except OverloadedError as error:
        said = f"{address} does not answer: {error}"
        return missing("github", said, HOW_TO_REACH, ServiceError)
    except ForgeError as error:
        said, _, remedy = str(error).partition("\n")
        return missing("github", f"{address}: {said}", remedy, type(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        said = f"{address} does not answer: {masked(str(error) or type(error).__name__)}"
        return missing("github", said, HOW_TO_REACH, ServiceError)
    return _left(subject, limits)


def _asked(address: Address, path: str, secret: SecretStr) -> object:
    try:
        http = httpx.Client(timeout=SECONDS, headers=HEADERS | login(secret))
    except (ValueError, ImportError, httpx.InvalidURL):
        raise InputError("a proxy cannot be used\nname one of http:// or https://") from None
    with http:
        return read_rest(http.get(address.url.rstrip("/") + path))


def _refused(address: Address, subject: str, refused: RefusedError) -> Finding:
    if refused.status == 401:
        said = f"{address} does not accept this token of FORGE_GITHUB_TOKENS"
        remedy = "it may have expired: set one that is valid, or leave it out"
        return missing(subject, said, remedy, InputError)
    if refused.status == 404 and NOT_COUNTED in str(refused).lower():
        remedy = "one token is enough there; ask its administrator how much it takes"
        return Finding(subject, "ok", f"{address} answers, and counts no requests", remedy)
    said = f"{address} is no API of GitHub that takes this token: {masked(str(refused))}"
    remedy = "let FORGE_GITHUB_URL be https://api.github.com, or https://<host>/api/v3"
    return missing(subject, said, remedy, InputError)


def _left(subject: str, limits: RateLimits) -> Finding:
    left = limits.resources
    said = [
        f"{_of(left.graphql)} points of GraphQL until {_time(left.graphql)}",
        f"{_of(left.core)} requests of REST until {_time(left.core)}",
        f"{_of(left.search)} searches until {_time(left.search)}",
    ]
    if code := left.code_search:
        said.append(f"{_of(code)} searches for code until {_time(code)}")
    if left.graphql.remaining == 0:
        remedy = "a build waits until then; a token of another user has points of its own"
        return warning(subject, ", ".join(said), remedy)
    return ok(subject, ", ".join(said))


def _of(left: Left) -> str:
    return f"{left.remaining:,} of {left.limit:,}"


def _time(left: Left) -> str:
    return f"{datetime.fromtimestamp(left.reset, UTC):%H:%M} UTC"


def _shared(address: Address, secrets: tuple[SecretStr, ...]) -> Iterator[Finding]:
    """Which tokens are of one user, where GitHub tells whose they are."""
    owners: dict[int, list[str]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ids = pool.map(partial(_owner, address), secrets)
    for number, owner in enumerate(ids, 1):
        if owner is not None:
            owners.setdefault(owner, []).append(str(number))
    for numbers in owners.values():
        if len(numbers) > 1:
            said = f"tokens {', '.join(numbers)} are of one user, whose limits they share"
            yield warning("github", said, "only tokens of other users let more be asked")


def _owner(address: Address, secret: SecretStr) -> int | None:
    try:
        return told(User, _asked(address, "/user", secret)).id
    except (RefusedError, LimitedError, OverloadedError, ForgeError, httpx.HTTPError):
        return None  # such as an app's token, which is nobody's
