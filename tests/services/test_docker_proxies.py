"""Containers reach the network by a proxy that asks for a login, and never learn the login."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from archives import serve
from guarded import guard
from planted import PROXY, found_in, leaks, plant
from projects import Project, make_project

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.errors import InputError
from forge.processes import process_label
from forge.services import docker_proxies
from forge.services.docker import Docker, Image, Ran
from forge.services.docker_engine import PROCESS, Engine
from forge.services.docker_proxies import Relays
from forge.settings import Settings

HOUR = "2026-03-01-5"
FETCH = """
python3 - <<'END'
import urllib.request
print(urllib.request.urlopen("{url}/{hour}.json.gz").read().decode())
END
"""
LOOK = """
env
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'
cat /forge/build/* /forge/script/* 2>/dev/null || true
"""


@pytest.fixture
def proxied(monkeypatch) -> Iterator[object]:
    """A proxy that asks for a login, as this process's environment names it."""
    with guard(PROXY) as proxy:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield proxy


async def through(network: str, ask) -> object:
    """What a question gives that knows the proxy only as containers do."""
    relays = Relays(Engine(1), network)
    try:
        variables = await relays.environment()
        assert found_in(json.dumps(variables).encode()) == set()
        return await asyncio.to_thread(ask, variables["http_proxy"])
    finally:
        await relays.close()


def test_relay_passes_requests_on_with_the_login_that_it_alone_knows(proxied):
    def ask(proxy: str) -> list[httpx.Response]:
        with httpx.Client(proxy=proxy, trust_env=False) as http:
            asked = [http.get(f"{archive.url}/{HOUR}.json.gz") for _ in range(3)]
            return [*asked, http.post(f"{archive.url}/x", content=b"x" * 100_000)]

    with serve({HOUR: b"hello"}) as archive:
        answers = asyncio.run(through("host", ask))
    assert [(one.status_code, one.content) for one in answers[:3]] == [(200, b"hello")] * 3
    assert answers[3].status_code == 501  # the archive takes no POST, and said so
    assert (proxied.passed, proxied.refused) == (4, 0)


def test_relay_opens_tunnels(proxied):
    def ask(proxy: str) -> bytes:
        place, target = urlsplit(proxy), urlsplit(archive.url).netloc
        word = base64.b64encode(f"{place.username}:{place.password}".encode()).decode()
        with closing(socket.create_connection((place.hostname, place.port))) as far:
            far.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n".encode())
            far.sendall(f"Proxy-Authorization: Basic {word}\r\n\r\n".encode())
            assert far.recv(1000).startswith(b"HTTP/1.1 200")
            far.sendall(f"GET /{HOUR}.json.gz HTTP/1.0\r\n\r\n".encode())
            return b"".join(iter(lambda: far.recv(1000), b""))

    with serve({HOUR: b"hello"}) as archive:
        assert asyncio.run(through("host", ask)).endswith(b"hello")
    assert (proxied.passed, proxied.refused) == (1, 0)


@pytest.mark.parametrize("length", ["abc", "-7", "9" * 5000, ""])
@pytest.mark.usefixtures("proxied")
def test_relay_refuses_a_request_whose_length_is_no_number(length, caplog):
    def ask(proxy: str) -> bytes:
        place = urlsplit(proxy)
        word = base64.b64encode(f"{place.username}:{place.password}".encode()).decode()
        with closing(socket.create_connection((place.hostname, place.port), timeout=5)) as far:
            far.sendall(b"POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n")
            far.sendall(f"Proxy-Authorization: Basic {word}\r\n".encode())
            far.sendall(f"Content-Length: {length}\r\n\r\n".encode())
            return b"".join(iter(lambda: far.recv(1000), b""))

    assert asyncio.run(through("host", ask)).startswith(b"HTTP/1.1 400 ")
    assert caplog.text == ""


def test_relay_at_an_address_of_ipv6_has_brackets(proxied, monkeypatch):
    monkeypatch.setattr(docker_proxies, "LOOPBACK", "::1")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with serve({HOUR: b"hello"}) as archive:
        url = f"{archive.url}/{HOUR}.json.gz"
        said = asyncio.run(through("host", lambda proxy: httpx.get(url, proxy=proxy).content))
    assert (said, proxied.passed) == (b"hello", 1)


def test_relay_serves_nobody_without_its_word(proxied):
    def ask(proxy: str) -> list[int]:
        place = urlsplit(proxy)
        wrong = [f"http://{place.hostname}:{place.port}", proxy.replace("forge:", "forge:x")]
        return [httpx.get("http://127.0.0.1:1/", proxy=one).status_code for one in wrong]

    assert asyncio.run(through("host", ask)) == [407, 407]
    assert (proxied.passed, proxied.refused) == (0, 0)


def test_proxy_without_a_login_is_handed_on_as_it_is(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    assert asyncio.run(through("host", lambda proxy: proxy)) == "http://127.0.0.1:3128"


@pytest.mark.usefixtures("proxied", "docker_engine")
def test_network_that_leads_to_no_relay_is_refused_rather_than_told_the_login(tmp_path):
    async def ask() -> object:
        settings = Settings(root=tmp_path, build_network="none")
        async with Docker.open(settings, Artifacts(tmp_path / "artifacts")) as docker:
            return await docker.relays.environment()

    with pytest.raises(InputError, match="without being told its password") as error:
        asyncio.run(ask())
    assert found_in(str(error.value).encode()) == set()


@pytest.fixture
def planted(tmp_path, monkeypatch) -> None:
    """Secrets in the environment, in Docker's own configuration and at home."""
    for name, value in plant(tmp_path / "home").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def project(tmp_path) -> Project:
    return make_project(tmp_path / "origin", {"sums.py": "one = 1\n"})


class Inspected:
    """What the engine says of this process's containers while something runs."""

    def __init__(self, engine) -> None:
        self.engine, self.is_over, self.said = engine, threading.Event(), {}
        self.thread = threading.Thread(target=self._look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    def _look(self) -> None:
        own = {"label": f"{PROCESS}={process_label()}"}
        while not self.is_over.wait(0.1):
            for one in self.engine.containers.list(all=True, filters=own, ignore_removed=True):
                self.said[one.id] = json.dumps(one.attrs)


@pytest.mark.usefixtures("planted", "proxied")
def test_foreign_code_in_a_build_uses_the_proxy_and_finds_no_secret(
    tmp_path, project, docker_engine
):
    async def build(recipe) -> Image | Failure:
        async with Docker.open(settings, Artifacts(tmp_path / "root/artifacts")) as docker:
            return await docker.image(recipe)

    settings = Settings(root=tmp_path / "root", git_url=project.git_url)
    with serve({HOUR: b"hello from afar"}) as archive, Inspected(docker_engine) as inspected:
        install = FETCH.format(url=archive.url, hour=HOUR) + LOOK
        image = asyncio.run(build(project.recipe(install=install)))
    assert isinstance(image, Image), image
    log = Artifacts(tmp_path / "root/artifacts").path(image.log).read_bytes()
    try:
        assert b"hello from afar" in log
        assert b"http_proxy=http://forge:" in log
        assert inspected.said
        assert found_in(log + "".join(inspected.said.values()).encode()) == set()
        assert secrets_of(docker_engine, image.tag) == set()
        assert leaks(tmp_path / "root") == {}
    finally:
        docker_engine.images.remove(image.tag, force=True)


def secrets_of(engine, tag: str) -> set[str]:
    """Secrets in what an image says of itself, in its history and in all its layers."""
    image = engine.images.get(tag)
    found, last = found_in(json.dumps([image.attrs, image.history()]).encode()), b""
    for piece in image.save(chunk_size=2**22):
        found |= found_in(last + piece)
        last = piece[-200:]
    return found


@pytest.mark.usefixtures("planted", "docker_engine", "proxied")
def test_a_container_has_nothing_of_this_machines_environment(tmp_path, project):
    async def look(network: bool) -> Ran | Failure:  # noqa: FBT001 - both are looked at
        async with Docker.open(settings, Artifacts(tmp_path / "root/artifacts")) as docker:
            base = await docker.toolchain("python:3.11-slim-bookworm")
            return await docker.run_script(str(base), LOOK, network=network)

    settings = Settings(root=tmp_path / "root", git_url=project.git_url)
    offline, online = (asyncio.run(look(network)) for network in (False, True))
    assert b"HOME=/home/forge" in offline.log
    assert b"proxy" not in offline.log.lower()
    assert b"http_proxy=" in online.log
    assert found_in(offline.log + online.log) == set()


@pytest.mark.usefixtures("planted", "docker_engine")
def test_pull_that_fails_tells_no_login_of_the_registry(tmp_path: Path, project: Project):
    async def pull() -> Image | Failure:
        async with Docker.open(settings, Artifacts(tmp_path / "root/artifacts")) as docker:
            return await docker.image(project.recipe(image="127.0.0.1:1/nobody/nothing:1"))

    settings = Settings(root=tmp_path / "root", git_url=project.git_url)
    failure = asyncio.run(pull())
    assert isinstance(failure, Failure)
    assert failure.reason in {"image_unreachable", "image_not_found"}
    assert found_in(repr(failure).encode()) == set()
