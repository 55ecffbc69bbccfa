"""A model that limits, fails, hangs or refuses: what is asked again, and what ends a build."""

import asyncio
import time
from typing import Any, Literal

import pytest
from llm_replies import (
    Reply,
    bad,
    error_body,
    failed,
    hung_up,
    limited,
    malformed,
    page,
    stalled,
)
from llm_server import KEY, LLM, serve_llm
from pydantic import BaseModel

from forge.artifacts import Artifacts
from forge.effect import Paid, PaidError
from forge.errors import InputError, ServiceError, UsageError
from forge.services import llm_calls
from forge.services.llm import Judge
from forge.services.llm_endpoint import endpoint_of
from forge.services.llm_gate import Gate
from forge.services.llm_prompts import Prompt
from forge.settings import Settings


class Level(BaseModel):
    """How hard it is."""

    level: Literal["easy", "hard"]


HARD = {"level": "hard"}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_calls, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(llm_calls, "SECONDS", 0.5)
    for name in ("OPENAI_API_KEY", "OPENROUTER_API_KEY", "FORGE_LLM_API_KEY", "FORGE_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)


async def asked(llm: LLM, count: int, **changed: Any) -> list[Paid]:
    given = {"llm_base_url": llm.url, "llm_model": "toy-1", "llm_api_key": KEY} | changed
    async with Judge.open(Settings(**given), Artifacts(None)) as judge:
        prompts = [Prompt("How hard?", {"title": str(n)}) for n in range(count)]
        return list(await asyncio.gather(*[judge.ask(prompt, Level) for prompt in prompts]))


def ask(llm: LLM, count: int = 1, **changed: Any) -> list[Paid]:
    return asyncio.run(asked(llm, count, **changed))


@pytest.mark.parametrize(
    "fault",
    [
        failed(500),
        failed(503),
        malformed(),
        page(),
        hung_up(),
        stalled(),
        limited("0"),
        error_body(429, "Rate limited upstream")._replace(headers={"retry-after": "0"}),
        error_body("server_error", "overloaded"),
    ],
    ids=["500", "503", "malformed", "page", "hung up", "stalled", "429", "429 in 200", "in 200"],
)
def test_what_passes_is_asked_again(fault: Reply):
    with serve_llm(lambda _: HARD, first=[fault, fault]) as llm:
        (paid,) = ask(llm)
    assert paid.answer == HARD
    assert (paid.bill.attempts, len(llm.asked)) == (3, 3)
    assert paid.bill.input_tokens == 100, "what did not come cost nothing"


def test_limit_is_waited_for_as_long_as_it_says_by_all():
    with serve_llm(lambda _: HARD, first=[None, limited("1")]) as llm:
        began = time.monotonic()
        paid = ask(llm, 10, llm_concurrency=2)
        took = time.monotonic() - began
    assert [one.answer for one in paid] == [HARD] * 10
    assert took >= 1
    assert llm.statuses.count(429) == 1


def test_model_that_takes_four_at_once_is_asked_by_about_four_and_nothing_is_lost():
    with serve_llm(lambda _: HARD, most=4, latency=0.2) as llm:
        paid = ask(llm, 60, llm_concurrency=16)
    assert [one.answer for one in paid] == [HARD] * 60
    assert llm.statuses.count(429) <= 40
    assert llm.busiest >= 4
    assert sum(one.bill.attempts for one in paid) == len(llm.asked)


def test_gate_halves_once_for_what_was_on_its_way_together_and_grows_by_one_a_round():
    gate = Gate(16)
    began = time.monotonic()
    for _ in range(16):
        gate.rest(0, began)
    assert gate.room == 8
    for _ in range(9):
        gate.grow()
    assert 9 <= gate.room < 10
    for _ in range(1_000):
        gate.grow()
    assert gate.room == 16


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (failed(500), "The server had an error"),
        (limited("86400"), "Rate limit reached"),
        (bad(429, "You exceeded your current quota", "insufficient_quota"), "current quota"),
        (bad(402, "Insufficient credits"), "Insufficient credits"),
        (bad(400, "Unsupported value: 'temperature'"), "'temperature'"),
        (bad(400, "max_tokens is too large: 4000"), "max_tokens is too large"),
        (hung_up(), "APIConnectionError"),
    ],
    ids=["500", "tomorrow", "quota", "credits", "temperature", "max_tokens", "hung up"],
)
def test_model_that_takes_no_question_is_a_service_that_is_down(fault: Reply, words: str):
    with serve_llm(lambda _: fault) as llm, pytest.raises(ServiceError, match=words) as raised:
        ask(llm)
    assert "FORGE_LLM_BASE_URL" in str(raised.value)
    assert len(llm.asked) <= llm_calls.TRIES


@pytest.mark.parametrize(
    "fault", [bad(401, "Incorrect API key"), bad(403, "No access"), bad(404, "no model toy-1")]
)
def test_wrong_key_or_model_is_an_error_of_the_users_that_shows_no_key(fault: Reply):
    with serve_llm(lambda _: fault) as llm, pytest.raises(InputError) as raised:
        ask(llm)
    assert len(llm.asked) == 1
    assert KEY not in str(raised.value)


def test_redirect_does_not_take_the_key_elsewhere():
    with serve_llm(lambda _: HARD) as other, serve_llm(lambda _: HARD) as llm:
        target = f"{other.url}/chat/completions"
        llm.first = [Reply(307, b"", {"location": target})]
        with pytest.raises(ServiceError):
            ask(llm)
    assert other.asked == []


def test_what_was_paid_before_a_service_went_down_is_told():
    answers = [{"level": "tough"}, *[failed(500)] * llm_calls.TRIES]
    with serve_llm(lambda _: answers.pop(0)) as llm, pytest.raises(PaidError) as raised:
        ask(llm)
    assert raised.value.bill.input_tokens == 100
    assert raised.value.bill.attempts == len(llm.asked) == 1 + llm_calls.TRIES


def test_nobody_at_the_address_is_a_service_that_is_down():
    with serve_llm(lambda _: HARD) as llm:
        pass
    with pytest.raises(ServiceError, match="does not answer"):
        ask(llm)


@pytest.mark.parametrize(
    ("given", "where", "key"),
    [
        ({"openai_api_key": "a"}, "https://api.openai.com/v1", "a"),
        ({"openrouter_api_key": "r", "openai_api_key": "a"}, "https://openrouter.ai/api/v1", "r"),
        ({"llm_api_key": "f", "openai_api_key": "a"}, "https://openrouter.ai/api/v1", "f"),
        ({"llm_base_url": "https://x.test/v1", "openai_api_key": "a"}, "https://x.test/v1", None),
        ({"llm_base_url": "https://api.openai.com/v1", "openai_api_key": "a"},
         "https://api.openai.com/v1", "a"),
    ],
)  # fmt: skip
def test_key_goes_to_its_own_endpoint_alone(given, where, key):
    endpoint = endpoint_of(Settings(llm_model="toy-1", **given))
    assert endpoint.address.url == where
    assert (endpoint.key.get_secret_value() if endpoint.key else None) == key


@pytest.mark.parametrize("given", [{}, {"llm_model": "toy-1"}, {"openai_api_key": "a"}])
def test_without_a_key_or_a_model_nobody_is_asked(given):
    assert endpoint_of(Settings(**given)) is None


def test_key_without_a_model_is_refused():
    with pytest.raises(UsageError, match="FORGE_LLM_MODEL"):
        endpoint_of(Settings(llm_api_key="f"))


def test_identity_is_address_model_and_sampling_and_no_key():
    given = {"llm_base_url": "https://x.test/v1", "llm_model": "toy-1", "llm_api_key": "f-secret"}
    plain = endpoint_of(Settings(**given)).identity
    changes = [{"llm_seed": 1}, {"llm_temperature": 1}, {"llm_output_tokens": 99},
               {"llm_model": "toy-2"}, {"llm_base_url": "https://y.test/v1"}]  # fmt: skip
    others = {endpoint_of(Settings(**(given | change))).identity for change in changes}
    assert len(others | {plain}) == 6
    assert "f-secret" not in plain
