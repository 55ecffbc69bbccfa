"""Small files that stand for endless ones: each ends within bounds, and says at which."""

import asyncio
import contextlib
import gzip
import json
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import stamina
from archives import packed, trimmed
from git_builds import kept, named, refused, run_build
from histories import Repository

from forge.artifacts import Artifacts
from forge.cli import exit_code
from forge.demo.world import licence_text
from forge.errors import ServiceError
from forge.results import junit
from forge.services import downloads, git_command
from forge.services.archive import Archive
from forge.services.git import Failed
from forge.services.git_command import Call, git
from forge.settings import Settings
from forge.stages.pull_requests import pull_requests
from forge.stages.repositories import repositories

MEGABYTES = 600
READ_ALL = """
import json, re, sys
from datetime import datetime
from pathlib import Path
from forge.dumps import read_dump

told = {}
for path in map(Path, sys.argv[1:]):
    counts = read_dump(path, hour=datetime(2026, 3, 1), events=path.with_suffix(".events"))
    told[path.name] = [counts.merges, counts.damage]
# Not what getrusage says: that is at least what the process had that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
told["megabytes"] = int(peak[1]) // 1000
print(json.dumps(told))
"""


def deflated(pieces: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def labelled(labels: int) -> bytes:
    event = json.dumps(trimmed()).encode()
    return event.replace(
        b'"action"', b'"labels":[' + b'{"name":"x"},' * labels + b'{"name":"x"}],"action"'
    )


GOOD = packed(trimmed())
MARKED = b'{"type":"PullRequestEvent","x":'
DUMPS = {
    "zeros": GOOD + deflated([bytes(1 << 20)] * 600),
    "one line": GOOD + deflated([b'{"x":"', *[b"a" * (1 << 20)] * 600, b'"}\n']),
    "lines of 50 MB": GOOD + deflated([MARKED + b'"' + b"a" * 50_000_000 + b'"}\n'] * 3),
    "nested": GOOD + deflated([MARKED + b"[" * 7_000_000 + b"]" * 7_000_000 + b"}\n"] * 3),
    "digits": GOOD + deflated([MARKED + b"9" * 14_000_000 + b"}\n"] * 3),
    "duplicate keys": GOOD
    + deflated([b"{" + b'"type":"PullRequestEvent",' * 500_000 + b'"a":1}\n']),
    "members of a byte": GOOD + gzip.compress(b"x") * 60_000,
    "empty members": GOOD + gzip.compress(b"") * 60_000,
    "empty blocks": GOOD + b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\0\0\0\xff\xff" * 2_000_000,
    "labels": GOOD + deflated([labelled(600_000) + b"\n"] * 2),
    "lines": GOOD + deflated([b"{}\n" * 600_000]),
}


def test_dumps_that_unfold_without_end_are_read_in_bounded_memory(tmp_path):
    for name, content in DUMPS.items():
        (tmp_path / name).write_bytes(content)
    files = [str(tmp_path / name) for name in DUMPS]
    command = [sys.executable, "-c", READ_ALL, *files]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert told.pop("megabytes") < MEGABYTES
    assert max(map(len, DUMPS.values())) < 11_000_000
    cut = {"empty blocks": [1, f"gzip is cut off at byte {len(DUMPS['empty blocks'])}"]}
    whole = {name: [1, None] for name in DUMPS}
    assert told == whole | {"labels": [3, None]} | cut


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"a.py": "one = 1\n", "LICENSE": licence_text("MIT")})
    made.commit("Fix (#7)", {"a.py": "two = 2\n"})
    return made


def tree_bomb(made: Repository, message: str) -> str:
    """A commit of eight objects whose tree holds a billion files."""
    line = f"100644 blob {made.git('hash-object', '-w', '--stdin', stdin=b'boom')}"
    for _ in range(6):
        listing = "".join(f"{line}\tfile-{n:02}\n" for n in range(32))
        line = f"040000 tree {made.git('mktree', stdin=listing.encode())}"
    tree = made.git("mktree", stdin=f"{made.git('ls-tree', 'HEAD')}\n{line}\tboom\n".encode())
    bomb = made.git("commit-tree", tree, "-p", "HEAD", "-m", message)
    made.git("update-ref", "refs/heads/main", bomb)
    return bomb


def test_tree_of_a_billion_files_is_a_reason_and_stops_no_other(tmp_path, repository, monkeypatch):
    monkeypatch.setattr(git_command, "MEMORY_BYTES", 200 * 2**20)
    tree_bomb(repository, "Boom (#8)")
    run_build(tmp_path / "root", repository, "pull_requests", named=named("ann/fix#7", "ann/fix#8"))
    assert [row["number"] for row in kept(tmp_path / "root", pull_requests)] == [7]
    assert refused(tmp_path / "root", pull_requests) == [("rejected", ["git_memory_too_large"])]


def test_git_that_prints_more_than_it_may_is_ended(repository):
    with pytest.raises(Failed, match="git log printed more than 10 bytes"):
        asyncio.run(git(Call(repository.folder / ".git", ["log"], bytes=10)))


def test_git_that_does_not_end_is_ended(repository):
    waiting = Call(repository.folder / ".git", ["-c", "alias.wait=!sleep 60", "wait"], seconds=0.3)
    with pytest.raises(Failed, match=r"timed_out: git -c: no answer within 0\.3 seconds"):
        asyncio.run(git(waiting))


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": None, "LICENSE/MIT.txt": licence_text("MIT")}, None),
        ({"LICENSE": "MIT\n" * 500_000}, None),
        ({"docs/COPYING.md": "x" * 2_000_000}, "MIT"),
    ],
    ids=["a folder", "of megabytes", "elsewhere"],
)
def test_licence_that_is_none_stops_no_repository(tmp_path, repository, files, licence):
    repository.commit("Relicense", files)
    run_build(tmp_path / "root", repository, "repositories", named=named("ann/fix#7"))
    assert [row["licence"] for row in kept(tmp_path / "root", repositories)] == [licence]


@contextlib.contextmanager
def endless(first: bytes, again: bytes) -> Iterator[str]:
    """The address of a server that says one thing, then another without end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, first, again), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, first: bytes, again: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=_say, args=(listener.accept()[0], first, again)).start()


def _say(client: socket.socket, first: bytes, again: bytes) -> None:
    with contextlib.suppress(OSError), client:
        client.settimeout(5)
        client.recv(65536)
        client.sendall(first)
        while again:
            client.sendall(again)
        if b"close" not in first:
            client.recv(1)


def read(url: str, folder: Path) -> object:
    async def asked() -> object:
        settings = Settings(root=folder, archive_url=url)
        async with Archive.open(settings, Artifacts(folder / "artifacts")) as opened:
            return await opened.read(datetime(2026, 3, 1))

    with stamina.set_testing(testing=True, attempts=2):
        return asyncio.run(asked())


def test_body_without_end_is_cut_and_keeps_its_good_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "DUMP_BYTES", 3_000_000)
    with endless(b"HTTP/1.1 200 OK\r\n\r\n" + GOOD, gzip.compress(b"") * 5_000) as url:
        row = read(url, tmp_path)
    assert (row["status"], row["merges"], row["damage"]) == (
        "corrupt",
        1,
        "more than 3,000,000 bytes",
    )
    assert row["bytes"] < 4_000_000


@pytest.mark.parametrize(
    ("first", "again", "words"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1_000, "Receive buffer too long"),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 10_000, "Receive buffer too long"),
        (b"HTTP/1.1 302 \x1b[31m\r\nLocation: /\r\nConnection: close\r\n\r\n", b"", "redirects"),
        (b"HTTP/1.1 200 \x1b[31m\xe2\x80\xae\r\n", b"", "ReadTimeout"),
        (b"\x1b[31m\r\n\r\n", b"", "illegal status line"),
    ],
    ids=["headers", "a header", "redirects", "silence", "no answer"],
)
def test_answer_that_never_ends_is_an_outage_with_a_reason(
    tmp_path, monkeypatch, first, again, words
):
    monkeypatch.setattr(downloads, "SECONDS", httpx.Timeout(0.5))
    with endless(first, again) as url, pytest.raises(ServiceError, match=words) as error:
        read(url, tmp_path)
    assert "\x1b" not in str(error.value)


def test_user_file_without_end_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["forge", "build", "--pool", "/dev/zero"])
    assert exit_code() == 3
    assert "/dev/zero has more than 20,000,000 bytes\nname a text file" in capsys.readouterr().err


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
CASE = '<testcase classname="a" name="b"/>'


@pytest.mark.parametrize(
    "content",
    [
        f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l9;{CASE}</x>',
        f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>{CASE}</x>',
        f"{CASE[:-2]} x='&l9;'/>",
        "<x>" * 1_000_000,
        "<x " + "".join(f'a{n}="" ' for n in range(100_000)),
        f"<x>{CASE}</x>\x1b[31m",
        "<x>\ud800</x>",
        '<testcase classname="a" name="&#x1b;[31m"/>',
        '<testcase classname="a" name="&#xd800;"/>',
        "",
    ],
    ids=range(10),
)
def test_result_file_that_unfolds_is_unreadable(content):
    with pytest.raises(junit.UnreadableError):
        junit.read(content.encode(errors="surrogatepass"), lambda _: False)


def test_result_file_of_a_huge_name_in_a_deep_nest_is_read():
    content = (
        "<x>" * 100_000 + f'<testcase classname="a" name="{"b" * 10_000_000}"/>' + "</x>" * 100_000
    )
    [case] = junit.read(content.encode(), lambda _: False).tests
    assert len(case.id) == 10_000_003
