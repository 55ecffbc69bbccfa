"""A second address of a service, which can go away while the service stays."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENGINE = "/var/run/docker.sock"
Address = str | tuple[str, int]


class Forward:
    """Hands every connection on, until it is closed, or has handed back so many bytes."""

    def __init__(self, near: Path | int, far: Address = ENGINE, *, limit: float = float("inf")):
        self.far, self.left = far, limit
        self.listener = _socket("" if isinstance(near, Path) else ("", 0))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(str(near) if isinstance(near, Path) else ("127.0.0.1", near))
        self.listener.listen()
        self.port = self.listener.getsockname()[1] if isinstance(near, int) else None
        self.open: list[socket.socket] = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut every connection, and take no more."""
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = _socket(self.far)
                far.connect(self.far)
                self.open += [near, far]
                threading.Thread(target=_copy, args=(near, far), daemon=True).start()
                threading.Thread(target=self._hand_back, args=(far, near), daemon=True).start()

    def _hand_back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := far.recv(4096):
                near.sendall(content)
                self.left -= len(content)
                if self.left < 0:
                    self.close()
            near.shutdown(socket.SHUT_WR)


@contextmanager
def forwarded(near: int, far: Address, *, limit: float = float("inf")) -> Iterator[Forward]:
    """A forward for as long as the block runs."""
    forward = Forward(near, far, limit=limit)
    try:
        yield forward
    finally:
        forward.close()


def _socket(address: Address) -> socket.socket:
    return socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
