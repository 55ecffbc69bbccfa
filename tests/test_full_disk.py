"""A disk that is full or may not be written: what is told, and what is kept."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import polars as pl
import pytest
from disasters import REST, Scene, read_only, resize, scene_in, small_disk
from toys import NOW, Answer, made, rows, run_build

from forge.errors import InputError, SpaceError
from forge.memo import Memo, Remembered

# From what not even an hour fits into, to what holds the last mirror.
KILOBYTES = (20, 150, 700, 850, 1000, 1150, 1300, 1500, 100_000)
ENOUGH = 100_000


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Iterator[Scene]:
    with scene_in(tmp_path_factory.mktemp("scene")) as scene:
        yield scene


def test_disk_that_fills_again_and_again_loses_nothing_that_was_answered(tmp_path, scene):
    reached = []
    with small_disk(tmp_path / "disk", min(KILOBYTES)) as root:
        for kilobytes in KILOBYTES:
            resize(root, kilobytes)
            told = scene.run(root)
            if told.code == 0:
                break
            assert (told.code, told.stderr) == (7, f"forge: no space left under ROOT{REST}")
            reached.append(told.stdout.count(" rows "))
        assert told.code == 0
        assert scene.differences(root) == []
    assert reached[0] == 0
    assert len(set(reached)) >= 3


def remembered(number: int) -> Remembered:
    return Remembered(f"{number:032}", 1, NOW, None, None, None, 1, 0.5, {"twice": 1, "proof": "p"})


def test_line_that_a_full_disk_cuts_is_no_line(tmp_path):
    with small_disk(tmp_path / "disk", 16) as disk:
        memo, count = Memo(disk / "memo", Answer), 0
        with memo.journal() as journal:
            with contextlib.suppress(OSError):
                for count in range(10_000):
                    journal.append(remembered(count))
            resize(disk, ENOUGH)
            journal.append(remembered(count))
        assert memo.rows().collect()["key"].to_list() == [f"{n:032}" for n in range(count + 1)]


def test_memo_gives_back_what_a_full_disk_did_not_take(tmp_path):
    with small_disk(tmp_path / "disk", 12) as disk:  # the journal fits, a part beside it does not
        memo = Memo(disk / "memo", Answer)
        with contextlib.suppress(OSError, pl.exceptions.PolarsError), memo.journal() as journal:
            for number in range(60):
                journal.append(remembered(number))
        assert [path.name[:7] for path in memo.folder.iterdir()] == ["journal"]
        resize(disk, ENOUGH)
        memo.settle_orphans()
        assert memo.rows().collect().height == 60


def test_full_disk_can_be_cleaned(tmp_path):
    with small_disk(tmp_path / "disk", 200) as root:
        run_build(root, sample=1)
        (root / ".drafts/2026-03").mkdir(parents=True, exist_ok=True)
        with pytest.raises(OSError, match="No space"):
            (root / ".drafts/2026-03/left").write_bytes(bytes(1_000_000))
        clean = ["-m", "forge", "clean", "--root", str(root), "--older-than", "0h"]
        done = subprocess.run([sys.executable, *clean], capture_output=True, text=True, check=False)
        assert (done.returncode, "draft" in done.stdout) == (0, True), done
        run_build(root, sample=1)


def test_read_only_root_is_named_and_can_still_be_read(tmp_path, scene):
    with read_only(tmp_path / "seen", scene.root) as root:
        told = scene.run(root)
        assert (told.code, told.stderr) == (
            7,
            (
                "forge: ROOT cannot be written: it is read-only\n"
                "choose another folder with FORGE_ROOT\n"
            ),
        )
        assert scene.run(root, "status", "--root", str(root)).code == 0
        counted = scene.run(root, "sql", "select count(*) from statements", "--root", str(root))
        assert counted.stdout.split() == ["count_star()", "------------", "4"]
    assert scene.differences(scene.root) == []


def test_read_only_memo_answers_what_it_knows_and_is_named_for_the_rest(tmp_path, monkeypatch):
    run_build(tmp_path / "one", sample=3)
    with read_only(tmp_path / "memo", tmp_path / "one/memo") as memo:
        monkeypatch.setenv("FORGE_MEMO", str(memo))
        run_build(tmp_path / "two", sample=3)
        assert rows(tmp_path / "two") == rows(tmp_path / "one")
        with pytest.raises(
            SpaceError, match=f"^{memo} cannot be written: it is read-only\n.*MEMO$"
        ):
            run_build(tmp_path / "two", sample=4)
    assert made(run_build(tmp_path / "one", sample=3)) == []


def test_root_of_another_user_is_named(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root").chmod(0o555)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        with pytest.raises(SpaceError, match="root cannot be written: permission denied\nchoose"):
            run_build(tmp_path / "root")
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("root", "name"), [("file", "ROOT"), ("file/below", "ROOT"), ("r", "MEMO")]
)
def test_root_or_memo_that_is_a_file_is_named(tmp_path, monkeypatch, root, name):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FORGE_MEMO", str(tmp_path / ("file" if name == "MEMO" else "memo")))
    said = f"^{tmp_path}/file is no folder\nchoose a folder with FORGE_{name}$"
    with pytest.raises(InputError, match=said):
        run_build(tmp_path / root)
