"""The script that locks, run by uv itself against an index on loopback."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from forge.recipes.lock import script

# Name, version, day of its release, whether it was taken back since.
RELEASES = [
    ("gone", "0.1.9", "2021-01-01", True),
    ("gone", "0.1.10", "2021-02-01", True),
    ("gone", "0.2.0", "2022-01-01", True),
    ("setuptools", "58.0", "2021-01-01", False),
    ("setuptools", "65.0", "2022-09-01", False),
]


def page(name: str) -> dict[str, object]:
    """A project as a package index tells of it (PEP 691, 700 and 714)."""
    files = [
        {
            "filename": f"{name}-{version}-py3-none-any.whl",
            "url": f"/files/{name}-{version}-py3-none-any.whl",
            "hashes": {},
            "upload-time": f"{day}T00:00:00Z",
            "yanked": is_yanked,
            "core-metadata": True,
        }
        for own, version, day, is_yanked in RELEASES
        if own == name
    ]
    return {"meta": {"api-version": "1.1"}, "name": name, "files": files}


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        _, kind, name, *_ = self.path.split("/")
        body, media = json.dumps(page(name)), "application/vnd.pypi.simple.v1+json"
        if kind == "files":
            own, version = name.split("-")[:2]
            body, media = f"Metadata-Version: 2.1\nName: {own}\nVersion: {version}\n", "text/plain"
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def lock(folder: Path, index: str, requirements: str) -> tuple[str, str]:
    """The lock as of May 2021 and what uv said; the tools of this very environment."""
    (folder / "requirements.in").write_text(requirements)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "UV_DEFAULT_INDEX": index, "HOME": str(folder)}
    ran = subprocess.run(
        ["/bin/bash", "-c", script("2021-05-01T00:00:00Z")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    made = folder / "lock.txt"
    return made.read_text() if made.exists() else "", ran.stdout


def test_lock_holds_the_setuptools_of_then_that_virtual_environments_had(tmp_path, index):
    had = "setuptools==58.0\n" if sys.version_info < (3, 12) else ""
    assert lock(tmp_path, index, "")[0] == had


def test_newest_release_of_then_is_taken_where_all_were_taken_back_since(tmp_path, index):
    made, words = lock(tmp_path, index, "gone\n")
    assert "gone==0.1.10\n" in made, words


def test_what_was_never_released_is_refused_in_the_resolvers_words(tmp_path, index):
    made, words = lock(tmp_path, index, "gone>=1\n")
    assert (made, "No solution found" in words) == ("", True)
