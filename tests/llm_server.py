"""A loopback endpoint that speaks OpenAI's chat completions over real HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from github_server import Server
from llm_replies import MODES, Mode, Reply, answered, bad, limited, unsupported

KEY = "sk-loopback-0000"


class Asked(NamedTuple):
    """One request and what became of it."""

    headers: dict[str, str]
    """By names in lower case."""
    body: dict[str, Any]
    status: int = 0

    @property
    def mode(self) -> Mode:
        """How an answer is asked for."""
        if "tools" in self.body:
            return "tools"
        return "json_schema" if "response_format" in self.body else "md_json"

    @property
    def schema_name(self) -> str:
        """What the tool is called."""
        return self.body["tools"][0]["function"]["name"] if self.mode == "tools" else ""

    def said(self, role: str) -> str:
        """All that was told under a role."""
        messages = [one for one in self.body["messages"] if one["role"] == role]
        return "\n".join(one["content"] for one in messages)


@dataclass
class LLM:
    """The loopback's state: what it answers, what it can, and what it was asked."""

    answer: Callable[[Asked], Any]
    """An object that follows the schema, a text in place of it, or a whole reply."""
    modes: tuple[Mode, ...] = MODES
    most: int = 1_000
    """Requests that it takes at once; the others are limited."""
    latency: float = 0
    facts: dict[str, Any] = field(default_factory=dict)
    """Of completions: model, cost, cached, is_unmetered."""
    first: list[Reply | None] = field(default_factory=list)
    """Said to the first requests instead of an answer; None lets one through."""
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    running: int = 0
    busiest: int = 0
    is_over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    @property
    def statuses(self) -> list[int]:
        return [one.status for one in self.asked]

    @property
    def ways(self) -> list[Mode]:
        """How it was asked, in order."""
        return [one.mode for one in self.asked]

    def reply(self, asked: Asked) -> Reply:
        """The reply to one request, which is remembered."""
        with self.lock:
            self.running += 1
            self.busiest = max(self.busiest, self.running)
            planted = self.first.pop(0) if self.first else None
            is_full = self.running > self.most
        reply = planted or (limited("0") if is_full else self._answered(asked))
        if not is_full:
            self.is_over.wait(self.latency)
        with self.lock:
            self.running -= 1
            self.asked.append(asked._replace(status=reply.status))
        return reply

    def _answered(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return bad(401, "Incorrect API key provided", "invalid_api_key")
        if asked.mode not in self.modes:
            return unsupported(asked.mode)
        answer = self.answer(asked)
        if isinstance(answer, Reply):
            return answer
        return answered(answer, asked.mode, asked.schema_name, **self.facts)


@contextmanager
def serve_llm(answer: Callable[[Asked], Any], **moods: Any) -> Iterator[LLM]:
    """Serve answers on loopback."""
    llm = LLM(answer, **moods)
    server = Server(("127.0.0.1", 0), _handler(llm))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    llm.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield llm
    finally:
        llm.is_over.set()
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


def _handler(llm: LLM) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(self.rfile.read(int(headers.get("content-length", 0))))
            with suppress(ConnectionError):  # who asked has gone
                if self.path == "/v1/chat/completions":
                    self.send(llm.reply(Asked(headers, body)))
                else:
                    self.send(bad(404, f"no such path: {self.path}"))

        def send(self, reply: Reply) -> None:
            if not reply.status:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in ({"content-type": "application/json"} | reply.headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.is_stalled else reply.body)
            if reply.is_stalled:
                llm.is_over.wait()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
