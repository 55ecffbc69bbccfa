"""Tokens of GitHub, each with its limits, and which of them the next call takes."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import get_args

import httpx
from pydantic import SecretStr

from forge.services.github_answers import LONGEST_WAIT, LimitedError, reset_in
from forge.services.github_quotas import Minute, Pause, Quota, Resource
from forge.services.waits import Waits

AT_ONCE = 100
"""Requests that GitHub takes at once, of all tokens together."""
TOKEN_AT_ONCE = 8
"""Far below what GitHub takes, because more of them at work do not come sooner."""
GRAPHQL_MINUTE = (2_000, 55.0)
"""Points, and seconds of GitHub's own time: it allows 60, of 90 with REST's."""
REST_MINUTE = (900, 30.0)


def _quotas() -> dict[Resource, Quota]:
    return {resource: Quota() for resource in get_args(Resource)}


@dataclass
class Token:
    """A token and what GitHub last said of it."""

    number: int
    secret: SecretStr
    quotas: dict[Resource, Quota] = field(default_factory=_quotas)
    pause: Pause = field(default_factory=Pause)
    """For limits that are of all resources."""
    graphql: Minute = field(default_factory=lambda: Minute(*GRAPHQL_MINUTE))
    rest: Minute = field(default_factory=lambda: Minute(*REST_MINUTE))

    @property
    def running(self) -> int:
        """Calls on their way."""
        return sum(len(quota.running) for quota in self.quotas.values())

    def minute(self, resource: Resource) -> Minute:
        """What the API of a resource was asked of late."""
        return self.graphql if resource == "graphql" else self.rest

    def wait(self, points: int, resource: Resource, now: float) -> float:
        """Seconds until it may be used for a call of so many points."""
        quota, minute = self.quotas[resource], self.minute(resource)
        waits = (self.pause.until - now, quota.wait(points, now), minute.wait(points, now))
        return min(max(waits), LONGEST_WAIT)

    def hear(self, headers: httpx.Headers, resource: Resource, now: float) -> None:
        """Note what is left, as an answer says."""
        self.pause.limits = self.quotas[resource].pause.limits = 0
        remaining, seconds = headers.get("x-ratelimit-remaining", ""), reset_in(headers)
        if remaining.isascii() and remaining.isdigit() and seconds is not None:
            # An Enterprise server may count it as another one: then it is noted as both.
            for name in {resource, headers.get("x-ratelimit-resource")} & self.quotas.keys():
                self.quotas[name].hear(int(remaining[:9]), seconds, now)

    def rest_for(self, limited: LimitedError, resource: Resource, now: float) -> None:
        """Leave alone what met a limit: one resource, or the token."""
        pause = self.quotas[resource].pause if limited.is_of_resource else self.pause
        pause.grow(limited.seconds, now)


@dataclass
class Tokens:
    """All tokens; a call takes the one that has most points left."""

    tokens: list[Token]
    waits: Waits = field(default_factory=lambda: Waits("its"))
    """While all of them rest."""

    @asynccontextmanager
    async def lent(self, points: int, resource: Resource = "graphql") -> AsyncIterator[Token]:
        """A token for one call of so many points, when one may be used."""
        token = await self._free(points, resource)
        began, minute = time.monotonic(), token.minute(resource)
        token.quotas[resource].running.append(points)
        minute.spent.append((began, points))
        try:
            yield token
        finally:
            token.quotas[resource].running.remove(points)
            minute.took.append((time.monotonic(), time.monotonic() - began))
            self.waits.changed.set()

    async def _free(self, points: int, resource: Resource) -> Token:
        while True:
            now = time.monotonic()
            waits = {token.number: token.wait(points, resource, now) for token in self.tokens}
            able = [t for t in self.tokens if waits[t.number] <= 0 and self._has_room(t)]
            if able:
                return max(able, key=lambda t: (t.quotas[resource].left(now), -t.running))
            seconds = min(waits.values())
            await self.waits.rest(seconds)

    def _has_room(self, token: Token) -> bool:
        running = sum(other.running for other in self.tokens)
        return running < AT_ONCE and token.running < TOKEN_AT_ONCE
