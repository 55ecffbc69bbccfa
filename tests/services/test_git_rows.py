"""Changes that rows give as text, made on a real base."""

import asyncio
from pathlib import Path

import pytest
from histories import Repository

from forge.services.git import Failed, Git

CHANGE = """\
diff --git a/fix.py b/fix.py
--- a/fix.py
+++ b/fix.py
@@ -1 +1 @@
-one
+two
diff --git a/tests/test_fix.py b/tests/test_fix.py
new file mode 100644
--- /dev/null
+++ b/tests/test_fix.py
@@ -0,0 +1 @@
+two
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"fix.py": "one\n", "data.csv": "1\n"})
    return made


@pytest.fixture
def git(repository: Repository, tmp_path: Path) -> Git:
    return Git(repository.template, tmp_path / "mirrors")


def test_a_rows_change_is_cut_as_if_a_commit_held_it(git, repository):
    base = repository.head
    pair = asyncio.run(git.pair("ann/fix", base, None, change=CHANGE))
    made = repository.commit("Two", {"fix.py": "two\n", "tests/test_fix.py": "two\n"})

    by_row = asyncio.run(git.cut("ann/fix", pair, "^tests/"))
    by_merge = asyncio.run(
        git.cut("ann/fix", asyncio.run(git.pair("ann/fix", base, made)), "^tests/")
    )

    assert by_row == by_merge
    assert by_row.test_paths == ["tests/test_fix.py"]
    assert asyncio.run(git.read_files("ann/fix", pair.merge, "fix.py$")) == {
        "fix.py": b"two\n",
        "tests/test_fix.py": b"two\n",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (CHANGE.replace("-one", "-ten"), "change_does_not_apply"),
        ("please fix it\n", "change_is_no_diff"),
    ],
)
def test_a_change_that_cannot_be_made_has_a_reason(git, repository, change, reason):
    with pytest.raises(Failed) as failed:
        asyncio.run(git.pair("ann/fix", repository.head, None, change=change))
    assert failed.value.failure.reason == reason


def test_a_change_of_a_file_that_the_server_lacks_names_it(git, repository):
    sha = repository.sha("HEAD:fix.py")
    (repository.folder / ".git/objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(Failed) as failed:
        asyncio.run(git.pair("ann/fix", repository.head, None, change=CHANGE))
    assert (failed.value.failure.reason, failed.value.failure.detail) == (
        "objects_missing",
        "fix.py",
    )
