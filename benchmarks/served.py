"""A loopback archive whose hours are joined from members of gzip, at a limited rate where asked."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PIECE_BYTES = 65_536
SUFFIX = ".json.gz"

Files = Callable[[str], Sequence[Path]]
"""The members of an hour, by its name."""


class Rate:
    """Bytes a second that all connections share."""

    def __init__(self, limit: float) -> None:
        self.limit, self.free_at, self.lock = limit, 0.0, threading.Lock()

    def take(self, size: int) -> None:
        """Wait until so many bytes may go."""
        with self.lock:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + size / self.limit
        time.sleep(max(0.0, self.free_at - now))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, *args: Any, files: Files, rate: Rate) -> None:
        self.files, self.rate = files, rate
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        paths = self.files(self.path.removeprefix("/").removesuffix(SUFFIX))
        self.send_response(HTTPStatus.OK if paths else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", str(sum(path.stat().st_size for path in paths)))
        self.end_headers()
        for path in paths:
            with path.open("rb") as file:
                while piece := file.read(PIECE_BYTES):
                    self.rate.take(len(piece))
                    self.wfile.write(piece)


@contextmanager
def serving(files: Files, *, rate: float = float("inf")) -> Iterator[str]:
    """Serve hours at so many bytes a second; yields the address of their folder."""
    handler = partial(_Handler, files=files, rate=Rate(rate))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
