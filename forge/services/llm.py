"""The judge: a model behind any OpenAI-compatible endpoint, whose answers have a schema."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from pydantic import BaseModel

from forge.artifacts import Artifacts
from forge.effect import Failure, Paid, PaidError, Row
from forge.errors import ForgeError, InputError, ServiceError
from forge.services.llm_answers import UnansweredError, UnsupportedError, invalid
from forge.services.llm_bills import Tally
from forge.services.llm_calls import Calls
from forge.services.llm_endpoint import Endpoint, endpoint_of
from forge.services.llm_gate import Gate
from forge.services.llm_prompts import Prompt
from forge.settings import Settings

MODES = ("tools", "json_schema", "md_json")
"""Ways to ask for an answer of a schema; each later one is understood by more models."""
SHAPELESS = {"invalid_answer", "empty_answer"}
"""What another mode may mend."""
REASKS = 2
HOW_TO_SET = "set FORGE_LLM_MODEL, and FORGE_LLM_API_KEY or FORGE_LLM_BASE_URL"


class Question(NamedTuple):
    """What one asking needs."""

    prompt: Prompt
    schema: type[BaseModel]
    tally: Tally


@dataclass
class Judge:
    """One model with one sampling."""

    calls: Calls
    place: int = 0
    """Of the mode that this model is asked by."""
    is_proven: bool = False
    """Whether that mode has brought an answer."""
    is_tried: bool = False
    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    creates: dict[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The address, the model and how it is sampled."""
        return self.calls.endpoint.identity

    @property
    def endpoint(self) -> Endpoint:
        """Where it is asked, and how."""
        return self.calls.endpoint

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:  # noqa: ARG003 - it makes none
        """The model that the settings name."""
        endpoint = endpoint_of(settings)
        if endpoint is None:
            raise InputError(f"no model is set to judge\n{HOW_TO_SET}")
        return cls(Calls(endpoint, Gate(settings.llm_concurrency)))

    async def __aenter__(self) -> Self:
        import instructor

        await self.calls.__aenter__()
        kinds = {mode: instructor.Mode[mode.upper()] for mode in MODES}
        self.creates = {
            mode: instructor.patch(create=self.calls.create, mode=kind)
            for mode, kind in kinds.items()
        }
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.calls.__aexit__(*exc)

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """Say to `tell` until when the model's limit lasts."""
        self.calls.gate.waits.tell = tell

    async def ask(self, prompt: Prompt, schema: type[BaseModel]) -> Paid:
        """The model's answer as a row of the schema's fields, and what it cost."""
        tally = Tally(self.endpoint.prices, self.endpoint.model)
        question = Question(prompt, schema, tally)
        try:
            answer = await self._first(question) or await self._answered(question)
        except ServiceError as error:
            raise PaidError(str(error), tally.bill) from None
        return Paid(answer, tally.bill)

    async def _first(self, question: Question) -> Row | Failure | None:
        """One question finds out for all how the model is asked; the others wait for it."""
        if self.is_tried:
            return None
        async with self.first:
            if self.is_tried:
                return None
            try:
                return await self._answered(question)
            finally:
                self.is_tried = True

    async def _answered(self, question: Question) -> Row | Failure:
        unanswered = UnansweredError("unsupported")
        for place in range(self.place, len(MODES)):
            is_last = self.is_proven and place == self.place
            try:
                value = await self._asked(MODES[place], question)
            except UnsupportedError as error:
                self._forgo(place, error)
            except UnansweredError as error:
                unanswered = error
                if is_last or error.failure.reason not in SHAPELESS:
                    break
            else:
                self._prove(place)
                return value.model_dump()
        return unanswered.failure

    async def _asked(self, mode: str, question: Question) -> BaseModel:
        from instructor.core import InstructorRetryException

        question.tally.mode = mode
        try:
            return await self.creates[mode](  # type: ignore[no-any-return]
                response_model=question.schema,
                max_retries=REASKS,
                messages=question.prompt.messages(),
                tally=question.tally,
                **self.endpoint.request,
            )
        except InstructorRetryException as error:
            cause = error.__cause__
            if isinstance(cause, ForgeError | UnansweredError | UnsupportedError):
                raise cause from None
            raise invalid(error.last_completion, str(cause or error)) from None

    def _forgo(self, place: int, error: UnsupportedError) -> None:
        """Ask nobody again by a mode that the endpoint refuses."""
        if place == len(MODES) - 1:
            raise ServiceError(f"{self.endpoint.model} cannot be asked: {error}\n{HOW_TO_SET}")
        if self.place <= place:
            self.place, self.is_proven = place + 1, False

    def _prove(self, place: int) -> None:
        if place == self.place:
            self.is_proven = True
        elif place > self.place and not self.is_proven:
            self.place, self.is_proven = place, True
