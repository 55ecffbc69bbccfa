"""A connection to GitHub: one request with one token, and what its failures mean to a user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import httpx
import stamina
from pydantic import SecretStr

from forge.address import Address
from forge.errors import InputError, ServiceError
from forge.services import proxies
from forge.services.github_answers import OverloadedError
from forge.services.github_tokens import Token, Tokens
from forge.settings import Settings

TRIES = 5
# GitHub gives a call ten seconds, and says so.
SECONDS = httpx.Timeout(30, connect=20)
VERSION = "2022-11-28"
ACCEPT = "application/vnd.github+json"
HEADERS = {"User-Agent": "sweforge", "Accept": ACCEPT, "X-GitHub-Api-Version": VERSION}
HOW_TO_SET = "set FORGE_GITHUB_URL to the API's address, or try again later"
HOW_TO_ASK = (
    "GitHub answers these questions to a token alone\n"
    "set FORGE_GITHUB_TOKENS to one or several, or leave out --enrich github"
)


@dataclass
class Connection:
    """GitHub's address, and the tokens that it is asked with."""

    address: Address
    tokens: Tokens
    http: httpx.AsyncClient = field(init=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The GitHub that the settings name."""
        address = address_of(settings)
        if not settings.github_tokens:
            raise InputError(HOW_TO_ASK)
        tokens = [Token(n, secret) for n, secret in enumerate(settings.github_tokens, 1)]
        return cls(address, Tokens(tokens))

    async def __aenter__(self) -> Self:
        shown = proxies.told()
        try:
            # A redirect would take the token elsewhere.
            self.http = httpx.AsyncClient(timeout=SECONDS, headers=HEADERS, follow_redirects=False)
        except (ValueError, ImportError, httpx.InvalidURL):
            raise InputError(
                f"a proxy cannot be used: {shown}\nname one of http:// or https://"
            ) from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.aclose()

    async def post(self, url: str, content: Mapping[str, object], token: Token) -> httpx.Response:
        """What comes back of a document of JSON."""
        return await self._sent(self.http.build_request("POST", url, json=content), token)

    async def get(self, url: str, headers: Mapping[str, str], token: Token) -> httpx.Response:
        """What an address gives, redirects and all."""
        return await self._sent(self.http.build_request("GET", url, headers=headers), token)

    async def _sent(self, request: httpx.Request, token: Token) -> httpx.Response:
        request.headers.update(login(token.secret))
        try:
            async for attempt in stamina.retry_context(on=_is_passing, attempts=TRIES):
                with attempt:
                    return await self.http.send(request)
        except httpx.ReadTimeout as error:
            raise OverloadedError("no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            words = f"{plain(request.url)}: {_words(error, request)}"
            raise ServiceError(f"GitHub does not answer: {words}\n{HOW_TO_SET}") from None
        raise AssertionError  # a try ends in an answer or an error

    def refused_token(self, url: str, token: Token) -> InputError:
        """What to say of a token that GitHub does not know."""
        which = f"token {token.number} of {len(self.tokens.tokens)}"
        return InputError(
            f"{url} does not accept {which} of FORGE_GITHUB_TOKENS\n"
            "it may have expired: set one that is valid"
        )


def plain(url: httpx.URL) -> str:
    """An address without what is asked of it."""
    return str(url.copy_with(query=None))


def _is_passing(error: Exception) -> bool:
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ReadTimeout)


def _words(error: Exception, request: httpx.Request) -> str:
    shown = proxies.told(request.url.scheme)
    return f"{type(error).__name__} {error}".strip() + (f" (by {shown})" if shown else "")


def login(secret: SecretStr) -> dict[str, str]:
    """The header that tells a token."""
    return {"Authorization": f"Bearer {secret.get_secret_value()}"}


def address_of(settings: Settings) -> Address:
    """The address of GitHub's API; InputError where it cannot be one."""
    address = settings.github_url
    try:
        url = httpx.URL(address.url)
    except httpx.InvalidURL as error:
        raise InputError(f"{address.url!r}: {error}\n{HOW_TO_SET}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise InputError(f"{address.url!r} is no http address\n{HOW_TO_SET}")
    return address
