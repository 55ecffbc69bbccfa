"""What the requests of one question cost, as the endpoint says, else by a price table."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from forge.effect import Bill
from forge.settings import Price

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


class Used(NamedTuple):
    """What one completion took."""

    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    dollars: float | None


@dataclass
class Tally:
    """Requests of one question so far, and what came back."""

    prices: dict[str, Price] = field(default_factory=dict)
    asked: str = ""
    """The model as it was asked for: endpoints answer by longer names."""
    mode: str | None = None
    model: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    used: list[Used] = field(default_factory=list)

    def add(self, completion: "ChatCompletion") -> None:
        """Note a completion, before anybody sums its usage up."""
        self.model = completion.model or self.model
        self.used.append(_used(completion, self._price(completion.model)))

    @property
    def bill(self) -> Bill:
        """All together; one unknown part makes a sum unknown."""
        columns = list(zip(*self.used, strict=True)) or [()] * len(Used._fields)
        sums = [_sum(column) if column else None for column in columns]
        known = dict(zip(Used._fields, sums, strict=True))
        spent = {"attempts": self.attempts, "request_seconds": round(self.seconds, 3)}
        return Bill(self.model, self.mode, **known, **spent)  # type: ignore[arg-type]

    def _price(self, model: str) -> Price | None:
        return self.prices.get(model) or self.prices.get(self.asked)


def _sum(numbers: tuple[float | None, ...]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _used(completion: "ChatCompletion", price: Price | None) -> Used:
    usage = completion.usage
    if usage is None:
        return Used(None, None, None, None)
    details = usage.prompt_tokens_details
    cached = details.cached_tokens if details else None
    told = (usage.model_extra or {}).get("cost")
    dollars = float(told) if isinstance(told, int | float) else None
    if dollars is None and price:
        dollars = cost(price, usage.prompt_tokens, cached or 0, usage.completion_tokens)
    return Used(usage.prompt_tokens, cached, usage.completion_tokens, dollars)


def cost(price: Price, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
    """Dollars by a price table.

    >>> cost(Price(input=1, cached_input=0.5, output=4), 3_000, 1_000, 500)
    0.0045
    """
    cached = price.input if price.cached_input is None else price.cached_input
    fresh = input_tokens - cached_tokens
    sum_of = fresh * price.input + cached_tokens * cached + output_tokens * price.output
    return round(sum_of / 1_000_000, 9)
