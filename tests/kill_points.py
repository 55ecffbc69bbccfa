"""A forge command that counts its steps, and at one of them dies as by `kill -9`.

A step is whatever changes a disk, starts a program or asks a service. Python tells of most before
they happen (audit events); the others are told here, before or after.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import requests.adapters

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
APPEND = "journal append"
KINDS = {
    "image": r"(asks|was answered) POST .*/commit",
    "container": r"(asks|was answered) (POST|PUT|DELETE|\w+ .*/archive)",
    "hour in pieces": r"piece of an hour",
    "download": r"connects|\w+ \S*memo/artifacts/",
    APPEND: r"writes \S*memo/\w+/journal-",
    "journal removed": r"removes memo/\w+/journal-",
    "memo part": r"\w+ \S*memo/",
    "manifest": r"\w+ \S*manifest",
    "commit of a table": r"\w+ (\.drafts/|rejected/|\w+/month=)",
    "git at work": r"runs git (fetch|ls-remote)",
    "mirror fetch": r"\w+ git (fetch|ls-remote|init|symbolic-ref|pack-objects)|\w+ \S*mirrors/",
    "the rest": r"",
}


@dataclass(frozen=True)
class Death:
    """Where and how a process dies: at the n-th step of a kind, counted from a first step on."""

    root: str
    report: str
    kind: str | None = None
    nth: int = 0
    is_torn: bool = False
    """The draft at hand is half written, or half of the line."""
    takes_children: bool = False
    since: str = ""

    def told(self) -> tuple[str, dict[str, int]]:
        """The last step of the process, and how many there were of each kind."""
        last, counts = json.loads(Path(self.report).read_text(encoding="utf-8"))
        return last, counts

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a forge command that dies so."""
        words = [sys.executable, __file__, json.dumps(asdict(self)), *command]
        with Path(f"{self.report}.log").open("wb") as log:
            surroundings = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
            return subprocess.Popen(words, stdout=log, stderr=log, env=surroundings)


def kind_of(step: str) -> str:
    """The kind of a step, by its words."""
    return next(kind for kind, words in KINDS.items() if re.match(words, step))


class Steps:
    """The steps of this process so far, by kind."""

    def __init__(self, death: Death) -> None:
        self.death, self.counts = death, Counter[str]()
        self.begun, self.lock = not death.since, threading.RLock()
        self.is_dying = False

    def take(
        self, step: str, *, draft: str | None = None, half: Callable[[], object] = int
    ) -> None:
        """Count a step; at the chosen one, leave a half behind if it is to be so, and die."""
        with self.lock:
            self.begun = self.begun or bool(re.match(self.death.since, step))
            if self.is_dying or not self.begun:
                return
            kind = kind_of(step)
            self.counts[kind] += 1
            if kind == self.death.kind and self.counts[kind] > self.death.nth:
                self._die(step, draft, half)

    def _die(self, step: str, draft: str | None, half: Callable[[], object]) -> None:
        self.is_dying = True
        if self.death.is_torn:
            half()
            if draft and Path(draft).is_file():
                os.truncate(draft, Path(draft).stat().st_size // 2)
        self.tell(step)
        for child in _descendants(os.getpid()) if self.death.takes_children else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    def tell(self, last: str = "ended") -> None:
        """Report how many steps of each kind there were, and the last."""
        self.is_dying = True
        Path(self.death.report).write_text(json.dumps([last, self.counts]), encoding="utf-8")

    def place(self, path: Any) -> str | None:
        """A path under the root, relative to it; None for any other."""
        with contextlib.suppress(TypeError):
            text = os.fsdecode(path)
            if text.startswith(self.death.root + "/"):
                return text.removeprefix(self.death.root + "/")
        return None

    def place_of(self, file: int) -> str | None:
        """The same of an open file."""
        with contextlib.suppress(OSError):
            return self.place(Path(f"/proc/self/fd/{file}").readlink())
        return None


def watch_audit(steps: Steps) -> None:
    """Take a step before everything that Python says it is about to do."""
    steady = {"os.rename": "renames", "os.remove": "removes", "os.mkdir": "makes",
              "os.rmdir": "removes", "os.utime": "dates", "shutil.rmtree": "removes"}  # fmt: skip

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event in steady and (place := steps.place(values[0])):
            to = steps.place(values[1]) if event == "os.rename" else None
            draft = f"{steps.death.root}/{place}" if "draft" in place and to else None
            steps.take(f"{steady[event]} {to or place}", draft=draft)
        elif event == "open" and (values[2] or 0) & WRITING and (place := steps.place(values[0])):
            steps.take(f"opens {place}")
        elif event == "socket.connect" and isinstance(values[1], tuple):
            steps.take("connects")

    sys.addaudithook(hook)


def watch_files(steps: Steps) -> None:
    """Take a step before every write and sync of which Python tells nothing."""
    write, sync = os.write, os.fsync

    def watched_write(file: int, content: bytes) -> int:
        if place := steps.place_of(file):
            steps.take(f"writes {place}", half=lambda: write(file, content[: len(content) // 2]))
        return write(file, content)

    def watched_sync(file: int) -> None:
        if place := steps.place_of(file):
            draft = f"{steps.death.root}/{place}" if "draft" in place else None
            steps.take(f"syncs {place}", draft=draft)
        sync(file)

    os.write, os.fsync = watched_write, watched_sync


def watch_git(steps: Steps) -> None:
    """Take a step before a git process starts, when it runs and when it has ended."""
    start, wait, commands = subprocess.Popen.__init__, os.waitpid, {}

    def watched_start(process: Any, words: Any, *rest: Any, **options: Any) -> None:
        git = words[words.index("git") + 1 :] if "git" in words else words[1:]
        name = next((w for w in git if re.fullmatch(r"[a-z]+(-[a-z]+)*", w)), "")
        steps.take(f"starts git {name}")
        start(process, words, *rest, **options)
        commands[process.pid] = name
        steps.take(f"runs git {name}")

    def watched_wait(pid: int, options: int) -> tuple[int, int]:
        ended = wait(pid, options)
        if ended[0]:
            steps.take(f"ended git {commands.get(pid)}")
        return ended

    subprocess.Popen.__init__, os.waitpid = watched_start, watched_wait  # type: ignore[method-assign]


def watch_services(steps: Steps) -> None:
    """Take a step with every piece of a download, and around every question to Docker."""
    pieces, send = httpx.Response.aiter_raw, requests.adapters.HTTPAdapter.send

    async def watched_pieces(response: Any, size: int | None = None) -> Any:
        async for piece in pieces(response, size):
            steps.take("piece of an hour")
            yield piece
        steps.take("piece of an hour was the last")

    def watched_send(adapter: Any, request: Any, **options: Any) -> Any:
        words = f"{request.method} {request.url}"
        asking = threading.Thread(target=send, args=(adapter, request), kwargs=options)
        steps.take(f"asks {words}", half=lambda: (asking.start(), asking.join(0.05)))
        answer = send(adapter, request, **options)
        steps.take(f"was answered {words}")
        return answer

    httpx.Response.aiter_raw = watched_pieces  # type: ignore[method-assign]
    requests.adapters.HTTPAdapter.send = watched_send  # type: ignore[method-assign]


def _descendants(pid: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                yield from _descendants(int(stat.parent.name))
                yield int(stat.parent.name)


def main() -> None:
    """Run the command that the arguments name."""
    from forge.cli import exit_code

    plan, *sys.argv[1:] = sys.argv[1:]
    steps = Steps(Death(**json.loads(plan)))
    for watch in (watch_audit, watch_files, watch_git, watch_services):
        watch(steps)
    code = exit_code()
    steps.tell()
    sys.exit(code)


if __name__ == "__main__":
    main()
