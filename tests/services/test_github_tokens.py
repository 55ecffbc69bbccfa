import asyncio
import time
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from forge.services.github_answers import LimitedError
from forge.services.github_quotas import Minute, Pause, Quota
from forge.services.github_tokens import Token, Tokens


def token(number: int = 1, **known: Any) -> Token:
    """A token of which this is known for GraphQL."""
    made = Token(number, SecretStr("ghp_x"))
    made.quotas["graphql"] = Quota(**known)
    return made


def lent(*tokens: Token) -> int:
    async def one() -> int:
        async with Tokens([*tokens]).lent(1) as chosen:
            return chosen.number

    return asyncio.run(one())


def test_the_token_with_most_points_left_is_taken():
    later = time.monotonic() + 900
    few, many = (token(n, remaining=left, resets_at=later) for n, left in ((1, 10), (2, 4_000)))
    assert lent(few, many) == 2


def test_a_token_that_rests_is_left_to_rest_while_others_work():
    resting = token(1)
    resting.rest_for(LimitedError(1_800), "graphql", time.monotonic())
    assert lent(resting, token(2, remaining=1, resets_at=time.monotonic() + 9)) == 2


@pytest.mark.parametrize(
    ("told", "limits", "seconds"),
    [(30, 0, 30), (0, 0, 1), (None, 0, 60), (None, 2, 240), (0, 5, 1_920), (9e9, 0, 3_600)],
)
def test_a_limit_that_is_met_again_and_again_is_waited_for_longer(told, limits, seconds):
    met = Pause(limits=limits)
    met.grow(told, 1_000.0)
    assert met.until == 1_000.0 + seconds


def test_a_primary_limit_is_of_one_resource_and_any_other_of_all():
    spent, blocked = token(), token()
    spent.rest_for(LimitedError(60, is_of_resource=True), "code_search", 1_000.0)
    blocked.rest_for(LimitedError(60), "code_search", 1_000.0)
    waits = [[t.wait(1, r, 1_000.0) for r in ("code_search", "graphql")] for t in (spent, blocked)]
    assert waits == [[60, 0], [60, 60]]


def test_points_of_the_last_minute_stay_below_two_thousand():
    busy = token()
    busy.graphql.spent.extend([(1_000.0, 1_500), (1_010.0, 499)])
    assert [busy.wait(points, "graphql", 1_020.0) for points in (1, 2, 1_502)] == [0, 40, 50]


def test_answers_of_the_last_minute_took_less_than_a_minute_of_github():
    busy = Minute(2_000, 55.0)
    busy.took.extend([(1_000.0, 30.0), (1_030.0, 26.0)])
    assert (busy.wait(1, 1_031.0), busy.wait(1, 1_061.0)) == (29, 0)


def told(remaining: int, **headers: str) -> httpx.Headers:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    limits = {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": "1772341260"}
    return httpx.Headers({"date": "Sun, 01 Mar 2026 05:00:00 GMT"} | limits | said)


def test_points_on_their_way_are_no_longer_left():
    used = token(running=[2, 2])
    used.hear(told(5), "graphql", 1_000.0)
    waits = [used.wait(points, "graphql", at) for points, at in ((1, 1e3), (2, 1e3), (2, 1_060.0))]
    assert waits == [0, 60, 0]


def test_what_one_resource_has_left_says_nothing_of_another():
    used = token()
    used.hear(told(0), "code_search", 1_000.0)
    assert [used.wait(1, name, 1_000.0) for name in ("code_search", "core", "graphql")] == [
        60,
        0,
        0,
    ]


def test_what_an_enterprise_server_counts_as_another_resource_is_spent_there_too():
    used = token()
    used.hear(told(0, x_ratelimit_resource="search"), "code_search", 1_000.0)
    assert [used.wait(1, name, 1_000.0) for name in ("code_search", "search", "core")] == [
        60,
        60,
        0,
    ]


def test_answers_that_overtake_each_other_leave_what_the_last_of_them_left():
    used = token()
    used.hear(told(7), "graphql", 1_000.0)
    used.hear(told(9), "graphql", 1_000.0)
    assert used.quotas["graphql"].left(1_000.0) == 7
    used.hear(told(9), "graphql", 1_061.0)
    assert used.quotas["graphql"].left(1_061.0) == 9


def test_points_that_come_back_before_they_were_said_to_are_spent():
    used = token()
    used.hear(told(1), "graphql", 1_000.0)
    used.hear(told(4_999, x_ratelimit_reset="1772344860"), "graphql", 1_001.0)
    assert used.quotas["graphql"].left(1_001.0) == 4_999
