"""The small world that `forge demo` makes and serves on loopback."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import mkdtemp

from forge.address import Address
from forge.demo.archive import write_archive
from forge.demo.history import write_repository
from forge.demo.servers import archive_server, git_server
from forge.demo.world import world


@contextmanager
def serve_world(folder: Path) -> Iterator[dict[str, Address | Path]]:
    """Serve the world, made where it is not made yet; yields the settings that lead to it."""
    folder = folder.absolute()
    made = make_world(folder)
    with (
        archive_server(made / "archive", folder / "archive.port") as archive_url,
        git_server(made / "git", folder / "git.port") as git_url,
    ):
        yield {
            "archive_url": Address(archive_url),
            "git_url": Address(git_url),
            "recipes": made / "recipes",
        }


def make_world(folder: Path) -> Path:
    """The folder of this version's world: archive, repositories and hand-written recipes."""
    made = folder / f"world-{_fingerprint()[:12]}"
    if made.is_dir():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=".draft-", dir=folder))
    _write_world(draft)
    try:
        draft.rename(made)
    except OSError:
        shutil.rmtree(draft)
        if not made.is_dir():  # else another process was faster, and made the same
            raise
    return made


def _write_world(folder: Path) -> None:
    repositories = world()
    shas = {r.repo: write_repository(r, folder / "git" / f"{r.repo}.git") for r in repositories}
    write_archive(repositories, shas, folder / "archive")
    (folder / "recipes").mkdir()
    for repository in repositories:
        if repository.is_vanished:
            shutil.rmtree(folder / "git" / f"{repository.repo}.git")
        if repository.recipe:
            name = repository.repo.replace("/", "__")
            (folder / "recipes" / f"{name}.toml").write_text(repository.recipe)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for file in _sources(files("forge.demo")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir() and not entry.name.startswith("__"):
            yield from _sources(entry)
        elif entry.name.endswith((".py", ".toml")):
            yield entry
