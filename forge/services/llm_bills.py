"""What the requests of one question cost, as the endpoint says, else by a price table."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from forge.effect import Bill
from forge.settings import Price

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

MOST_TOKENS = 2**40
MOST_DOLLARS = 1e6
"""What counts more than that counts nothing."""
LONGEST_NAME = 200


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
        model = _name(completion.model)
        self.model = model or self.model
        self.used.append(_used(completion.usage, self._price(model)))

    @property
    def bill(self) -> Bill:
        """All together; one unknown part makes a sum unknown."""
        columns = list(zip(*self.used, strict=True)) or [()] * len(Used._fields)
        sums = [_sum(column) if column else None for column in columns]
        known = dict(zip(Used._fields, sums, strict=True))
        spent = {"attempts": self.attempts, "request_seconds": round(self.seconds, 3)}
        return Bill(self.model, self.mode, **known, **spent)  # type: ignore[arg-type]

    def _price(self, model: str | None) -> Price | None:
        return self.prices.get(model or self.asked) or self.prices.get(self.asked)


def _sum(numbers: tuple[float | None, ...]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _used(usage: Any, price: Price | None) -> Used:
    """Usage as it was told: nobody checked its types, and a memo holds numbers alone."""
    details = getattr(usage, "prompt_tokens_details", None)
    told, answered = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached, dollars = _count(details, "cached_tokens"), _dollars(usage)
    if dollars is None and price and told is not None and answered is not None:
        dollars = cost(price, told, min(cached or 0, told), answered)
    return Used(told, cached, answered, dollars)


def _count(told: Any, name: str) -> int | None:
    value = getattr(told, name, None)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST_TOKENS else None


def _dollars(usage: Any) -> float | None:
    value = getattr(usage, "cost", None)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= MOST_DOLLARS else None


def _name(told: Any) -> str | None:
    if not isinstance(told, str):
        return None
    return told[:LONGEST_NAME].encode(errors="backslashreplace").decode() or None


def cost(price: Price, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
    """Dollars by a price table.

    >>> cost(Price(input=1, cached_input=0.5, output=4), 3_000, 1_000, 500)
    0.0045
    """
    cached = price.input if price.cached_input is None else price.cached_input
    fresh = input_tokens - cached_tokens
    sum_of = fresh * price.input + cached_tokens * cached + output_tokens * price.output
    return round(sum_of / 1_000_000, 9)
