import base64
from pathlib import Path

import pytest
from projects import archive_of

from forge.inside.restore import main


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


@pytest.mark.parametrize("path", ["../escaped", "/escaped", ".git/hooks/x", "a/../../b"])
def test_path_outside_the_repository_is_left_alone(testbed, path):
    restore(testbed, {path: "x"}, [path])
    assert list(testbed.iterdir()) == []
    assert {p.name for p in testbed.parent.iterdir()} == {"testbed", "tests.tar.gz"}
