"""Places that a user names for what is written."""

import errno
import os

import pytest

from forge.errors import InputError, SpaceError
from forge.outputs import check_output, written_to


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        OSError("No space left on device (os error 28)"),
    ],
)
def test_disk_or_quota_that_is_full_is_told_as_such(tmp_path, error):
    words = f"^no space left to write {tmp_path}\n"
    with pytest.raises(SpaceError, match=words), written_to(tmp_path):
        raise error


def test_whatever_else_the_system_says_is_told_with_its_place(tmp_path):
    path = tmp_path / "nowhere/a.csv"
    words = f"^{path} cannot be written: No such file or directory\n"
    with pytest.raises(InputError, match=words), written_to(path):
        path.touch()


def test_place_that_was_looked_at_stays_as_it_was(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    check_output(tmp_path / "a.txt", {".txt"}, "ids")
    check_output(tmp_path / "b.txt", {".txt"}, "ids")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "mine")]
