"""Loopback servers: the archive over HTTP, and git as GitHub serves it."""

import gzip
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from forge.demo.history import git_environment
from forge.demo.world import number_of
from forge.errors import ServiceError

HOUR = re.compile(r"/(\d{4}-\d{2}-\d{2}-\d{1,2}\.json\.gz)")
GIT = re.compile(
    r"/(?P<repo>\w[\w.-]*/\w[\w.-]*?)(\.git)?/"
    r"(?P<what>info/refs\?service=git-upload-pack|git-upload-pack)"
)
UPLOAD_PACK = (
    "git",
    "-c",
    "uploadpack.allowFilter=true",
    "-c",
    "uploadpack.allowAnySHA1InWant=true",
    "upload-pack",
    "--stateless-rpc",
)
# What the archive's store says of a key that it does not have.
NO_SUCH_KEY = b"""<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code>\
<Message>The specified key does not exist.</Message></Error>"""


@contextmanager
def archive_server(folder: Path, port_file: Path) -> Iterator[str]:
    """Serve hourly files; yields the address of their folder."""
    with serving(partial(_Archive, folder=folder), port_file) as url:
        yield url


@contextmanager
def git_server(folder: Path, port_file: Path) -> Iterator[str]:
    """Serve bare repositories `<owner>/<repo>.git`; yields the template of their addresses."""
    with serving(partial(GitHandler, folder=folder), port_file) as url:
        yield f"{url}/{{owner}}/{{repo}}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: apart, each answer waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, *args: Any, folder: Path) -> None:
        self.folder = folder
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: HTTPStatus, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Archive(_Handler):
    def do_GET(self) -> None:
        name = HOUR.fullmatch(self.path)
        path = self.folder / name[1] if name else self.folder / "absent"
        if path.is_file():
            self.answer(HTTPStatus.OK, path.read_bytes(), Content_Type="application/gzip")
        else:
            self.answer(HTTPStatus.NOT_FOUND, NO_SUCH_KEY, Content_Type="application/xml")


class GitHandler(_Handler):
    """Answers as GitHub does over bare repositories in `folder`."""

    def do_GET(self) -> None:
        """The refs, or what the server can do."""
        if repository := self._repository("info/refs"):
            told = self._upload_pack("--advertise-refs", repository)
            is_v2 = "version=2" in self.headers.get("Git-Protocol", "")
            service = b"" if is_v2 else b"001e# service=git-upload-pack\n0000"
            self._answer_git("advertisement", service + told)

    def do_POST(self) -> None:
        """Objects."""
        body = self._body()
        if repository := self._repository("git-upload-pack"):
            self._answer_git("result", self._upload_pack(repository, body=body))

    def _repository(self, what: str) -> str | None:
        match = GIT.fullmatch(self.path)
        path = self.folder / f"{match['repo']}.git" if match else self.folder / "absent"
        if match and match["what"].startswith(what) and path.is_dir():
            return str(path)
        # As GitHub does: it does not tell what is private from what is not there.
        challenge = 'Basic realm="GitHub"'
        body = b"Repository not found."
        self.answer(HTTPStatus.UNAUTHORIZED, body, WWW_Authenticate=challenge)
        return None

    def _upload_pack(self, *arguments: str, body: bytes = b"") -> bytes:
        environment = git_environment() | {"GIT_PROTOCOL": self.headers.get("Git-Protocol", "")}
        command = [*UPLOAD_PACK, *arguments]
        done = subprocess.run(
            command, input=body, env=environment, capture_output=True, check=False
        )
        return done.stdout

    def _answer_git(self, kind: str, body: bytes) -> None:
        content_type = f"application/x-git-upload-pack-{kind}"
        self.answer(HTTPStatus.OK, body, Content_Type=content_type, Cache_Control="no-cache")

    def _body(self) -> bytes:
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        length = int(self.headers.get("Content-Length", 0))
        body = b"".join(self._chunks()) if chunked else self.rfile.read(length)
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _chunks(self) -> Iterator[bytes]:
        while length := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()


@contextmanager
def serving(handler: Any, port_file: Path) -> Iterator[str]:
    """Serve on loopback, at the port of the last time where it is free; yields the address."""
    server = _bound(handler, port_file)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _bound(handler: Any, port_file: Path) -> _Server:
    # The port of the last time, if it is free: a memo knows answers by the address that gave them.
    for port in _ports(port_file):
        with suppress(OSError):
            server = _Server(("127.0.0.1", port), handler)
            if not port_file.exists():
                port_file.write_text(f"{port}\n")
            return server
    raise ServiceError(f"no port of 127.0.0.1 is free for the demo in {port_file.parent}")


def _ports(port_file: Path) -> Iterator[int]:
    if port_file.exists():
        yield int(port_file.read_text())
    # Below the range from which the system takes ports for outgoing connections.
    for n in range(100):
        yield 20_000 + number_of(f"{port_file.absolute()} {n}", below=12_000)
