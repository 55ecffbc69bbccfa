"""What forge left on this machine and may take away: by label, name and age, never by guess."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import docker
import polars as pl
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from forge.lock import is_idle
from forge.processes import is_dead
from forge.report import bytes_under
from forge.services.docker_containers import Program, options
from forge.services.docker_engine import PROCESS, no_engine, our_containers, remove
from forge.services.docker_room import Held, leaves, our_images
from forge.settings import Settings
from forge.views import DRAFT

NAME = re.compile(r"[0-9a-f]{64}")
DAY = 86_400


@dataclass(frozen=True)
class Leftover:
    """One thing that may go, and how."""

    what: str
    name: str
    bytes: int
    remove: Callable[[], object]


@contextmanager
def engine(*, seconds: int = 120) -> Iterator[docker.DockerClient]:
    """The Docker engine; EngineError where none answers."""
    try:
        client = docker.from_env(timeout=seconds)
        client.ping()
    except (DockerException, OSError) as error:
        raise no_engine(error) from None
    with client.api:
        yield client


@contextmanager
def container(client: docker.DockerClient, image: str, script: str) -> Iterator[Container]:
    """A container for somebody at a terminal, without network, gone at the end."""
    program = Program(image, ("/bin/bash", "-c", script), user="1000:1000")
    made = client.containers.create(**options(program), tty=True, stdin_open=True)
    try:
        yield made
    finally:
        remove(made)


def image_sizes() -> list[int]:
    """What each of our images adds to those that it shares."""
    with engine(seconds=5) as client:
        return [image.bytes for image in our_images(client)]


def containers(client: docker.DockerClient) -> Iterator[Leftover]:
    """Containers whose forge process is dead."""
    for container in our_containers(client):
        if is_dead(container.labels[PROCESS]):
            yield Leftover("container", container.name or "", 0, partial(remove, container))


def images(client: docker.DockerClient, *, before: float) -> Iterator[Leftover]:
    """Our images made before a time, those that others stand on last; what is in use stays."""
    left = our_images(client)
    while free := [one for one in leaves(left) if _made_at(one) < before]:
        left = [one for one in left if one not in free]
        for image in free:
            name = image.tag or image.id
            yield Leftover("image", name, image.bytes, partial(_remove_image, client, name))


def _made_at(image: Held) -> float:
    return datetime.fromisoformat(image.created).timestamp() if image.created else 0.0


def _remove_image(client: docker.DockerClient, name: str) -> None:
    with suppress(APIError):  # a container runs from it
        client.images.remove(name)


def drafts(settings: Settings, *, before: float) -> Iterator[Leftover]:
    """What killed processes left half-written, where no build is at work."""
    root = settings.root
    folders = [*root.glob(".drafts/*"), *root.glob("mirrors/.drafts/*")]
    if is_idle(root):
        yield from (_folder("draft", path) for path in folders if _is_old(path, before))
    memo = settings.memo_folder
    files = [*root.glob(f"{DRAFT}*"), *memo.glob("*/draft-*"), *memo.glob("artifacts/.drafts/*")]
    # Other roots may share the memo: what is young may be somebody's.
    yield from (_file("draft", path) for path in files if _is_old(path, min(before, _day_ago())))


def mirrors(settings: Settings, *, before: float) -> Iterator[Leftover]:
    """Repositories fetched, where no build is at work; a later build fetches them again."""
    if is_idle(settings.root):
        held = (settings.root / "mirrors").glob("[!.]*")
        yield from (_folder("mirror", path) for path in held if _is_old(path, before))


def raw(settings: Settings, *, before: float) -> Iterator[Leftover]:
    """Hourly files in the root, where no build is at work; FORGE_RAW may be somebody else's."""
    if is_idle(settings.root):
        for path in (settings.root / "raw").glob("*.json.gz*"):
            if _is_old(path, before):
                yield _file("raw", path)


def artifacts(settings: Settings, *, before: float) -> Iterator[Leftover]:
    """Artifacts that neither a table nor a remembered answer names."""
    named = _named(settings)
    for path in (settings.memo_folder / "artifacts").glob("[0-9a-f][0-9a-f]/*"):
        # An answer names its file a moment after the file is there: what is young stays.
        if path.name not in named and _is_old(path, min(before, _day_ago())):
            yield _file("artifact", path)


def _named(settings: Settings) -> set[str]:
    memo = settings.memo_folder
    tables = settings.root.glob("*/month=*/*.parquet")
    found = {name for path in [*memo.glob("*/part-*.parquet"), *tables] for name in _names(path)}
    for journal in memo.glob("*/journal-*.jsonl"):
        found.update(NAME.findall(journal.read_text(encoding="utf-8", errors="replace")))
    return found


def _names(path: Path) -> Iterator[str]:
    """Everything in a Parquet file that could be an artifact's name."""
    rows = pl.scan_parquet(path)
    for column, kind in rows.collect_schema().items():
        for text in _texts(pl.col(column), kind):
            names = rows.select(n=text.str.extract_all(NAME.pattern)).explode("n").drop_nulls()
            yield from names.unique().collect()["n"]


def _texts(column: pl.Expr, kind: pl.DataType) -> Iterator[pl.Expr]:
    if isinstance(kind, pl.String):
        yield column
    elif isinstance(kind, pl.Struct):
        for field in kind.fields:
            yield from _texts(column.struct.field(field.name), field.dtype)  # type: ignore[arg-type]
    elif isinstance(kind, pl.List) and isinstance(kind.inner, pl.String):
        yield column.list.join(" ", ignore_nulls=True)


def _is_old(path: Path, before: float) -> bool:
    with suppress(FileNotFoundError):
        return path.lstat().st_mtime < before
    return False


def _day_ago() -> float:
    return time.time() - DAY


def _folder(what: str, path: Path) -> Leftover:
    return Leftover(what, str(path), bytes_under(path), partial(_remove_folder, path))


def _remove_folder(path: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def _file(what: str, path: Path) -> Leftover:
    remove_it = partial(path.unlink, missing_ok=True)
    return Leftover(what, str(path), path.lstat().st_size, remove_it)
