"""Trees and files of single commits."""

import re
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from forge.effect import Failure
from forge.services.git_command import Call, Failed, git
from forge.services.git_mirrors import COMMIT_DRAFT, Mirror

FILE_BYTES = 1_000_000
ALL_BYTES = 32_000_000
FILES = 2_000
PACK = ("--threads=1", "--window=0", "--no-reuse-delta", "--no-reuse-object", "--quiet")
CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
LINK = "160000"
BAD, MISSING = "BAD", -1
"""What git says of the size of a file that is not there, and what we do."""


class Entry(NamedTuple):
    """One file of a tree."""

    path: str
    mode: str
    sha: str
    bytes: int

    @property
    def is_missing(self) -> bool:
        """Whether the server has not got the file."""
        return self.bytes == MISSING


async def entries(mirror: Mirror, commit: str) -> list[Entry]:
    """All files and symlinks held of a commit, sorted; no submodules, no names beside UTF-8."""
    return [entry for entry in await _listed(mirror, commit) if not entry.is_missing]


async def missing_files(mirror: Mirror, commit: str) -> list[str]:
    """Files of a commit that its server has not got, sorted."""
    return [entry.path for entry in await _listed(mirror, commit) if entry.is_missing]


async def _listed(mirror: Mirror, commit: str) -> list[Entry]:
    await mirror.hold_commits([commit])
    listing = await mirror.read_objects("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    found = [_entry(line) for line in listing.split(b"\0") if line]
    return sorted(entry for entry in found if entry)


async def read_files(mirror: Mirror, commit: str, wanted: str | Sequence[str]) -> dict[str, bytes]:
    """Contents by path, of the paths that a pattern or a list names; large files are left out."""
    is_wanted = re.compile(wanted).search if isinstance(wanted, str) else set(wanted).__contains__
    found = [entry for entry in await _listed(mirror, commit) if is_wanted(entry.path)]
    if missing := [entry.path for entry in found if entry.is_missing]:
        raise Failed(Failure("data", "objects_missing", ", ".join(missing)))
    small = [entry for entry in found if entry.bytes <= FILE_BYTES]
    if len(small) > FILES or sum(entry.bytes for entry in small) > ALL_BYTES:
        raise Failed(Failure("policy", "files_too_large", f"{len(small)} files of {commit}"))
    return await contents(mirror, small)


async def contents(mirror: Mirror, wanted: Iterable[Entry]) -> dict[str, bytes]:
    """Contents by path."""
    wanted = list(wanted)
    names = "".join(f"{entry.sha}\n" for entry in wanted).encode()
    batch = await mirror.read_objects("cat-file", "--batch", stdin=names)
    found, at = {}, 0
    for entry in wanted:
        start = batch.index(b"\n", at) + 1
        at = start + entry.bytes + 1
        found[entry.path] = batch[start : at - 1]
    return found


async def commit_archive(mirror: Mirror, commit: str) -> Path:
    """A tar of a `.git` folder that holds this commit, detached, and no other object or name."""
    whole = mirror.folder / "commits" / f"{commit}.tar"
    await mirror.hold_commits([commit])
    async with mirror.lock() as lock:
        if not whole.exists():
            draft = mirror.folder / COMMIT_DRAFT
            await _lay_out(mirror, commit, draft / ".git", lock)
            _pack_up(draft, draft / "draft.tar")
            (draft / "draft.tar").replace(whole)
            shutil.rmtree(draft)
    return whole


async def _lay_out(mirror: Mirror, commit: str, folder: Path, lock: int) -> None:
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text(f"{commit}\n")
    (folder / "shallow").write_text(f"{commit}\n")
    (folder / "config").write_bytes(CONFIG)
    held = ("rev-list", "--objects", "--missing=allow-any", "--no-walk", commit)
    listing = await mirror.read_objects(*held)
    names = b"".join(line[:40] + b"\n" for line in listing.splitlines())
    pack = ["pack-objects", *PACK, str(folder / "objects/pack/pack")]
    config = {"pack.writeReverseIndex": "false"}
    await git(Call(mirror.objects, pack, names, config=config, lock=lock))


def _pack_up(folder: Path, draft: Path) -> None:
    paths = sorted((folder / ".git").rglob("*"))
    with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in [folder / ".git", *paths]:
            member = tarfile.TarInfo(str(path.relative_to(folder)))
            member.mode = 0o755 if path.is_dir() else 0o644
            if path.is_dir():
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                member.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(member, file)


def _entry(line: bytes) -> Entry | None:
    about, _, name = line.partition(b"\t")
    mode, _, sha, size = about.decode().split()
    if mode == LINK:
        return None
    try:
        return Entry(name.decode(), mode, sha, MISSING if size == BAD else int(size))
    except UnicodeDecodeError:
        return None
