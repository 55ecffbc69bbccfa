"""What endpoints of OpenAI's protocol send: completions, checked by its own types, and refusals."""

import json
from typing import Any, Literal, NamedTuple

from openai.types.chat import ChatCompletion

Mode = Literal["tools", "json_schema", "md_json"]
MODES: tuple[Mode, ...] = ("tools", "json_schema", "md_json")


class Reply(NamedTuple):
    """What goes out for one request; a stalled one says its length and sends half."""

    status: int
    body: bytes
    headers: dict[str, str] = {}  # noqa: RUF012 - an empty one that nobody writes to
    is_stalled: bool = False


def said(status: int, told: Any, **headers: str) -> Reply:
    """JSON, whatever it is."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(told).encode(), named)


def completion(message: dict[str, Any], **facts: Any) -> Reply:
    """A completion with one choice; the types of OpenAI's own package must take it."""
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    usage["prompt_tokens_details"] = {"cached_tokens": facts.get("cached", 0)}
    if (cost := facts.get("cost")) is not None:
        usage["cost"] = cost
    told = {
        "id": "gen-1",
        "object": "chat.completion",
        "created": 1_772_323_200,
        "model": facts.get("model", "toy-1-0301"),
        "choices": [
            {
                "index": 0,
                "finish_reason": facts.get("finish_reason", "stop"),
                "message": {"role": "assistant", "content": None, "refusal": None} | message,
            }
        ],
        **({} if facts.get("is_unmetered") else {"usage": usage}),
    }
    ChatCompletion.model_validate(told)
    return said(200, told)


def answered(answer: Any, mode: Mode = "tools", name: str = "Level", **facts: Any) -> Reply:
    """An answer in the way that was asked for."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    if mode == "tools":
        call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": text}}
        return completion({"tool_calls": [call]}, finish_reason="tool_calls", **facts)
    fenced = text if mode == "json_schema" else f"Here it is:\n```json\n{text}\n```"
    return completion({"content": fenced}, **facts)


def spoken(content: str, **facts: Any) -> Reply:
    """Plain words, though an answer of a schema was asked for."""
    return completion({"content": content}, **facts)


def refused(words: str = "I cannot help with that.") -> Reply:
    return completion({"refusal": words})


def cut_off() -> Reply:
    return completion({"content": '{"level": "ha'}, finish_reason="length")


def empty() -> Reply:
    return completion({"content": ""})


def error_body(code: int | str, message: str, metadata: dict[str, Any] | None = None) -> Reply:
    """An error under the status 200, as routers send it."""
    return said(200, {"error": {"code": code, "message": message, "metadata": metadata or {}}})


def error_choice() -> Reply:
    """A host failed in the middle of an answer, as OpenRouter tells it."""
    error = {"code": 502, "message": "Provider returned error"}
    choice = {"index": 0, "finish_reason": "error", "error": error}
    told = {"id": "gen-1", "object": "chat.completion", "created": 1, "model": "toy-1"}
    message = {"role": "assistant", "content": ""}
    return said(200, told | {"choices": [choice | {"message": message}]})


def limited(retry_after: str | None = None, status: int = 429) -> Reply:
    told = {"error": {"message": "Rate limit reached for toy-1", "code": "rate_limit_exceeded"}}
    return said(status, told, **({} if retry_after is None else {"retry_after": retry_after}))


def failed(status: int = 500) -> Reply:
    return said(status, {"error": {"message": "The server had an error", "type": "server_error"}})


def unsupported(mode: Mode) -> Reply:
    """What servers say that do not know a way of answering."""
    words = {
        "tools": (404, "No endpoints found that support tool use"),
        "json_schema": (400, "response_format of type json_schema is not supported"),
        "md_json": (400, "no such response_format"),
    }
    status, message = words[mode]
    return said(status, {"error": {"message": message, "code": status}})


def bad(status: int, message: str, code: str | None = None) -> Reply:
    return said(status, {"error": {"message": message, "type": "invalid", "code": code}})


def malformed() -> Reply:
    return Reply(200, b'{"id": "gen-1", "choices": [')


def page() -> Reply:
    return Reply(200, b"<html>maintenance</html>", {"content-type": "text/html"})


def stalled() -> Reply:
    return spoken("never")._replace(is_stalled=True)


def hung_up() -> Reply:
    return Reply(0, b"")
