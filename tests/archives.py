"""A loopback archive for tests, and events in the shapes of both eras."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the archive says to one request; `cut` says more bytes than it sends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    is_measured: bool = True
    """Whether it says how many bytes it sends at all."""
    quick: int = 0
    drip: float = 0
    """Seconds before each byte after the first `quick`."""


@dataclass
class Loopback:
    """Files of an archive by name, what it was asked for, and a line of answers that come first."""

    files: dict[str, bytes] = field(default_factory=dict)
    first: list[Answer] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    told: dict[str, str] = field(default_factory=dict)
    """Headers of whole files; with an `ETag` or `Last-Modified`, a part can be had as well."""
    ranges: list[tuple[str | None, str | None]] = field(default_factory=list)
    """`Range` and `If-Range` of every request."""
    is_over: Event = field(default_factory=Event)
    busy: list[None] = field(default_factory=list)
    at_once: int = 0
    """How many requests were answered at once, at most."""

    def answer(self, path: str, headers: Message) -> Answer:
        self.asked.append(path.removeprefix("/"))
        self.ranges.append((headers["Range"], headers["If-Range"]))
        if self.first:
            return self.first.pop(0)
        body = self.files.get(self.asked[-1].removesuffix(".json.gz"))
        if body is None:
            return Answer(404, b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>")
        return self._part(body, *self.ranges[-1])

    def _part(self, body: bytes, wanted: str | None, version: str | None) -> Answer:
        validators = {None, self.told.get("ETag"), self.told.get("Last-Modified")}
        if wanted is None or len(validators) == 1 or version not in validators:
            return Answer(body=body, headers=self.told)
        first = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if first >= len(body):
            return Answer(416, headers={"Content-Range": f"bytes */{len(body)}"})
        place = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
        return Answer(206, body[first:], self.told | place)


@contextmanager
def serve(
    files: dict[str, bytes] | None = None, first: list[Answer] | None = None
) -> Iterator[Loopback]:
    """Serve gzipped hours by name (`2026-03-01-5`) on loopback."""
    archive = Loopback(files or {}, first or [])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            archive.busy.append(None)
            archive.at_once = max(archive.at_once, len(archive.busy))
            self.send(archive.answer(self.path, self.headers))
            archive.busy.pop()

        def send(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            for name, value in ({"Date": self.date_time_string()} | answer.headers).items():
                self.send_header(name, value)
            if answer.is_measured:
                self.send_header("Content-Length", str(len(answer.body) + answer.cut))
            self.end_headers()
            quick = answer.quick if answer.drip else len(answer.body)
            with suppress(ConnectionError):  # who asked has seen enough
                self.wfile.write(answer.body[:quick])
                for byte in answer.body[quick:]:
                    archive.is_over.wait(answer.drip)
                    self.wfile.write(bytes([byte]))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    archive.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield archive
    finally:
        archive.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def packed(*lines: dict[str, Any] | bytes) -> bytes:
    """Lines as an hour's file."""
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return gzip.compress(b"".join(text + b"\n" for text in texts), mtime=0)


def trimmed(action: str = "merged", **known: Any) -> dict[str, Any]:
    """An event as of 2025-10 and later."""
    repo = known.get("repo", "kestrel/ledger")
    pull = {
        "url": f"https://api.github.com/repos/{repo}/pulls/{known.get('number', 7)}",
        "id": 4_262_949_744,
        "number": known.get("number", 7),
        "head": {
            "ref": known.get("head_ref", "fix-rounding"),
            "sha": known.get("head_sha", "a" * 40),
            "repo": known.get("head_repo", {"id": 42, "url": "", "name": "ledger"}),
        },
        "base": {"ref": "main", "sha": "b" * 40, "repo": {"id": 42, "url": "", "name": "ledger"}},
    }
    return {
        "id": "13170617687",
        "type": "PullRequestEvent",
        "actor": {"id": 1, "login": known.get("actor", "ada")},
        "repo": {"id": known.get("repository_id", 42), "name": repo},
        "payload": {"action": action, "number": known.get("number", 7), "pull_request": pull},
        "public": True,
        "created_at": known.get("at", "2026-03-01T05:10:00Z"),
    }


def full(action: str = "closed", *, merged: bool = True, **known: Any) -> dict[str, Any]:
    """An event as of 2015 to 2025."""
    event = trimmed(action, **known)
    event["payload"]["pull_request"] |= {
        "title": known.get("title", "Round half to even"),
        "body": known.get("body", "Fixes #3."),
        "user": {"login": known.get("author", "grace"), "type": known.get("author_type", "User")},
        "merged": merged,
        "merged_at": "2026-03-01T05:09:59Z" if merged else None,
        "merged_by": {"login": event["actor"]["login"]} if merged else None,
        "merge_commit_sha": "c" * 40,
        "additions": 3,
        "deletions": 1,
        "changed_files": 2,
        "commits": 1,
        "labels": [{"name": "bug"}],
    }
    return event


def issue(action: str = "opened", number: int = 3, **known: Any) -> dict[str, Any]:
    """An event of an issue, which has its text in both eras."""
    told = {
        "id": 3_912_345_678,
        "number": number,
        "title": known.get("title", "Halves vanish"),
        "body": known.get("body", "1.5 gives 1."),
        "user": {"login": known.get("author", "grace"), "type": known.get("author_type", "User")},
        "labels": [{"name": "bug"}],
        "created_at": known.get("opened_at", "2026-02-27T08:00:00Z"),
    }
    payload = {"action": action, "issue": told}
    return trimmed(**known) | {"type": "IssuesEvent", "payload": payload}


def push() -> dict[str, Any]:
    """An event that is no pull request's."""
    return trimmed() | {"type": "PushEvent", "payload": {"ref": "refs/heads/main"}}
