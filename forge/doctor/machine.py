"""The machine itself: git, disks, the file system of the root, its limits, Python."""

import fcntl
import os
import platform
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from forge.disk import nearest
from forge.doctor.findings import Finding, missing, ok, warning
from forge.errors import EngineError, InputError, ServiceError, SpaceError, UsageError
from forge.leftovers import engine as connected
from forge.settings import Settings

GIT = (2, 32)
LEAST_BYTES, LEAST_INODES = 1_000_000_000, 10_000
LEAST_FILES, LEAST_PROCESSES = 1024, 1024
MEMORY_OF_ATTEMPT = 8_000_000_000
NETWORKED = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre"}
LIBRARIES = ("polars", "duckdb", "dataframely", "pyarrow", "pydantic", "docker", "httpx")
HOW_TO_MOVE = "choose another folder with FORGE_ROOT"


def git(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - it is found by the PATH
    """Whether it is there, new enough for partial histories, and speaks HTTP."""
    if shutil.which("git") is None:
        remedy = "install git 2.32 or later; nothing after `merges` is built without it"
        yield missing("git", "no git in PATH", remedy, ServiceError)
        return
    said, folder = _git("--version"), Path(_git("--exec-path"))
    numbers = re.findall(r"\d+", said)
    if tuple(map(int, numbers[:2])) < GIT:
        yield missing("git", said, "install git 2.32 or later", ServiceError)
    elif not (folder / "git-remote-https").exists():
        yield missing("git", f"{said}, without HTTP", "install git with curl", ServiceError)
    else:
        ssh = "ssh" if shutil.which("ssh") else "no ssh"
        yield ok("git", f"{'.'.join(numbers[:3])}, partial histories, https, {ssh}")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=5)
    return done.stdout.strip()


def disk(settings: Settings) -> Iterator[Finding]:
    """Room under the root, the memo and the engine."""
    places = {"root": settings.root, "memo": settings.memo_folder}
    for name, folder in places.items():
        yield _room(f"disk/{name}", nearest(folder), LEAST_BYTES)
    try:
        with connected(seconds=5) as client:
            folder = Path(client.info()["DockerRootDir"])
    except EngineError:
        return
    if folder.is_dir():
        yield from _images_room(folder, settings.disk)


def _room(subject: str, folder: Path, least: int) -> Finding:
    held = os.statvfs(folder)
    free = held.f_bavail * held.f_frsize
    said = f"{free / 1e9:.1f} GB free at {folder}"
    if free < least or (held.f_files and held.f_favail < LEAST_INODES):
        inodes = f", {held.f_favail:,} inodes" if held.f_files else ""
        return missing(subject, said + inodes, f"free some, or {HOW_TO_MOVE}", SpaceError)
    return ok(subject, said)


def _images_room(folder: Path, bound: int) -> Iterator[Finding]:
    found = _room("disk/images", folder, LEAST_BYTES)
    free = shutil.disk_usage(folder).free
    if found.state == "ok" and free < bound:
        said = f"{found.found}, and FORGE_DISK lets images fill {bound / 1e9:.1f} GB"
        yield warning("disk/images", said, f"let FORGE_DISK be at most {free * 8 // 10}")
    else:
        yield found


def root(settings: Settings) -> Iterator[Finding]:
    """Whether commits and locks work where the tables lie."""
    yield _tried("root", settings.root)


def memo(settings: Settings) -> Iterator[Finding]:
    """Whether they work where the answers lie."""
    yield _tried("memo", settings.memo_folder)


def _tried(subject: str, wanted: Path) -> Finding:
    folder, remedy = nearest(wanted), f"choose another folder with FORGE_{subject.upper()}"
    if not folder.is_dir():
        return missing(subject, f"{folder} is no folder", remedy, InputError)
    try:
        with tempfile.TemporaryDirectory(prefix=".forge-doctor-", dir=folder) as draft:
            is_blind = _is_blind(Path(draft))
            _commit(Path(draft))
    except OSError as error:
        found = f"{folder} cannot be written: {error.strerror}"
        return missing(subject, found, f"make it writable, or {remedy}", SpaceError)
    if (kind := _kind(folder)) in NETWORKED:
        found = f"{folder} is a network file system ({kind}): locks may not hold on other hosts"
        return warning(subject, found, f"run one build at a time, or {remedy}")
    if is_blind:
        found = f"{folder} does not tell upper from lower case"
        return warning(subject, found, f"some repositories cannot be fetched: {remedy}")
    return ok(subject, f"rename, sync and locks work at {folder} ({kind})")


def _commit(folder: Path) -> None:
    """What every commit of a table and every lock does."""
    with (folder / "draft").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write("x" * 65536)
        file.flush()
        os.fsync(file.fileno())
    (folder / "draft").replace(folder / "committed")


def _is_blind(folder: Path) -> bool:
    (folder / "a").touch()
    return (folder / "A").exists()


def _kind(folder: Path) -> str:
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "unknown"
    mounts = [line.split()[1:3] for line in lines]
    holding = [(where, kind) for where, kind in mounts if folder.is_relative_to(where)]
    return max(holding, key=lambda mount: len(mount[0]), default=("", "unknown"))[1]


def machine(settings: Settings) -> Iterator[Finding]:
    """Cores, memory, and what this process may open and start."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    free = _free_memory()
    told = f"{os.cpu_count()} cores, {free / 1e9:.1f} GB of memory free, {_told(files)} open files"
    if 0 <= files < LEAST_FILES or 0 <= processes < LEAST_PROCESSES:
        found = f"{told}, {_told(processes)} processes"
        yield warning("machine", found, f"raise them: ulimit -n {LEAST_FILES} -u {LEAST_PROCESSES}")
    elif free < settings.workers * MEMORY_OF_ATTEMPT:
        found = f"{told}; {settings.workers} containers at a time may take 8 GB each"
        yield warning("machine", found, "set FORGE_WORKERS lower if containers run out of memory")
    else:
        yield ok("machine", told)


def _told(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else f"{limit:,}"


def _free_memory() -> int:
    text = Path("/proc/meminfo").read_text(encoding="utf-8")
    found = re.search(r"MemAvailable:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else 0


def python(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - the same for all settings
    """Python, and whether the libraries are those that forge asks for."""
    told = f"{platform.python_version()}; " + ", ".join(f"{n} {version(n)}" for n in LIBRARIES)
    wrong = [*_wrong()]
    if wrong:
        remedy = "install them again: pip install --upgrade sweforge"
        yield missing("python", f"not as asked for: {', '.join(wrong)}", remedy, UsageError)
    else:
        yield ok("python", told)


def _wrong() -> Iterator[str]:
    try:
        asked = [Requirement(text) for text in requires("sweforge") or []]
    except PackageNotFoundError:  # run from a checkout
        return
    for wanted in asked:
        if wanted.marker is None and not wanted.specifier.contains(version(wanted.name)):
            yield f"{wanted.name} {version(wanted.name)}, wanted {wanted.specifier}"
