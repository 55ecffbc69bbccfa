"""A real registry of images on loopback, and small images to send there."""

import io
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import docker
import polars as pl
import yaml

# What `htpasswd -nbB ada lovelace` prints.
LOGIN = ("ada", "lovelace")
HASHED = "ada:$2y$04$dQ0XkmFmpT6rjht.R7mi.Oityv2r1Z4wxM3SN..fypW5T/o5/h79."


@contextmanager
def registry(program: str, folder: Path, *, asks_login: bool = False) -> Iterator[str]:
    """The address of a registry that keeps what it has in a folder."""
    folder.mkdir()
    address = f"127.0.0.1:{_free_port()}"
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "held")}},
        "http": {"addr": address},
    }
    if asks_login:
        (folder / "users").write_text(f"{HASHED}\n")
        config["auth"] = {"htpasswd": {"realm": "forge", "path": str(folder / "users")}}
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [program, "serve", str(folder / "config.yml")], stdout=log, stderr=log
        )
        try:
            _wait_for(address)
            yield address
        finally:
            running.terminate()
            running.wait()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(address)


@contextmanager
def small_tasks(engine: docker.DockerClient) -> Iterator[pl.LazyFrame]:
    """Two tasks whose images stand on the same layer, all of it made a moment ago."""
    base = f"sweforge/small-{uuid4().hex}"
    names = [f"{base}__{name}:1" for name in ("a", "b")]
    images = [
        small_image(engine, "scratch", f"{base}:1"),
        *(small_image(engine, f"{base}:1", n) for n in names),
    ]
    rows = [
        {"instance_id": name, "image": name, "image_digest": image, "recipe": None}
        for name, image in zip(names, images[1:], strict=True)
    ]
    try:
        yield pl.LazyFrame(rows, schema_overrides={"recipe": pl.String})
    finally:
        for name in [*names, f"{base}:1"]:
            remove(engine, name)


def small_image(engine: docker.DockerClient, base: str, name: str, **labels: str) -> str:
    """The digest of an image of one file upon a base."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, text in {
            "Dockerfile": f"FROM {base}\nCOPY word /{uuid4().hex}\n",
            "word": name,
        }.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    packed.seek(0)
    image, _ = engine.images.build(
        fileobj=packed, custom_context=True, tag=name, rm=True, labels=labels
    )
    return str(image.id)


def remove(engine: docker.DockerClient, name: str) -> None:
    """Remove a name of an image, if it has it, and the image with its last name."""
    try:
        engine.images.remove(name)
    except docker.errors.ImageNotFound:
        return
