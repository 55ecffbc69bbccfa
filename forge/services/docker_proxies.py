"""Proxies for containers: one that asks for a login is reached through a relay that knows it.

What runs in a container may be anybody's code, so that no container may learn the login. The relay
asks for a word of its own, which is worth nothing when the build is over.
"""

import asyncio
import re
import ssl
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from forge.address import Address, Login
from forge.errors import InputError
from forge.services.docker_engine import Engine
from forge.services.proxies import exempt, proxies

LOOPBACK, HOST_NETWORK = "127.0.0.1", "host"
BRIDGE = {"default": "bridge"}
END = b"\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
    b'Proxy-Authenticate: Basic realm="forge"\r\nConnection: close\r\nContent-Length: 0' + END
)
UNREADABLE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0" + END
BYTES = re.compile(rb"\d{1,18}")
OF_ONE_HOP = (b"proxy-authorization", b"proxy-connection", b"connection", b"keep-alive")
HEAD_SECONDS = 60
PIECE = 1 << 16


@dataclass
class Relays:
    """The relays of one engine's containers, opened when the first needs the network."""

    engine: Engine
    network: str
    word: str = field(default_factory=token_urlsafe, repr=False)
    variables: dict[str, str] | None = None
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    relaying: set[asyncio.Task[None]] = field(default_factory=set)

    async def environment(self) -> dict[str, str]:
        """Variables that lead a container's programs to the network, and hold no login of ours."""
        async with self.busy:
            if self.variables is None:
                given = {name: await self._reached(to) for name, to in proxies().items()}
                self.variables = given | exempt()
        return self.variables

    async def close(self) -> None:
        """Take no more connections, and end those that are left."""
        await self.opened.aclose()
        for task in self.relaying:
            task.cancel()
        await asyncio.gather(*self.relaying, return_exceptions=True)

    async def _reached(self, proxy: Address) -> str:
        if proxy.secret is None:
            return proxy.url
        try:
            host = await self._host()
            server = await asyncio.start_server(partial(self._begin, proxy), host, 0)
        except (OSError, KeyError, IndexError):
            raise _unreachable(proxy) from None
        self.opened.callback(server.close)
        return self._url(*server.sockets[0].getsockname()[:2])

    def _begin(
        self, proxy: Address, near: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(_relay(proxy, self._asked, near, back))
        self.relaying.add(task)
        task.add_done_callback(self.relaying.discard)

    def _url(self, host: str, port: int) -> str:
        return f"http://forge:{self.word}@{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def _asked(self) -> bytes:
        return Login("forge", self.word).basic.encode()

    async def _host(self) -> str:
        """Where this machine is, as containers see it."""
        if self.network == HOST_NETWORK:
            return LOOPBACK
        name = BRIDGE.get(self.network, self.network)
        network = await self.engine.call(self.engine.client.networks.get, name)
        return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


def _unreachable(proxy: Address) -> InputError:
    return InputError(
        f"containers cannot reach the proxy {proxy} without being told its password\n"
        "set FORGE_BUILD_NETWORK=host where the engine is on this machine, or name a proxy that "
        "asks for no password"
    )


async def _relay(
    proxy: Address, asked: bytes, near: asyncio.StreamReader, back: asyncio.StreamWriter
) -> None:
    try:
        with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            line, *headers = await _head(near)
            if asked not in map(_value, headers):
                back.write(REFUSED)
            elif not BYTES.fullmatch(_length(headers)):
                back.write(UNREADABLE)
            else:
                await _pass_on(proxy, (line, headers), near, back)
            await back.drain()
    finally:
        await _closed(back)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _head(near: asyncio.StreamReader) -> list[bytes]:
    async with asyncio.timeout(HEAD_SECONDS):
        return (await near.readuntil(END)).removesuffix(END).split(b"\r\n")


async def _pass_on(
    proxy: Address,
    head: tuple[bytes, list[bytes]],
    near: asyncio.StreamReader,
    back: asyncio.StreamWriter,
) -> None:
    far, forth = await _connected(proxy)
    forth.write(_rewritten(proxy, *head))
    sending = asyncio.create_task(_copy(near, forth, _body_bytes(*head)))
    try:
        await _copy(far, back, None)
    finally:
        sending.cancel()
        await _closed(forth)


async def _connected(proxy: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(proxy.url)
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    options: dict[str, Any] = {"ssl": ssl.create_default_context()} if is_secure else {}
    return await asyncio.open_connection(parts.hostname, port, **options)


def _rewritten(proxy: Address, line: bytes, headers: list[bytes]) -> bytes:
    kept = [header for header in headers if _name(header) not in OF_ONE_HOP]
    login = proxy.login.basic.encode() if proxy.login else b""
    # One request a connection: the head of a second one would pass unread.
    ours = [b"Proxy-Authorization: " + login]
    ours += [] if line.startswith(b"CONNECT ") else [b"Connection: close"]
    return b"\r\n".join([line, *kept, *ours]) + END


def _body_bytes(line: bytes, headers: list[bytes]) -> int | None:
    """Bytes that follow a request's head; None where only its end tells."""
    if line.startswith(b"CONNECT ") or b"transfer-encoding" in map(_name, headers):
        return None
    return int(_length(headers))


def _length(headers: list[bytes]) -> bytes:
    known = {_name(header): _value(header) for header in headers}
    return known.get(b"content-length", b"0")


def _name(header: bytes) -> bytes:
    return header.partition(b":")[0].strip().lower()


def _value(header: bytes) -> bytes:
    return header.partition(b":")[2].strip()


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, most: int | None
) -> None:
    with suppress(OSError):
        while most != 0 and (piece := await source.read(PIECE if most is None else most)):
            target.write(piece)
            await target.drain()
            most = None if most is None else most - len(piece)
        if most is None and target.can_write_eof():
            target.write_eof()
