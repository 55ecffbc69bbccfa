"""A few of the demo's pull requests, served on loopback, and what the servers were asked."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from archives import Loopback, serve

from forge.demo.archive import write_archive
from forge.demo.history import write_repository
from forge.demo.servers import GitHandler, serving
from forge.demo.world import world

Chosen = Mapping[str, set[int]]


class Fetched(NamedTuple):
    """An object that a fetch asked for and got: of which repository, into which git directory."""

    repo: str
    folder: str
    sha: str


@dataclass
class World:
    """Where a small world is served, and what it was asked."""

    archive: Loopback
    git_url: str
    fetched: list[Fetched] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead here."""
        return {"FORGE_ARCHIVE_URL": self.archive.url, "FORGE_GIT_URL": self.git_url}

    def forget(self) -> None:
        """Empty the logs."""
        self.archive.asked.clear()
        self.fetched.clear()


@contextmanager
def serve_some(folder: Path, chosen: Chosen) -> Iterator[World]:
    """Serve these pull requests of the demo's repositories."""
    _write(folder, chosen)
    hours = {
        path.name.removesuffix(".json.gz"): path.read_bytes()
        for path in (folder / "archive").iterdir()
    }
    fetched: list[Fetched] = []
    handler = partial(_Recorded, folder=folder / "git", fetched=fetched)
    with serve(hours) as archive, serving(handler, folder / "git.port") as url:
        yield World(archive, f"{url}/{{owner}}/{{repo}}", fetched)


def _write(folder: Path, chosen: Chosen) -> None:
    repositories = [
        msgspec.structs.replace(
            r, pull_requests=tuple(p for p in r.pull_requests if p.number in chosen[r.repo])
        )
        for r in world()
        if r.repo in chosen
    ]
    shas = {r.repo: write_repository(r, folder / "git" / f"{r.repo}.git") for r in repositories}
    write_archive(repositories, shas, folder / "archive")


class _Recorded(GitHandler):
    def __init__(self, *args: Any, folder: Path, fetched: list[Fetched]) -> None:
        self.fetched, self.asked = fetched, b""
        super().__init__(*args, folder=folder)

    def _body(self) -> bytes:
        self.asked = super()._body()
        return self.asked

    def answer(self, status: HTTPStatus, body: bytes, **headers: str) -> None:
        """Answer, and record the objects that were asked for."""
        super().answer(status, body, **headers)
        repo = "/".join(self.path.split("/")[1:3])
        folder = "objects.git" if b"deepen 1" in self.asked else "history.git"
        wants = re.findall(rb"want ([0-9a-f]{40})", self.asked)
        self.fetched += [Fetched(repo, folder, sha.decode()) for sha in wants]
        self.asked = b""
