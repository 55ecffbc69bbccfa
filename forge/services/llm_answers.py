"""What a model's answer means, or a refusal to give one, whatever shape the endpoint says it in."""

import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from forge.effect import Failure

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

LONGEST_WAIT = 600.0
"""Seconds: who is told to come back later counts the model as down."""
UNSUPPORTED = re.compile(
    r"tool|function|response_format|json_?.?schema|structured|grammar", re.IGNORECASE
)
TOO_LONG = re.compile(
    r"context.?(length|window|size)|too (long|large)|maximum.{0,30}tokens|"
    r"exceeds.{0,40}(token|context)|reduce the length",
    re.IGNORECASE,
)
FILTERED = re.compile(
    r"content.?(filter|management|policy)|moderation|safety|flagged", re.IGNORECASE
)
TOO_MANY = re.compile(r"max_(completion_)?tokens", re.IGNORECASE)
"""What is too much is what FORGE_LLM_OUTPUT_TOKENS asks for: of any question."""
SPENT = re.compile(
    r"insufficient.?(quota|credit|balance|funds)|exceeded your current quota", re.IGNORECASE
)
THOUGHTS = re.compile(r"\A\s*<think>.*?(</think>|\Z)", re.DOTALL | re.IGNORECASE)


class LimitedError(Exception):
    """The model is asked too often; `seconds` is None where it is not said for how long."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("a rate limit")
        self.seconds = seconds


class PassingError(Exception):
    """Nothing came, and asking again may tell more."""


class UnsupportedError(Exception):
    """The model cannot be asked for an answer in this way."""


class DownError(Exception):
    """The endpoint takes no request of ours at present, and says why."""


class KeyRefusedError(Exception):
    """The endpoint does not know the key, or the model."""


class UnansweredError(Exception):
    """The model answers this question with nothing that could be used."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.failure = Failure("model", reason, detail)


class Refusal(NamedTuple):
    """An error as an endpoint tells it: by a status, or in the body of a 200."""

    status: int
    words: str
    seconds: float | None = None


def refusal_in(body: Any, status: int = 502, headers: Any = None) -> Refusal:
    """What the body of an error says; a status within it counts.

    >>> refusal_in({"error": {"code": 429, "message": "slow down"}})
    Refusal(status=429, words='slow down', seconds=None)
    """
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return Refusal(status, str(error or ""), _retry_after(headers))
    code, metadata = error.get("code"), error.get("metadata")
    words = [error.get("message"), code, metadata if isinstance(metadata, dict) else None]
    told = " ".join(str(word) for word in words if word and not isinstance(word, int))
    inner = int(str(code)) if re.fullmatch("[45][0-9]{2}", str(code)) else status
    return Refusal(inner, told, _retry_after(headers))


def meaning(refusal: Refusal) -> Exception:
    """The error that a refusal is for the one who asked."""
    status, words = refusal.status, f"status {refusal.status}: {refusal.words}"
    if status == 402 or (status in {403, 429} and SPENT.search(refusal.words)):
        return DownError(words)
    if status == 429:
        is_short = (refusal.seconds or 0) <= LONGEST_WAIT
        return LimitedError(refusal.seconds) if is_short else DownError(words)
    if status in {408, 409, 425} or status >= 500:
        return PassingError(words)
    if status in {401, 403, 404, 405} and not _is_of_the_question(refusal):
        return KeyRefusedError(words)
    return _of_the_question(refusal, words)


def _is_of_the_question(refusal: Refusal) -> bool:
    pattern = FILTERED if refusal.status == 403 else UNSUPPORTED
    return refusal.status in {403, 404} and bool(pattern.search(refusal.words))


def _of_the_question(refusal: Refusal, words: str) -> Exception:
    if TOO_LONG.search(refusal.words) and not TOO_MANY.search(refusal.words):
        return UnansweredError("too_long", words)
    if FILTERED.search(refusal.words):
        return UnansweredError("filtered", words)
    return UnsupportedError(words) if UNSUPPORTED.search(refusal.words) else DownError(words)


def checked(completion: "ChatCompletion") -> "ChatCompletion":
    """The completion without thoughts; raises what it means where it holds no answer."""
    if not completion.choices:
        raise meaning(refusal_in(completion.model_extra or {}))
    choice = completion.choices[0]
    ending: str = choice.finish_reason  # routers know more than OpenAI's types
    if (error := (choice.model_extra or {}).get("error")) or ending == "error":
        raise meaning(refusal_in({"error": error or "the model failed"}))
    message = choice.message
    if message.refusal:
        raise UnansweredError("refused", message.refusal)
    if ending == "content_filter":
        raise UnansweredError("filtered", message.content)
    if ending == "length":
        raise UnansweredError("cut_off", "FORGE_LLM_OUTPUT_TOKENS is how long an answer may be")
    if message.content:
        message.content = _without_thoughts(message.content, is_all=not message.tool_calls)
    return completion


def _without_thoughts(content: str, *, is_all: bool) -> str:
    answer = THOUGHTS.sub("", content, count=1).strip()
    if is_all and content.strip() and not answer:
        raise UnansweredError("only_thoughts", content)
    return answer


def invalid(completion: "ChatCompletion | None", words: str) -> UnansweredError:
    """What it means that no answer is of the wanted shape, by the last of them."""
    message = completion.choices[0].message if completion and completion.choices else None
    is_empty = message is not None and not (message.content or message.tool_calls)
    return UnansweredError("empty_answer" if is_empty else "invalid_answer", words)


def _retry_after(headers: Any) -> float | None:
    """Seconds to wait, as the headers say."""
    told = (headers or {}).get("retry-after", "").strip()
    try:
        seconds = float(told)
    except ValueError:
        return _until(told, (headers or {}).get("date"))
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(told: str, now: str | None) -> float | None:
    try:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(now or "")
    except (ValueError, TypeError):
        return None
    return max(wait.total_seconds(), 0.0)
