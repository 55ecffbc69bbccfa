"""Which model is asked, where, by which key, and how: what the settings say of it."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from forge.address import Address
from forge.errors import InputError, UsageError
from forge.settings import Price, Settings

OPENROUTER = "https://openrouter.ai/api/v1"
OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Endpoint:
    """A model behind an address that speaks OpenAI's protocol."""

    address: Address
    model: str
    key: SecretStr | None = None
    temperature: float | None = 0
    seed: int | None = None
    output_tokens: int = 4_000
    prices: dict[str, Price] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Whose answer it is: another address, model or sampling is asked anew."""
        sampling = f"temperature={self.temperature} seed={self.seed} tokens={self.output_tokens}"
        return f"{self.address.url.rstrip('/')} {self.model} {sampling}"

    @property
    def request(self) -> dict[str, Any]:
        """What every request says beside its messages; what is not set is not said.

        >>> Endpoint(Address("http://127.0.0.1:8000/v1"), "qwen", seed=1).request
        {'model': 'qwen', 'max_tokens': 4000, 'temperature': 0, 'seed': 1}
        """
        host = urlsplit(self.address.url).hostname
        # Reasoning models of OpenAI refuse the old name, and most others know no new one.
        name = "max_completion_tokens" if host == urlsplit(OPENAI).hostname else "max_tokens"
        said: dict[str, Any] = {"temperature": self.temperature, "seed": self.seed}
        if host == urlsplit(OPENROUTER).hostname:
            # Its own fields: the price with the answer, and only hosts that know what is asked.
            said["extra_body"] = {
                "usage": {"include": True},
                "provider": {"require_parameters": True},
            }
        known = {key: value for key, value in said.items() if value is not None}
        return {"model": self.model, name: self.output_tokens} | known


def endpoint_of(settings: Settings) -> Endpoint | None:
    """The model that the settings name; None where heuristics are to answer."""
    address, key = _place(settings)
    if settings.llm_model is None:
        if settings.llm_base_url or settings.llm_api_key:
            raise UsageError(
                "which model is to judge is not said\n"
                "set FORGE_LLM_MODEL, or neither FORGE_LLM_BASE_URL nor FORGE_LLM_API_KEY"
            )
        return None
    if address is None:
        return None
    return Endpoint(
        address=_checked(address),
        model=settings.llm_model,
        key=key,
        temperature=settings.llm_temperature,
        seed=settings.llm_seed,
        output_tokens=settings.llm_output_tokens,
        prices=settings.llm_prices,
    )


def judge_of(settings: Settings) -> str | None:
    """The identity of the model that the settings name; None where heuristics are to answer."""
    endpoint = endpoint_of(settings)
    return endpoint.identity if endpoint else None


def _place(settings: Settings) -> tuple[Address | None, SecretStr | None]:
    """Where to ask and by which key; a key of OpenRouter's or OpenAI's goes to nobody else."""
    own = {OPENROUTER: settings.openrouter_api_key, OPENAI: settings.openai_api_key}
    if settings.llm_base_url:
        origin = settings.llm_base_url.origin
        theirs = {Address(url).origin: key for url, key in own.items()}
        return settings.llm_base_url, settings.llm_api_key or theirs.get(origin)
    if settings.llm_api_key:
        return Address(OPENROUTER), settings.llm_api_key
    held = ((Address(url), key) for url, key in own.items() if key)
    return next(held, (None, None))


def _checked(address: Address) -> Address:
    parts = urlsplit(address.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            f"{address.url!r} is no http address\n"
            "set FORGE_LLM_BASE_URL to what comes before /chat/completions"
        )
    if address.secret:
        raise InputError(
            f"the address of the model holds a login: {address.url}\n"
            "take it out, and set FORGE_LLM_API_KEY"
        )
    return address
