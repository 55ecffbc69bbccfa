"""Calls to GitHub's GraphQL: one request, by whatever token has points left."""

import time
from dataclasses import dataclass, field
from typing import Self

import httpx
import stamina
from pydantic import SecretStr

from forge.address import Address
from forge.errors import InputError, ServiceError
from forge.services.github_answers import (
    Answer,
    LimitedError,
    OverloadedError,
    RefusedError,
    read,
)
from forge.services.github_documents import Document
from forge.services.github_tokens import Token, Tokens
from forge.settings import Settings

TRIES = 5
# GitHub gives a call ten seconds, and says so.
SECONDS = httpx.Timeout(30, connect=20)
VERSION = "2022-11-28"
HEADERS = {
    "User-Agent": "sweforge",
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": VERSION,
}
HOW_TO_SET = "set FORGE_GITHUB_URL to the API's address, or try again later"
HOW_TO_ASK = (
    "GitHub answers these questions to a token alone\n"
    "set FORGE_GITHUB_TOKENS to one or several, or leave out --enrich github"
)


def graphql_url(address: str) -> str:
    """Where GraphQL is, beside a REST API.

    >>> graphql_url("https://api.github.com"), graphql_url("https://host/api/v3/")
    ('https://api.github.com/graphql', 'https://host/api/graphql')
    """
    return address.rstrip("/").removesuffix("/v3") + "/graphql"


@dataclass
class Calls:
    """A connection to GitHub's GraphQL, and the tokens that it is used with."""

    address: Address
    tokens: Tokens
    http: httpx.AsyncClient = field(init=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The GitHub that the settings name."""
        address = settings.github_url
        try:
            url = httpx.URL(address.url)
        except httpx.InvalidURL as error:
            raise InputError(f"{address.url!r}: {error}\n{HOW_TO_SET}") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise InputError(f"{address.url!r} is no http address\n{HOW_TO_SET}")
        if not settings.github_tokens:
            raise InputError(HOW_TO_ASK)
        tokens = [Token(n, secret) for n, secret in enumerate(settings.github_tokens, 1)]
        return cls(address, Tokens(tokens))

    async def __aenter__(self) -> Self:
        try:
            # A redirect would take the token elsewhere.
            self.http = httpx.AsyncClient(timeout=SECONDS, headers=HEADERS, follow_redirects=False)
        except (ValueError, ImportError, httpx.InvalidURL):
            raise InputError("a proxy cannot be used\nname one of http:// or https://") from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.aclose()

    async def call(self, document: Document, points: int) -> Answer:
        """What GitHub answers, however long its limits make one wait.

        OverloadedError where less at once might be answered; ServiceError where GitHub is down.
        """
        content: dict[str, object] = {"query": document.query, "variables": document.variables}
        while True:
            async with self.tokens.lent(points) as token:
                response = await self._post(content, token)
                try:
                    return _heard(response, token)
                except LimitedError as limited:
                    token.rest(limited, time.monotonic())
                except RefusedError as refused:
                    raise self._explained(refused, token) from None

    async def _post(self, content: dict[str, object], token: Token) -> httpx.Response:
        url = graphql_url(self.address.url)
        try:
            async for attempt in stamina.retry_context(on=_is_passing, attempts=TRIES):
                with attempt:
                    return await self.http.post(url, json=content, headers=_login(token.secret))
        except httpx.ReadTimeout as error:
            raise OverloadedError("no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            words = f"{type(error).__name__} {error}".strip()
            raise ServiceError(f"GitHub does not answer: {url}: {words}\n{HOW_TO_SET}") from None
        raise AssertionError  # a try ends in an answer or an error

    def _explained(self, refused: RefusedError, token: Token) -> Exception:
        url = graphql_url(self.address.url)
        if refused.status == 401:
            which = f"token {token.number} of {len(self.tokens.tokens)}"
            return InputError(
                f"{url} does not accept {which} of FORGE_GITHUB_TOKENS\n"
                "it may have expired: set one that is valid"
            )
        if refused.status in {301, 302, 307, 308, 404, 405}:
            return InputError(f"{url} is no GraphQL API: {refused}\n{HOW_TO_SET}")
        return ServiceError(f"GitHub refuses a call: {url}: {refused}\n{HOW_TO_SET}")


def _heard(response: httpx.Response, token: Token) -> Answer:
    answer = read(response)
    token.hear(response.headers, time.monotonic())
    return answer


def _is_passing(error: Exception) -> bool:
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ReadTimeout)


def _login(secret: SecretStr) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret.get_secret_value()}"}
