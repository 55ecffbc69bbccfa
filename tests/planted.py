"""Secrets to plant, and a search for them in everything that a command leaves."""

import base64
import gzip
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import polars as pl

# With what addresses, shells and base64 write in a way of their own.
GIT = ("ada", "gitPLANTED+7/Kq=w&'x")
ARCHIVE = ("hours-reader", "arcPLANTED+9/Lr=z&'y")
PROXY = ("builder", "prxPLANTED+3/Mt=v&'u")
OTHERS = {
    "netrc": "netrcPLANTED55ab",
    "helper": "helperPLANTED66cd",
    "header": "headerPLANTED77ef",
    "registry": "registryPLANTED88gh",
    "docker proxy": "dockerproxyPLANTED99ij",
    "model": "sk-or-PLANTED00kl",
    "token": "ghp_PLANTED11mn",
}
SECRETS = [GIT[1], ARCHIVE[1], PROXY[1], *OTHERS.values()]


def forms(secret: str) -> set[bytes]:
    """How a secret may be written: as it is, in an address, in JSON, in a shell, in base64."""
    quoted = {quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    shell = {secret.replace("'", mark) for mark in ("'\"'\"'", "\\'", "''")}
    return {secret.encode()} | {text.encode() for text in quoted | shell} | _base64(secret)


def _base64(secret: str) -> set[bytes]:
    # At each of the three places where it may begin, without the signs that neighbours change.
    found = set()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret.encode())
        whole = text[4 if before else 0 :]
        found |= {whole[:-4], whole[:-4].replace(b"+", b"-").replace(b"/", b"_")}
    return found


OFTEN = 8
FORMS = {secret: forms(secret) for secret in SECRETS}


def found_in(content: bytes) -> set[str]:
    """The planted secrets that occur in some bytes."""
    return {secret for secret, ways in FORMS.items() if any(way in content for way in ways)}


def leaks(folder: Path, *, but: tuple[Path, ...] = ()) -> dict[str, set[str]]:
    """Secrets by the file that holds them, whatever the file is packed in."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    files = [path for path in files if not any(path.is_relative_to(one) for one in but)]
    found = {str(path): found_in(str(path).encode() + unpacked(path)) for path in files}
    found |= {str(path): found_in(_objects(path)) for path in folder.rglob("*.git")}
    return {name: secrets for name, secrets in found.items() if secrets}


def unpacked(path: Path) -> bytes:
    """A file's bytes, and what they hold when it is Parquet or gzip."""
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        frame = pl.read_parquet(content)
        return content + repr(frame.rows()).encode(errors="replace")
    if content.startswith(b"\x1f\x8b"):
        with suppress(EOFError, gzip.BadGzipFile):
            return content + gzip.decompress(content)
    return content


def _objects(folder: Path) -> bytes:
    command = ["git", f"--git-dir={folder}", "cat-file", "--batch", "--batch-all-objects"]
    return subprocess.run(command, capture_output=True, check=False).stdout


class Watch:
    """What `ps` showed while something ran: the secrets in command lines, and whose they were."""

    def __init__(self) -> None:
        self.leaks: dict[str, set[str]] = {}
        self.seen: set[str] = set()
        self.is_over = threading.Event()

    def look(self) -> None:
        """Until it is over, read the command lines of what has just been started."""
        looks = dict.fromkeys(_processes(), OFTEN)
        while not self.is_over.wait(0.02):
            for process in _processes():
                looks[process] = looks.get(process, 0) + 1
                if looks[process] < OFTEN:
                    self._read(process)

    def _read(self, process: Path) -> None:
        with suppress(OSError):
            words = (process / "cmdline").read_bytes()
            self.seen.add(words.split(b"\0")[0].rpartition(b"/")[2].decode(errors="replace"))
            if secrets := found_in(words):
                self.leaks[words.replace(b"\0", b" ").decode(errors="replace")] = secrets


def _processes() -> Iterator[Path]:
    return Path("/proc").glob("[0-9]*")


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch all command lines of this machine for as long as the block runs."""
    watch = Watch()
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.is_over.set()
        thread.join()


def plant(home: Path) -> dict[str, str]:
    """A home full of secrets, and the variables that lead to them."""
    (home / "docker").mkdir(parents=True)
    (home / ".netrc").write_text(f"machine elsewhere.example login x password {OTHERS['netrc']}\n")
    (home / ".gitconfig").write_text(
        f"[http]\n\textraHeader = Authorization: Bearer {OTHERS['header']}\n"
        f'[credential]\n\thelper = "!echo password={OTHERS["helper"]}; :"\n'
    )
    auth = base64.b64encode(f"puller:{OTHERS['registry']}".encode()).decode()
    proxy = f"http://docker:{OTHERS['docker proxy']}@127.0.0.1:1"
    proxies = {"default": {"httpProxy": proxy, "httpsProxy": proxy}}
    held = {"auths": {"127.0.0.1:1": {"auth": auth}}, "proxies": proxies}
    (home / "docker/config.json").write_text(json.dumps(held))
    return {
        "HOME": str(home),
        "DOCKER_CONFIG": str(home / "docker"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "OPENAI_API_KEY": OTHERS["model"],
        "OPENROUTER_API_KEY": OTHERS["model"],
        "GITHUB_TOKEN": OTHERS["token"],
        "FORGE_GITHUB_TOKEN": OTHERS["token"],
    }
