"""Services that die in the middle, builds in each other's way, and readers all the while."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from disasters import Scene, answers, ended, scene_in
from forwarding import forwarded
from toys import NOW, STAGES, Answer, log, rows, run_build

import forge
from forge.memo import Memo, Remembered
from forge.settings import Settings
from forge.views import write_views

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Iterator[Scene]:
    with scene_in(tmp_path_factory.mktemp("scene")) as scene:
        yield scene


DOCTOR = "`forge doctor` looks for what else is missing"
NEXT = ["set FORGE_ARCHIVE_URL to the folder of hourly files, or try again later", DOCTOR]
GIT_NEXT = "check the network, or name another server with FORGE_GIT_URL"


def address_of(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.split(":")[2].partition("/")[0])


def test_archive_that_dies_in_the_middle_of_a_download_is_asked_for_the_rest_alone(tmp_path, scene):
    far = address_of(scene.world["FORGE_ARCHIVE_URL"])
    with forwarded(0, far, limit=200_000) as dying:
        address = {"archive_url": f"http://127.0.0.1:{dying.port}"}
        told = scene.run(tmp_path, **address)
    assert (told.code, told.stderr.splitlines()[-2:]) == (4, NEXT)
    assert re.search(r"forge: the archive does not answer: http://HOST/2026-\S+: .", told.stderr)
    assert 0 < len(answers(tmp_path)) < 48
    with forwarded(dying.port, far):
        assert scene.run(tmp_path, **address).code == 0
    assert scene.differences(tmp_path) == []


def test_git_server_that_dies_in_the_middle_of_a_fetch_is_named_and_asked_again(tmp_path, scene):
    far = address_of(scene.world["FORGE_GIT_URL"])
    with forwarded(0, far, limit=10_000) as dying:
        address = {"git_url": f"http://127.0.0.1:{dying.port}/{{owner}}/{{repo}}"}
        told = scene.run(tmp_path, **address)
    assert (told.code, told.stderr.splitlines()[-2:]) == (4, [GIT_NEXT, DOCTOR])
    assert re.search(r"forge: git cannot reach http://HOST/\S+: .", told.stderr)
    with forwarded(dying.port, far):
        assert scene.run(tmp_path, **address).code == 0
    assert scene.differences(tmp_path) == []


def test_second_build_of_a_month_ends_at_once_and_names_the_first(tmp_path, scene):
    first = scene.start(tmp_path)
    lock = tmp_path / ".locks/2026-03.json"
    while not (lock.exists() and lock.stat().st_size):
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)
    second = scene.run(tmp_path)
    first.send_signal(signal.SIGCONT)
    assert (second.code, second.stdout, second.stderr) == (
        5,
        "",
        (
            f"forge: another build holds 2026-03 in ROOT: "
            f"process {first.pid} on {socket.gethostname()}\n"
            "wait until it ends, or stop it; builds of different months may share a root\n"
        ),
    )
    assert ended(first, tmp_path).code == 0
    assert scene.differences(tmp_path) == []


def build_apart(root: Path, memo: Path, sample: int) -> subprocess.Popen[bytes]:
    code = (
        "import forge.memo, toys, pathlib; forge.memo.PART_ROWS = 5; "
        f"toys.run_build(pathlib.Path({str(root)!r}), sample={sample})"
    )
    paths = os.pathsep.join([str(HERE), str(HERE.parent)])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": paths, "FORGE_MEMO": str(memo)},
    )


def test_two_roots_that_build_on_one_memo_at_once_share_the_questions(tmp_path):
    roots = [tmp_path / "one", tmp_path / "two"]
    builds = [build_apart(root, tmp_path / "memo", 600) for root in roots]
    assert [build.wait() for build in builds] == [0, 0]
    asked = Counter(number for root in roots for number in log(root))
    assert asked == Counter(range(1, 601))
    for root in roots:
        assert [row["twice"] for row in rows(root)] == [2 * n for n in range(1, 601)]


def test_question_of_a_build_that_is_killed_is_asked_by_the_other(tmp_path):
    one = build_apart(tmp_path / "one", tmp_path / "memo", 400)
    while not (tmp_path / "one/oracle/log").exists():
        time.sleep(0.005)
    one.send_signal(signal.SIGSTOP)  # with questions at hand, which the other leaves to it
    two = build_apart(tmp_path / "two", tmp_path / "memo", 400)
    asked = [tmp_path / "one/oracle/log", tmp_path / "two/oracle/log"]
    while len({n for path in asked if path.exists() for n in path.read_text().split()}) < 398:
        time.sleep(0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        two.wait(timeout=2)
    one.kill()
    one.wait()
    assert two.wait(timeout=60) == 0
    assert len(log(tmp_path / "one")) + len(log(tmp_path / "two")) <= 402
    assert [row["twice"] for row in rows(tmp_path / "two")] == [2 * n for n in range(1, 401)]


def test_answers_keep_to_their_questions_while_another_build_writes_the_memo(tmp_path):
    run_build(tmp_path, sample=50)
    done, stranger = threading.Event(), {"twice": -1, "proof": "p"}

    def write() -> None:
        for number in range(10_000):
            if done.is_set():
                return
            with Memo(tmp_path / "memo/double", Answer).journal() as journal:
                key = f"{number:032}"
                journal.append(Remembered(key, 1, NOW, None, None, None, 1, 0.5, stranger))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(8):
            run_build(tmp_path, sample=50, force={"doubles"})
            assert [row["twice"] for row in rows(tmp_path)] == [2 * n for n in range(1, 51)]
    finally:
        done.set()
        writer.join()


SEEN = "select count(*), count(distinct n) from"


def readers(root: Path) -> dict[str, Callable[[], tuple[int, int]]]:
    """How others read a table: its rows, and its distinct keys."""
    files, counted = f"{root}/halves/**/*.parquet", (pl.len(), pl.n_unique("n"))

    def by_views() -> tuple[int, int]:
        with duckdb.connect(str(root / "forge.duckdb"), read_only=True) as duck:
            return duck.execute(f"{SEEN} halves").fetchone()

    return {
        "scan": lambda: (
            forge.scan("halves", month="2026-03", root=root).select(counted).collect().row(0)
        ),
        "polars": lambda: pl.scan_parquet(files).select(counted).collect().row(0),
        "duckdb": lambda: duckdb.connect().execute(f"{SEEN} '{files}'").fetchone(),
        "views": by_views,
    }


def make(root: Path, size: int) -> None:
    run_build(root, sample=size)
    write_views(Settings(root=root), STAGES)


def written(root: Path, table: str) -> int:
    return (root / f"{table}/month=2026-03/part.parquet").stat().st_mtime_ns


def kill_when(is_time: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not is_time():
        assert process.poll() is None
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_readers_see_whole_tables_whatever_happens_to_builds(tmp_path):
    def read(name: str, reader: Callable[[], tuple[int, int]]) -> None:
        while not done.is_set():
            try:
                seen.add(reader())
            except (pl.exceptions.PolarsError, duckdb.Error):  # loud is allowed, wrong is not
                loud.add(name)

    make(tmp_path, 500)
    done, seen, loud = threading.Event(), set(), set()
    threads = [threading.Thread(target=read, args=way) for way in readers(tmp_path).items()]
    for thread in threads:
        thread.start()
    for size in (700, 500, 700):
        make(tmp_path, size)
    for size, table in ((500, "doubles"), (700, "numbers"), (700, "doubles")):
        before = written(tmp_path, table)
        kill_when(
            lambda table=table, before=before: written(tmp_path, table) != before,
            build_apart(tmp_path, tmp_path / "memo", size),
        )
    make(tmp_path, 500)
    done.set()
    for thread in threads:
        thread.join()
    assert seen == {(500, 500), (700, 700)}
    assert "scan" not in loud
