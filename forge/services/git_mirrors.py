"""Mirrors: what is held of a repository, shared by all its pull requests and all processes.

`history.git` holds commits alone (fetched with `--filter=tree:0`, whole where the server knows no
filter); `objects.git` holds the trees and files of single commits (`--depth=1`), each proved to be
as whole as the server has it by its ref `refs/commits/<sha>`. They are apart because a shallow file
would cut the history.
Writers hold a lock; readers need none, because nothing is ever repacked or removed.
"""

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from forge.address import Address
from forge.effect import Failure
from forge.services.git_command import FETCH_SECONDS, OUTPUT_BYTES, Call, Failed, down, git
from forge.services.git_holes import hold_holed

POLL_SECONDS = 0.05
COMMIT_DRAFT = "commits/draft"
SYMREF = "ref: refs/heads/"
FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-show-forced-updates")
PARTIAL = {
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "tree:0",
    "fetch.writeCommitGraph": "true",
}


@dataclass
class Mirror:
    """One repository's folder, and the address it is fetched from."""

    folder: Path
    address: Address
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    gone: Failed | None = None
    is_fetched: bool = False
    """By this process: after everything that it may ask for, whatever the clock says."""

    @property
    def history(self) -> Path:
        """Git directory of the commits."""
        return self.folder / "history.git"

    @property
    def objects(self) -> Path:
        """Git directory of single commits with their trees and files."""
        return self.folder / "objects.git"

    def is_fresh(self, since: float) -> bool:
        """Whether the history was fetched from this address at or after a time of the past."""
        if self.is_fetched:
            return True
        with suppress(FileNotFoundError):
            mark = self.folder / "fetched"
            # A mark of the future was made while the clock was wrong, and proves nothing.
            is_of_then = since <= mark.stat().st_mtime <= time.time()
            return is_of_then and mark.read_text() == self.address.url
        return False

    async def hold_history(self, since: float) -> None:
        """Fetch all branches' commits, unless that was done at or after the time `since`."""
        if self.is_fresh(since):
            return
        async with self.lock() as lock:
            if self.gone:
                raise self.gone
            if not self.is_fresh(since):
                await self._fetch_history(lock)

    async def hold_head(self, number: int, sha: str | None) -> str | None:
        """The head of a pull request, in the history now; None where the remote has it no more."""
        if sha and await self._has(self.history, sha):
            return sha
        if await self._fetch_head(f"refs/pull/{number}/head", f"refs/pull/{number}/head"):
            head = (await self.read("rev-parse", f"refs/pull/{number}/head")).decode().strip()
            if sha in {None, head}:
                return head
        if sha and await self._fetch_head(sha, f"refs/asked/{sha}"):
            return sha
        return None

    async def hold_commits(self, commits: Iterable[str]) -> None:
        """Fetch these commits with all their files, in one go."""
        wanted = dict.fromkeys(commits)
        if not self.folder.exists():
            await self.hold_history(0)
        if not await self._missing(wanted):
            return
        async with self.lock() as lock:
            if missing := await self._missing(wanted):
                await self._fetch_commits(missing, lock)

    async def _fetch_commits(self, commits: list[str], lock: int) -> None:
        refs = [f"+{sha}:refs/commits/{sha}" for sha in commits]
        try:
            await git(self.call(self.objects, *FETCH, "--depth=1", "origin", *refs, lock=lock))
        except Failed as failed:
            if failed.failure.reason != "objects_missing":
                raise
            draft = Mirror(self.folder / COMMIT_DRAFT, self.address)
            for commit in commits:
                await hold_holed(self, draft, commit, lock)

    async def read(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What a command prints about the history."""
        return await git(Call(self.history, arguments, stdin))

    async def read_objects(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """What a command prints about single commits."""
        return await git(Call(self.objects, arguments, stdin, environment=environment or {}))

    async def read_partial(self, *arguments: str, most: int = OUTPUT_BYTES) -> bytes:
        """What a command prints about the history, single trees and files fetched on demand."""
        async with self.lock() as lock:
            call = self.call(self.history, *arguments, lock=lock, config=PARTIAL)
            return await git(replace(call, bytes=most))

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[int]:
        """Nobody else, in any process, writes to this mirror."""
        path = self.folder.parent / ".locks" / self.folder.name
        path.parent.mkdir(parents=True, exist_ok=True)
        async with self.busy:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                await _flock(lock)
                if os.pread(lock, 1, 0):
                    self._clear()
                os.pwrite(lock, b"!", 0)
                yield lock
                os.ftruncate(lock, 0)
            finally:
                os.close(lock)

    def _clear(self) -> None:
        # Whoever held the lock before was killed, and so are its git processes, which share it.
        for folder in (self.history, self.objects):
            for pattern in ("**/*.lock", "objects/**/tmp_*", "objects/pack/*.keep"):
                for stale in folder.glob(pattern):
                    stale.unlink(missing_ok=True)
        shutil.rmtree(self.folder / COMMIT_DRAFT, ignore_errors=True)

    async def _fetch_history(self, lock: int) -> None:
        whole = self if self.folder.exists() else await self._drafted(lock)
        try:
            await whole.fetch_branches(lock)
        except Failed as failed:
            self.gone = failed
            if whole is not self:
                shutil.rmtree(whole.folder)
            raise
        if whole is not self:
            whole.folder.rename(self.folder)
        self.is_fetched = True

    async def fetch_branches(self, lock: int) -> None:
        """Fetch all branches' commits under a lock that is held."""
        started = time.time()
        branch = await self._default_branch(lock)
        fetch = (*FETCH, "--filter=tree:0", "--prune", "origin", "+refs/heads/*:refs/heads/*")
        await git(self.call(self.history, *fetch, lock=lock, config=PARTIAL))
        head = f"refs/heads/{branch or 'none'}"
        await git(Call(self.history, ["symbolic-ref", "HEAD", head], lock=lock))
        self._mark(started)

    async def _drafted(self, lock: int) -> "Mirror":
        draft = Mirror(self.folder.parent / ".drafts" / self.folder.name, self.address)
        shutil.rmtree(draft.folder, ignore_errors=True)
        draft.folder.mkdir(parents=True)
        for folder in (draft.history, draft.objects):
            await git(Call(folder, ["init", "--quiet", "--bare", "--template="], lock=lock))
        return draft

    async def _default_branch(self, lock: int) -> str | None:
        listing = ("ls-remote", "--symref", "origin", "HEAD", "refs/heads/*")
        branches = await git(self.call(self.history, *listing, lock=lock))
        if not branches:
            raise self._no_branches()
        first = branches.decode(errors="replace").partition("\t")[0]
        return first.removeprefix(SYMREF) if first.startswith(SYMREF) else None

    def _no_branches(self) -> Exception:
        # Git takes any web page for a repository without branches, and succeeds.
        if self.address.url.startswith("http"):
            return down(
                self.address, "it answers without a branch: an empty repository, or a web page"
            )
        return Failed(Failure("data", "repository_empty", "it has no branch"))

    def _mark(self, at: float) -> None:
        draft = self.folder / "fetched.draft"
        draft.write_text(self.address.url)
        os.utime(draft, (at, at))
        draft.replace(self.folder / "fetched")

    async def _fetch_head(self, what: str, where: str) -> bool:
        async with self.lock() as lock:
            fetch = (*FETCH, "--filter=tree:0", "origin", f"+{what}:{where}")
            try:
                await git(self.call(self.history, *fetch, lock=lock, config=PARTIAL))
            except Failed as failed:
                if failed.failure.reason == "commit_vanished":
                    return False
                raise
        return True

    async def _has(self, folder: Path, sha: str) -> bool:
        found = await git(Call(folder, ["cat-file", "--batch-check"], f"{sha}\n".encode()))
        return b" commit " in found

    async def _missing(self, commits: Iterable[str]) -> list[str]:
        names = [f"refs/commits/{sha}" for sha in commits]
        held = await self.read_objects("for-each-ref", "--format=%(objectname)", *names)
        return [sha for sha in commits if sha not in set(held.decode().split())]

    def call(
        self, folder: Path, *arguments: str, lock: int, config: Mapping[str, str] | None = None
    ) -> Call:
        """A command that may fetch from the remote, under a lock that is held."""
        return Call(
            folder,
            arguments,
            config=config or {},
            seconds=FETCH_SECONDS,
            address=self.address,
            lock=lock,
        )


async def _flock(lock: int) -> None:
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        await asyncio.sleep(POLL_SECONDS)
