import asyncio
import time
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from forge.services.github_answers import LimitedError
from forge.services.github_tokens import Token, Tokens


def token(number: int = 1, **known: Any) -> Token:
    return Token(number, SecretStr("ghp_x"), **known)


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
    resting.rest(LimitedError(1_800), time.monotonic())
    assert lent(resting, token(2, remaining=1, resets_at=time.monotonic() + 9)) == 2


@pytest.mark.parametrize(
    ("told", "limits", "seconds"),
    [(30, 0, 30), (0, 0, 1), (None, 0, 60), (None, 2, 240), (0, 5, 1_920), (9e9, 0, 3_600)],
)
def test_a_limit_that_is_met_again_and_again_is_waited_for_longer(told, limits, seconds):
    met = token(limits=limits)
    met.rest(LimitedError(told), 1_000.0)
    assert met.wait(1, 1_000.0) == seconds


def test_points_of_the_last_minute_stay_below_two_thousand():
    busy = token()
    busy.spent.extend([(1_000.0, 1_500), (1_010.0, 499)])
    assert [busy.wait(points, 1_020.0) for points in (1, 2, 1_502)] == [0, 40, 50]


def test_answers_of_the_last_minute_took_less_than_a_minute_of_github():
    busy = token()
    busy.took.extend([(1_000.0, 30.0), (1_030.0, 26.0)])
    assert (busy.wait(1, 1_031.0), busy.wait(1, 1_061.0)) == (29, 0)


def test_points_on_their_way_are_no_longer_left():
    told = httpx.Headers(
        {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1772341260",
         "date": "Sun, 01 Mar 2026 05:00:00 GMT"}
    )  # fmt: skip
    used = token(running=[2, 2])
    used.hear(told, 1_000.0)
    assert (used.wait(1, 1_000.0), used.wait(2, 1_000.0), used.wait(2, 1_060.0)) == (0, 60, 0)
