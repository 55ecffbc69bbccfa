import base64
import os
import tarfile
from pathlib import Path

import pytest
from projects import archive_of

from forge.inside.restore import main

ESCAPES = [
    *("../escaped", "/escaped", "a/../../b", "a//b", "./b", "a/..", ""),
    *(".git/hooks/x", ".GIT/config", "tests/.git/config", ".git"),
]


@pytest.fixture
def testbed(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "testbed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def restore(testbed: Path, files: dict[str, str], removed: list[str] | None = None) -> None:
    archive = testbed.parent / "tests.tar.gz"
    archive.write_bytes(base64.b64decode(archive_of(files)))
    main(str(archive), removed or [])


def test_files_are_as_the_merge_has_them_and_removed_ones_are_gone(testbed):
    (testbed / "tests").mkdir()
    (testbed / "tests" / "old.py").write_text("old")
    (testbed / "tests" / "a.py").write_text("edited")
    restore(testbed, {"tests/a.py": "hidden", "tests/new/b.py": "b"}, ["tests/old.py", "absent"])
    found = {str(p.relative_to(testbed)): p.read_text() for p in testbed.rglob("*.py")}
    assert found == {"tests/a.py": "hidden", "tests/new/b.py": "b"}


def test_folder_that_a_removed_file_leaves_empty_is_gone_and_others_stay(testbed):
    (testbed / "a" / "b").mkdir(parents=True)
    (testbed / "a" / "b" / "old.py").write_text("old")
    (testbed / "empty").mkdir()
    restore(testbed, {}, ["a/b/old.py", "empty/absent.py"])
    assert [p.name for p in testbed.rglob("*")] == ["empty"]


def test_link_that_a_patch_put_in_place_of_a_folder_is_not_followed(testbed):
    outside = testbed.parent / "outside"
    outside.mkdir()
    (testbed / "tests").symlink_to(outside)
    restore(testbed, {"tests/a.py": "hidden"})
    assert list(outside.iterdir()) == []
    assert (testbed / "tests" / "a.py").read_text() == "hidden"


def test_folder_in_place_of_a_file_and_file_in_place_of_a_folder_give_way(testbed):
    (testbed / "a.py" / "deep").mkdir(parents=True)
    (testbed / "tests").write_text("a file")
    restore(testbed, {"a.py": "a", "tests/b.py": "b"})
    assert (testbed / "a.py").read_text() == "a"
    assert (testbed / "tests" / "b.py").read_text() == "b"


def test_what_lies_behind_a_link_is_not_removed(testbed):
    outside = testbed.parent / "outside"
    outside.mkdir()
    (outside / "old.py").write_text("not yours")
    (testbed / "tests").symlink_to(outside)
    restore(testbed, {}, ["tests/old.py"])
    assert (outside / "old.py").read_text() == "not yours"


def test_pipe_in_place_of_a_folder_or_a_file_gives_way(testbed):
    os.mkfifo(testbed / "tests")
    os.mkfifo(testbed / "b.py")
    restore(testbed, {"tests/a.py": "a", "b.py": "b"})
    assert (testbed / "tests/a.py").read_text() == "a"
    assert (testbed / "b.py").read_text() == "b"


@pytest.mark.parametrize("path", ESCAPES)
def test_path_outside_the_repository_or_in_a_git_folder_is_left_alone(testbed, path):
    restore(testbed, {path: "x"}, [path])
    assert list(testbed.iterdir()) == []
    assert {p.name for p in testbed.parent.iterdir()} == {"testbed", "tests.tar.gz"}


def test_file_that_a_hostile_archive_puts_behind_its_own_link_stays_inside(testbed):
    archive = testbed.parent / "tests.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(member("tests", tarfile.SYMTYPE, ".."))
        tar.addfile(member("tests/evil", tarfile.REGTYPE))
        tar.addfile(member("device", tarfile.CHRTYPE))
        tar.addfile(member("pipe", tarfile.FIFOTYPE))
    main(str(archive), [])
    assert sorted(str(p.relative_to(testbed)) for p in testbed.rglob("*")) == [
        "tests",
        "tests/evil",
    ]
    assert {p.name for p in testbed.parent.iterdir()} == {"testbed", "tests.tar.gz"}


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found
