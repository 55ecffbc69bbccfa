"""GitHub's REST, for what its GraphQL does not tell: one page at a time, each limit for itself."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import httpx
import stamina

from forge.errors import InputError, ServiceError
from forge.services.github_answers import (
    LimitedError,
    OverloadedError,
    RefusedError,
    read_rest,
)
from forge.services.github_connection import ACCEPT, HOW_TO_SET, TRIES, Connection, plain
from forge.services.github_known import Conditional, Known
from forge.services.github_quotas import Resource
from forge.services.github_tokens import Token
from forge.settings import Settings

REDIRECTS = {301, 302, 307, 308}
MOST_REDIRECTS = 5
UNCHANGED = 304
Parameters = Mapping[str, str | int]


class Page(NamedTuple):
    """What one address answers, and where the page after it is."""

    content: Any
    next: str | None = None


@dataclass
class Rest:
    """GitHub's REST by a connection, and the answers of it that are held."""

    connection: Connection
    conditional: Conditional

    @classmethod
    def open(cls, connection: Connection, settings: Settings) -> Self:
        """The REST of a connection."""
        conditional = Conditional(settings.memo_folder / "conditional")
        conditional.clear_drafts()
        return cls(connection, conditional)

    async def get(
        self, path: str, params: Parameters | None = None, *, resource: Resource = "core"
    ) -> Page:
        """What a path below the API's address answers, however long its limits make one wait.

        RefusedError where GitHub does not tell it, which its `status` says; ServiceError where
        GitHub is down.
        """
        return await self._page(self._url(path, params), resource)

    async def pages(
        self, path: str, params: Parameters | None = None, *, resource: Resource = "core"
    ) -> AsyncIterator[Page]:
        """That page, and those that follow."""
        url, told = self._url(path, params), set[httpx.URL]()
        while url not in told:
            told.add(url)
            page = await self._page(url, resource)
            yield page
            if page.next is None:
                return
            url = self._beside(url, page.next)
        raise _circle(url)

    def _url(self, path: str, params: Parameters | None) -> httpx.URL:
        url = httpx.URL(self.connection.address.url.rstrip("/") + path)
        return url.copy_merge_params(params) if params else url

    async def _page(self, url: httpx.URL, resource: Resource) -> Page:
        question = f"{url} {ACCEPT}"
        known = self.conditional.recall(question)
        response, content = await self._led(url, known, resource)
        if known and response.status_code == UNCHANGED:
            return Page(known.content, known.next)
        page = Page(content, response.links.get("next", {}).get("url"))
        etag = response.headers.get("etag", "")
        self.conditional.keep(question, Known(etag, response.content, page.next))
        return page

    async def _led(
        self, url: httpx.URL, known: Known | None, resource: Resource
    ) -> tuple[httpx.Response, Any]:
        """The answer at the end of redirects, such as those of a repository that was renamed."""
        for _ in range(MOST_REDIRECTS + 1):
            response, content = await self._answer(url, known, resource)
            if response.status_code not in REDIRECTS:
                return response, content
            url = self._beside(url, response.headers.get("location", ""))
        raise _circle(url)

    async def _answer(
        self, url: httpx.URL, known: Known | None, resource: Resource
    ) -> tuple[httpx.Response, Any]:
        trying = stamina.retry_context(on=OverloadedError, attempts=TRIES, timeout=None)
        try:
            async for attempt in trying:
                with attempt:
                    return await self._once(url, known, resource)
        except OverloadedError as error:
            words = f"GitHub does not answer: {plain(url)}: {error}"
            raise ServiceError(f"{words}\n{HOW_TO_SET}") from None
        raise AssertionError  # a try ends in an answer or an error

    async def _once(
        self, url: httpx.URL, known: Known | None, resource: Resource
    ) -> tuple[httpx.Response, Any]:
        asked = {"If-None-Match": known.etag} if known else {}
        while True:
            async with self.connection.tokens.lent(1, resource) as token:
                response = await self.connection.get(str(url), asked, token)
                try:
                    content = self._heard(response, token, asked)
                except LimitedError as limited:
                    token.rest_for(limited, resource, time.monotonic())
                else:
                    token.hear(response.headers, resource, time.monotonic())
                    return response, content

    def _heard(self, response: httpx.Response, token: Token, asked: Mapping[str, str]) -> Any:
        is_unchanged = response.status_code == UNCHANGED
        if response.status_code in REDIRECTS or (is_unchanged and asked):
            return None
        try:
            return read_rest(response)
        except RefusedError as refused:
            if refused.status == 401:
                raise self.connection.refused_token(plain(response.url), token) from None
            raise

    def _beside(self, url: httpx.URL, place: str) -> httpx.URL:
        """Another address of the same server: tokens go to no other."""
        try:
            there = url.join(place)
        except (httpx.InvalidURL, ValueError):
            there = httpx.URL()
        if (there.scheme, there.host, there.port) == (url.scheme, url.host, url.port) and place:
            return there
        host = f"{there.scheme}://{there.netloc.decode(errors='replace')}" if place else "nowhere"
        raise InputError(
            f"{plain(url)} leads to another server, which is told no token: {host}\n{HOW_TO_SET}"
        )


def _circle(url: httpx.URL) -> ServiceError:
    return ServiceError(f"GitHub leads around in circles: {plain(url)}\n{HOW_TO_SET}")
