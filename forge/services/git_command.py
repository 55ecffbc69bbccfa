"""Running git: a clean environment, bounded time and output, and errors told apart."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from forge.address import Address, masked
from forge.disk import refusal
from forge.effect import Failure
from forge.errors import ServiceError
from forge.services.proxies import exempt, proxies

T = TypeVar("T")

READ_SECONDS = 300.0
FETCH_SECONDS = 1800.0
OUTPUT_BYTES = 128_000_000
MEMORY_BYTES = 4 * 2**30
ERROR_BYTES = 64_000
PROTOCOLS = "file:git:http:https:ssh"
# Nothing of the user's git reaches us but the way to the network; a netrc and ssh keys need HOME.
KEPT = (
    *("PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "LD_LIBRARY_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
)
CONFIG = {
    "core.attributesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.excludesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.protectHFS": "true",  # no path may be `.git` to any system, not to ours alone
    "core.protectNTFS": "true",
    "core.quotePath": "true",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",  # readers hold no lock, so nothing may ever be repacked under them
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "protocol.version": "2",
    "safe.directory": "*",  # mirrors may be another user's; the remote's own check stays
}
# Everybody may read what a process is called with, and git calls others with the address.
LOGIN = ("FORGE_GIT_USER", "FORGE_GIT_PASSWORD")
HELPER = (
    '!f() { [ "$1" = get ] && '
    'printf "username=%s\\npassword=%s\\n" "$FORGE_GIT_USER" "$FORGE_GIT_PASSWORD"; }; f'
)
# A repository on this machine serves us by what we start: no setting of its own is needed for us to
# take commits alone, or what it has where files are missing.
OWN_SERVER = "git -c uploadpack.allowFilter=true upload-pack"
GONE = re.compile(
    r"repository '.*' not found|Repository not found|does not appear to be a git repository"
    r"|could not read Username|Repository unavailable|access blocked"
    r"|repository .* does not exist|Permission denied \(publickey",
    re.IGNORECASE,
)
ABSENT = re.compile(
    r"not our ref|couldn't find remote ref|unadvertised object|no such remote ref", re.IGNORECASE
)
MEMORY = re.compile(
    r"^(?!remote:).*(out of memory|cannot allocate memory|unable to create thread)",
    re.IGNORECASE | re.MULTILINE,
)
BROKEN = re.compile(
    r"missing (blob|tree|commit) object|unable to read [0-9a-f]{40}|bad object"
    r"|did not send all necessary objects|possible repository corruption|is corrupt",
    re.IGNORECASE,
)
DOWN = re.compile(
    r"unable to access|could not resolve|connection (refused|reset|timed out|closed)|early EOF"
    r"|RPC failed|hung up unexpectedly|returned error: (403|408|429|5\d\d)|timed? ?out|SSL|TLS"
    r"|unexpected disconnect|Network is unreachable|No route to host|unable to connect"
    r"|Authentication failed|not valid: could not determine hash algorithm"
    r"|transport '.*' not allowed",
    re.IGNORECASE,
)


class Failed(Exception):  # noqa: N818 - it is a failure, not an error
    """A question about a repository that has no answer, as the failure an effect returns."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.reason}: {failure.detail}")
        self.failure = failure


class GitError(Exception):
    """A git command that failed for a reason that nobody foresaw."""


class TooLargeError(Failed):
    """A git command that printed more than it may."""

    def __init__(self, call: "Call") -> None:
        words = f"git {call.arguments[0]} printed more than {call.bytes:,} bytes"
        super().__init__(Failure("policy", "git_output_too_large", words))
        self.args = (words,)


@dataclass(frozen=True)
class Call:
    """One git command in one git directory."""

    folder: Path
    arguments: Sequence[str]
    stdin: bytes = b""
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = READ_SECONDS
    bytes: int = OUTPUT_BYTES
    address: Address | None = None
    """Where it may fetch from; without one, it may not use the network."""
    lock: int | None = None
    """A held lock that git's processes share, so that they keep it when forge is killed."""

    @property
    def command(self) -> list[str]:
        """The words that are executed, none of them read by a shell."""
        config = {**CONFIG, **self.config}
        if self.address:
            config |= {"remote.origin.url": self.address.url}
        if self.address and self.address.url.startswith("file:"):
            config |= {"remote.origin.uploadpack": OWN_SERVER}
        if self.address and self.address.secret:
            config |= {f"credential.{self.address.origin}.helper": HELPER}
        settings = [word for key, value in config.items() for word in ("-c", f"{key}={value}")]
        return ["git", *settings, f"--git-dir={self.folder}", *self.arguments]

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment of the command."""
        return {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            **{name: os.environ[name] for name in proxies()},
            **exempt(),
            **self._login,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
            # A partial history would fetch missing trees one by one: reading uses no protocol.
            "GIT_ALLOW_PROTOCOL": PROTOCOLS if self.address else "none",
            **self.environment,
        }

    @property
    def _login(self) -> dict[str, str]:
        login = self.address.login if self.address else None
        return dict(zip(LOGIN, login, strict=True)) if login else {}


async def git(call: Call) -> bytes:
    """What the command prints; raises `Failed` or `ServiceError` where the remote is to blame."""
    try:
        async with asyncio.timeout(call.seconds):
            code, output, errors = await _execute(call)
    except TimeoutError:
        words = f"no answer within {call.seconds:g} seconds"
        if call.address:
            raise down(call.address, words) from None
        raise Failed(Failure("infra", "timed_out", f"git {call.arguments[0]}: {words}")) from None
    if code:
        raise _error(call, code, _plain(errors))
    return output


async def _execute(call: Call) -> tuple[int, bytes, bytes]:
    if shutil.which("git") is None:
        raise ServiceError("there is no git in PATH\ninstall git 2.32 or later")
    process = await asyncio.create_subprocess_exec(
        *_bounded(call.command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=call.variables,
        start_new_session=True,
        limit=OUTPUT_BYTES,  # of a pipe that asyncio pauses it never sees the end, and waits for it
        pass_fds=[] if call.lock is None else [call.lock],
    )
    try:
        _, output, errors = await asyncio.gather(
            _feed(_pipe(process.stdin), call.stdin),
            _read(_pipe(process.stdout), call),
            _read_errors(_pipe(process.stderr)),
        )
        return await process.wait(), output, errors
    finally:
        await _end(process)


def _bounded(command: list[str]) -> list[str]:
    # What it allocates, not what it maps: a pack may be larger than the memory. Before git starts,
    # so that none of its children escapes; a lower bound that is already there stays.
    bound = f'ulimit -d {MEMORY_BYTES // 1024} 2>/dev/null; exec "$@"'
    return ["/bin/sh", "-c", bound, "sh", *command]


def _pipe(stream: T | None) -> T:
    if stream is None:
        raise GitError("git was started without pipes")
    return stream


async def _feed(stream: asyncio.StreamWriter, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(content)
        await stream.drain()
    stream.close()


async def _read(stream: asyncio.StreamReader, call: Call) -> bytes:
    content = bytearray()
    while chunk := await stream.read(1 << 18):
        content += chunk
        if len(content) > call.bytes:
            raise TooLargeError(call)
    return bytes(content)


async def _read_errors(stream: asyncio.StreamReader) -> bytes:
    content = b""
    while chunk := await stream.read(1 << 16):
        content = (content + chunk)[-ERROR_BYTES:]
    return content


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _plain(errors: bytes) -> str:
    text = masked(errors.decode(errors="replace"))
    lines = [line for line in text.split("\n") if line and not line.startswith("warning:")]
    return "\n".join(lines)[:2000]


def _error(call: Call, code: int, errors: str) -> Exception:
    if refused := refusal(call.folder, errors):
        return refused
    if MEMORY.search(errors):
        return Failed(Failure("policy", "git_memory_too_large", errors))
    if call.address and (failure := _failure(errors)):
        return Failed(failure)
    if call.address and DOWN.search(errors):
        return down(call.address, errors)
    return GitError(f"git {' '.join(call.arguments[:2])} ended with {code}: {errors}")


def _failure(errors: str) -> Failure | None:
    if GONE.search(errors):
        return Failure("data", "repository_vanished", errors)
    if BROKEN.search(errors):
        return Failure("data", "objects_missing", errors)
    if ABSENT.search(errors):
        return Failure("data", "commit_vanished", errors)
    return None


def down(address: Address, errors: str) -> ServiceError:
    """The error that a server does not answer as one should."""
    return ServiceError(
        f"git cannot reach {address}: {errors.splitlines()[0] if errors else 'no reason given'}\n"
        "check the network, or name another server with FORGE_GIT_URL"
    )
