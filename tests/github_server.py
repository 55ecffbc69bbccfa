"""A loopback GitHub for tests: the published schema, its costs and its limits, over a world."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

import pytest
from github_costs import Cost
from github_limits import Ceilings, Limits, Resource, User
from github_paging import Asking
from github_queries import Query, Schema, failures, formatted, sent, too_many_nodes
from github_replies import (
    Reply,
    bad_credentials,
    bad_gateway,
    forbidden,
    nothing_found,
    said,
    timed_out,
)
from github_rest import answer_at, owner_of, resource_of, totals
from github_world import Knows
from graphql import build_schema

HERE = Path(__file__).resolve().parent


class Asked(NamedTuple):
    """One request and what became of it."""

    method: str
    path: str
    headers: dict[str, str]
    """By names in lower case."""
    reply: Reply
    """Without its body, where it is an answer of 200."""
    query: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 - an empty one that nobody writes to
    cost: int = 0
    touched: int = 0
    """Nodes that the answer touched."""
    errors: Sequence[dict[str, Any]] = ()
    """Of the answer, beside what it found."""

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").partition(" ")[2]

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def kind(self) -> str:
        """`answer`, or what kind of refusal: `primary`, `secondary`, `credentials`, `timeout`."""
        return self.reply.kind


def schema_file() -> Path:
    """The schema that GitHub publishes, or a skip where it is absent."""
    folder = Path(os.environ.get("FORGE_SHARED", HERE.parent.parent / "shared")) / "data/github"
    found = sorted(folder.glob("graphql-schema-*.graphql"))
    return found[-1] if found else pytest.skip("no shared folder beside the checkout")


@cache
def published_schema() -> Schema:
    """The schema that GitHub publishes, read once a process."""
    text = schema_file().read_text(encoding="utf-8")
    return Schema(build_schema(text, assume_valid=True, no_location=True))


@dataclass
class GitHub:
    """The loopback's state: who may ask, what was asked, and what comes before any answer."""

    world: Knows
    schema: Schema
    limits: Limits
    users: dict[str, User]
    """By token."""
    latency: float = 0
    first: list[Reply | None] = field(default_factory=list)
    """Said to the first requests instead of an answer; None lets one through."""
    passing: dict[str, int] = field(default_factory=dict)
    """How often a node id is null for a reason that passes, before it is answered."""
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    is_over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    @property
    def tokens(self) -> list[str]:
        return list(self.users)

    @property
    def token(self) -> str:
        return self.tokens[0]

    def answer(self, asked: Asked, body: bytes) -> Reply:
        """The reply to one request, which is remembered."""
        user = self.users.get(asked.token)
        place = asked.path.removeprefix("/api/v3").removeprefix("/api")
        if "user-agent" not in asked.headers:
            asked = asked._replace(reply=forbidden())
        elif user is None:
            asked = asked._replace(reply=bad_credentials())
        elif place == "/rate_limit":
            asked = asked._replace(reply=totals(self.limits, user))
        else:
            asked = self._let_in(asked, user, resource_of(place), body)
        # A month's answers would fill the memory of who measures what forge keeps.
        kept = b"" if asked.kind == "answer" else asked.reply.body
        self.asked.append(asked._replace(reply=asked.reply._replace(body=kept)))
        return asked.reply

    def _let_in(self, asked: Asked, user: User, resource: Resource, body: bytes) -> Asked:
        with self.limits.entered(user, resource) as refused:
            self.is_over.wait(self.latency)
            if refused:
                asked = asked._replace(reply=refused)
            elif planted := self._planted():
                asked = asked._replace(reply=planted)
            elif resource == "graphql":
                asked = self._query(asked, user, body)
            else:
                asked = self._rest(asked, user, resource)
        told = self.limits.headers(user, resource) | asked.reply.headers
        return asked._replace(reply=asked.reply._replace(headers=told))

    def _planted(self) -> Reply | None:
        with self.lock:
            return self.first.pop(0) if self.first else None

    def _rest(self, asked: Asked, user: User, resource: Resource) -> Asked:
        if asked.path.endswith("/user"):
            reply = owner_of(user)
        else:
            reply = answer_at(asked.path, asked.headers, self.world, self.url)
        self.limits.charge(user, resource, reply.status != 304)
        return asked._replace(reply=reply)

    def _query(self, asked: Asked, user: User, body: bytes) -> Asked:
        query = sent(body)
        if isinstance(query, Reply):
            return asked._replace(reply=query)
        asked = asked._replace(query=query.text, variables=query.variables)
        if errors := self.schema.errors(query):
            told = {"errors": [formatted(error) for error in errors]}
            return asked._replace(reply=said(200, told, "invalid"))
        return self._priced(asked, user, query, self.schema.cost(query))

    def _priced(self, asked: Asked, user: User, query: Query, cost: Cost) -> Asked:
        ceilings = self.limits.ceilings
        asked = asked._replace(cost=cost.points)
        if cost.nodes > ceilings.nodes:
            return asked._replace(reply=too_many_nodes(cost.nodes, ceilings.nodes))
        if not self.limits.covers(user, "graphql", cost.points):
            return asked._replace(reply=self.limits.spent(user, "graphql"))
        self.limits.charge(user, "graphql", cost.points)
        return self._executed(asked, user, query, cost)

    def _executed(self, asked: Asked, user: User, query: Query, cost: Cost) -> Asked:
        ceilings = self.limits.ceilings
        told = self.limits.told(user, cost)
        asking = Asking(self.world, ceilings.touched, told, self.passing)
        found = self.schema.execute(query, asking)
        seconds = asking.touched * ceilings.seconds_a_node
        # Its own time is never more than a client can measure, which GitHub tells one to do.
        self.limits.charge(user, "graphql", 0, min(seconds, self.latency))
        asked = asked._replace(touched=asking.touched)
        if broken := asking.unknown + failures(found):
            return asked._replace(reply=_unknown(broken))
        if seconds > ceilings.seconds:
            # GitHub takes points for what timed out besides; how many is undisclosed.
            self.limits.charge(user, "graphql", cost.points)
            return asked._replace(reply=bad_gateway() if ceilings.timeout_html else timed_out())
        errors = [formatted(error) for error in found.errors or ()]
        told = {"data": found.data} | ({"errors": errors} if errors else {})
        return asked._replace(reply=said(200, told), errors=errors)


def _unknown(fields: list[str]) -> Reply:
    names = ", ".join(sorted(set(fields)))
    message = f"the loopback GitHub cannot answer {names}: teach it in tests/github_answers.py"
    return said(500, {"message": message}, "unknown")


@contextmanager
def serve_github(  # noqa: PLR0913 - a test names the one or two that it is about
    world: Knows,
    *,
    tokens: int = 1,
    users: int = 0,
    latency: float = 0,
    first: list[Reply | None] | None = None,
    passing: dict[str, int] | None = None,
    clock: Callable[[], float] = time.time,
    **ceilings: Any,
) -> Iterator[GitHub]:
    """Serve a world on loopback, with tokens of as many users and GitHub's ceilings or others."""
    limits = Limits(Ceilings(**ceilings), clock)
    people = [User(id=1_431_904 + number) for number in range(users or tokens)]
    held = {f"ghp_loopback{n:028}": people[n % len(people)] for n in range(tokens)}
    github = GitHub(world, published_schema(), limits, held, latency, first or [], passing or {})
    server = Server(("127.0.0.1", 0), _handler(github))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield github
    finally:
        github.is_over.set()
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()
    unknown = [one.reply.body.decode() for one in github.asked if one.kind == "unknown"]
    assert not unknown, unknown[0]


class Server(ThreadingHTTPServer):
    """One thread a connection, as many as a client opens at once."""

    request_queue_size = 512
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.held.append(connection)
        return connection, address

    @property
    def held(self) -> list[socket.socket]:
        """Connections so far."""
        return self.__dict__.setdefault("_held", [])

    def hang_up(self) -> None:
        """End connections that clients keep open."""
        for connection in self.held:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler(github: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked = Asked(self.command, self.path, headers, nothing_found())
            with suppress(ConnectionError):  # who asked has gone
                self.send(github.answer(asked, body))

        def send(self, reply: Reply) -> None:
            if not reply.status:
                self.close_connection = True
                return
            self.send_response(reply.status)
            told = {"content-type": "application/json; charset=utf-8"} | reply.headers
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.is_stalled else reply.body)
            if reply.is_stalled:
                github.is_over.wait()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
