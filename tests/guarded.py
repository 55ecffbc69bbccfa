"""Loopback servers that ask for a login: a proxy, and a guard before another server."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import quote, urlsplit

CLOSE = b"Connection: close\r\n"
ONE_HOP = (b"connection:", b"proxy-connection:")


class Guard(ThreadingTCPServer):
    """Sends on what is asked with the right login, to one server, or as a proxy to any."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, login: tuple[str, str], behind: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        word = base64.b64encode(":".join(login).encode())
        self.header = b"authorization:" if behind else b"proxy-authorization:"
        self.word, self.behind, self.login = b"Basic " + word, behind, login
        self.passed, self.refused = 0, 0

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """Its address with the login in it."""
        user, password = (quote(text, safe="") for text in self.login)
        return f"http://{user}:{password}@{self.host}"

    @property
    def refusal(self) -> bytes:
        """What is said to everybody else."""
        if self.behind:
            line, ask = b"401 Unauthorized", b"WWW-Authenticate"
        else:
            line, ask = b"407 Proxy Authentication Required", b"Proxy-Authenticate"
        return b"HTTP/1.1 %s\r\n%s: Basic realm=guarded\r\nContent-Length: 0\r\n%s\r\n" % (
            *(line, ask),
            CLOSE,
        )


class _Request(StreamRequestHandler):
    server: Guard

    def handle(self) -> None:
        line, headers = self.rfile.readline(), [*iter(self.rfile.readline, b"\r\n")]
        if not line:
            return
        if not any(self._is_login(header) for header in headers):
            self.server.refused += 1
            self.wfile.write(self.server.refusal)
            return
        self.server.passed += 1
        method, target, _ = line.split()
        place = urlsplit(self.server.behind or f"//{target.decode()}".replace("//http:", "http:"))
        with closing(socket.create_connection((place.hostname, place.port))) as far:
            if method == b"CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                path = target.decode().removeprefix(f"http://{place.netloc}").encode()
                far.sendall(b"%s %s HTTP/1.1\r\n" % (method, path) + self._kept(headers) + CLOSE)
                far.sendall(b"\r\n")
            sending = threading.Thread(target=self._send_on, args=(far,))
            sending.start()
            _copy(far, self.wfile.write)
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            sending.join()

    def _is_login(self, header: bytes) -> bool:
        name, _, value = header.partition(b":")
        return name.lower() + b":" == self.server.header and value.strip() == self.server.word

    def _kept(self, headers: list[bytes]) -> bytes:
        gone = (*ONE_HOP, self.server.header)
        return b"".join(header for header in headers if not header.lower().startswith(gone))

    def _send_on(self, far: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while piece := self.rfile.read1(65536):
                far.sendall(piece)


def _copy(far: socket.socket, write: Any) -> None:
    with suppress(OSError):
        while piece := far.recv(65536):
            write(piece)


@contextmanager
def guard(login: tuple[str, str], behind: str | None = None) -> Iterator[Guard]:
    """A guard that listens for as long as the block runs."""
    with Guard(login, behind) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
