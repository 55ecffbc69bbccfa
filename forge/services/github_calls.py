"""Calls to GitHub's GraphQL: one request, by whatever token has points left."""

import time
from dataclasses import dataclass

import httpx

from forge.errors import InputError, ServiceError
from forge.services.github_answers import Answer, LimitedError, RefusedError, read
from forge.services.github_connection import HOW_TO_SET, Connection
from forge.services.github_documents import Document
from forge.services.github_tokens import Token


def graphql_url(address: str) -> str:
    """Where GraphQL is, beside a REST API.

    >>> graphql_url("https://api.github.com"), graphql_url("https://host/api/v3/")
    ('https://api.github.com/graphql', 'https://host/api/graphql')
    """
    return address.rstrip("/").removesuffix("/v3") + "/graphql"


@dataclass
class Calls:
    """GitHub's GraphQL by a connection."""

    connection: Connection

    async def call(self, document: Document, points: int) -> Answer:
        """What GitHub answers, however long its limits make one wait.

        OverloadedError where less at once might be answered; ServiceError where GitHub is down.
        """
        content: dict[str, object] = {"query": document.query, "variables": document.variables}
        while True:
            async with self.connection.tokens.lent(points) as token:
                response = await self.connection.post(self._url, content, token)
                try:
                    return _heard(response, token)
                except LimitedError as limited:
                    token.rest_for(limited, "graphql", time.monotonic())
                except RefusedError as refused:
                    raise self._explained(refused, token) from None

    @property
    def _url(self) -> str:
        return graphql_url(self.connection.address.url)

    def _explained(self, refused: RefusedError, token: Token) -> Exception:
        if refused.status == 401:
            return self.connection.refused_token(self._url, token)
        if refused.status in {301, 302, 307, 308, 404, 405}:
            return InputError(f"{self._url} is no GraphQL API: {refused}\n{HOW_TO_SET}")
        return ServiceError(f"GitHub refuses a call: {self._url}: {refused}\n{HOW_TO_SET}")


def _heard(response: httpx.Response, token: Token) -> Answer:
    answer = read(response)
    token.hear(response.headers, "graphql", time.monotonic())
    return answer
