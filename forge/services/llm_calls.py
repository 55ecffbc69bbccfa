"""Requests to a model: one completion each, asked again where that may help, and paid for."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import stamina

from forge.errors import ForgeError, InputError, ServiceError
from forge.services.llm_answers import (
    DownError,
    KeyRefusedError,
    LimitedError,
    PassingError,
    checked,
    meaning,
    refusal_in,
)
from forge.services.llm_bills import Tally
from forge.services.llm_endpoint import Endpoint
from forge.services.llm_gate import Gate

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

TRIES = 6
LONGEST_PAUSE = 20.0
SECONDS = 120.0
"""That one completion may take."""
CONNECT_SECONDS = 20.0
NO_KEY = "none"
"""Local servers ask for none, and the library for any."""
AT_ONCE = 0.001
HOW_TO_SET = "check FORGE_LLM_BASE_URL, FORGE_LLM_MODEL and the key, or try again later"


@dataclass
class Calls:
    """A connection to one model."""

    endpoint: Endpoint
    gate: Gate
    client: "openai.AsyncOpenAI" = field(init=False)

    async def __aenter__(self) -> Self:
        import openai

        key = self.endpoint.key
        # A redirect would take the key elsewhere.
        try:
            http = openai.DefaultAsyncHttpxClient(follow_redirects=False)
        except (ValueError, ImportError):
            raise InputError("a proxy cannot be used\nname one of http:// or https://") from None
        self.client = openai.AsyncOpenAI(
            base_url=self.endpoint.address.url,
            api_key=key.get_secret_value() if key else NO_KEY,
            timeout=openai.Timeout(SECONDS, connect=CONNECT_SECONDS),
            max_retries=0,  # the gate has to hear of every limit
            http_client=http,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.client.close()

    async def create(self, *, tally: Tally, **request: Any) -> "ChatCompletion":
        """A completion that may hold an answer, however long limits make one wait."""
        try:
            async for attempt in stamina.retry_context(
                on=_pause, attempts=TRIES, timeout=None, wait_max=LONGEST_PAUSE
            ):
                with attempt:
                    return checked(await self._once(tally, request))
        except (LimitedError, PassingError, DownError) as error:
            raise self._explained(error, ServiceError) from None
        except KeyRefusedError as error:
            raise self._explained(error, InputError) from None
        raise AssertionError  # a try ends in an answer or an error

    async def _once(self, tally: Tally, request: dict[str, Any]) -> "ChatCompletion":
        async with self.gate.entered() as began:
            tally.attempts += 1
            try:
                completion = await self._sent(request)
            except LimitedError as limited:
                self.gate.rest(limited.seconds, began)
                raise
            finally:
                tally.seconds += time.monotonic() - began
            tally.add(completion)
            self.gate.grow()
            return completion

    async def _sent(self, request: dict[str, Any]) -> "ChatCompletion":
        import openai
        from openai.types.chat import ChatCompletion

        try:
            completion = await self.client.chat.completions.create(**request)
        except openai.APIStatusError as error:
            body = error.body or error.response.text
            raise meaning(refusal_in(body, error.status_code, error.response.headers)) from None
        except openai.APIError as error:
            raise PassingError(f"{type(error).__name__}: {error}") from None
        except ValueError as error:  # half a body, or none of JSON
            raise PassingError(f"no JSON: {error}") from None
        if not isinstance(completion, ChatCompletion):
            raise PassingError("a page in place of an answer")
        if not completion.choices and (completion.model_extra or {}).get("error"):
            raise meaning(refusal_in(completion.model_extra))
        return completion

    def _explained(self, error: Exception, kind: type[ForgeError]) -> ForgeError:
        url, model = self.endpoint.address.url, self.endpoint.model
        return kind(f"{model} at {url} does not answer: {error}\n{HOW_TO_SET}")


def _pause(error: Exception) -> bool | float:
    """Whether to ask again; after a limit the gate says when."""
    return AT_ONCE if isinstance(error, LimitedError) else isinstance(error, PassingError)
