import polars as pl
import pytest

from forge.columns import dtypes
from forge.stages.candidates import Candidates
from forge.stages.features import Features, features
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests

KEY = {"repository_id": 1, "number": 7}
TEST = """diff --git a/tests/test_a.py b/tests/test_a.py
--- a/tests/test_a.py
+++ b/tests/test_a.py
@@ -1 +1,2 @@
 import a
+assert a.one() == 1
"""


def change(path, *added, head="index 1..2 100644\n"):
    """A section that adds lines to a file."""
    lines = "".join(f"+{line}\n" for line in added)
    return f"diff --git a/{path} b/{path}\n{head}--- a/{path}\n+++ b/{path}\n@@ -0,0 +1 @@\n{lines}"


def row(gold, test=TEST, previous_path=None, who="git"):
    files = [{"path": "a.py", "previous_path": previous_path}]
    lf = features.function(
        pl.LazyFrame([KEY | {"gold_patch": gold, "test_patch": test}], schema=dtypes(Patches)),
        pl.LazyFrame([KEY | {"language": "python"}], schema=dtypes(Candidates)),
        pl.LazyFrame([KEY | {"files": files, "enriched_by": who}], schema=dtypes(PullRequests)),
    )
    return Features.validate(lf.collect()).row(0, named=True)


def flags(*args, **kwargs):
    found = row(*args, **kwargs)
    return [name for name, value in found.items() if value is True]


def test_size_of_both_patches():
    found = row(change("a.py", "x = 1", "y = 2") + change("b/c.py", "z = 3"))
    assert (found["gold_files"], found["gold_lines"], found["gold_hunks"]) == (2, 3, 2)
    assert (found["test_files"], found["test_lines"]) == (1, 1)


def test_root_is_a_directory_too():
    assert row(change("a.py", "x = 1") + change("b/c.py", "z = 3"))["code_directories"] == 2


@pytest.mark.parametrize(
    "path", ["README.md", "uv.lock", "tox.ini", ".github/workflows/a.yml", "a.min.js"]
)
def test_what_nobody_programs_is_no_code(path):
    found = row(change("a.py", "x = 1") + change(path, *"abcdef"))
    assert (found["gold_lines"], found["code_lines"], found["code_files"]) == (7, 1, 1)


def test_definitions_and_branches_of_added_lines_count():
    found = row(change("a.py", "def one():", "    if x:", "        return 1"))
    assert (found["definitions"], found["branches"]) == (1, 1)


def test_definitions_in_documents_do_not_count():
    assert row(change("docs/a.rst", "def one():"))["definitions"] == 0


def test_plain_change_carries_no_flag():
    assert flags(change("a.py", "x = 1")) == []


@pytest.mark.parametrize(
    ("gold", "flag"),
    [
        (change("docs/a.md", "x"), "touches_docs"),
        (change(".github/workflows/a.yml", "x"), "touches_ci"),
        (change("pyproject.toml", "x"), "touches_manifest"),
        (change("poetry.lock", "x"), "touches_lock"),
        (change("api_pb2.py", "x"), "touches_generated"),
        (change("a.py", "x\r"), "has_dos_lines"),
        (change("a", "b", head="new file mode 120000\nindex 0..1\n"), "has_links"),
        (change("a", "b", head="index 0..1 160000\n"), "has_links"),
        ("diff --git a/a b/a\nold mode 100644\nnew mode 100755\n", "has_mode_changes"),
        ("diff --git a/a b/a\nindex 1..2\nGIT binary patch\nliteral 1\nI\n\n", "has_binary"),
    ],
)
def test_risk_of_the_gold_patch_is_flagged(gold, flag):
    assert flags(gold) == [flag]


def test_manifest_in_the_test_patch_is_no_risk_of_the_gold_patch():
    test = change("tests/requirements.txt", "x")
    assert flags(change("a.py", "x = 1"), test) == []


@pytest.mark.parametrize(
    ("mode", "flag"), [("new", "has_new_tests"), ("deleted", "has_removed_tests")]
)
def test_test_files_that_come_or_go_are_flagged(mode, flag):
    test = change("tests/test_b.py", "x", head=f"{mode} file mode 100644\nindex 1..2\n")
    assert flags(change("a.py", "x = 1"), test) == [flag]


def test_whether_files_moved_is_unknown_where_github_tells_of_them():
    assert row(change("a.py", "x = 1"), who="github")["has_renames"] is None
    assert row(change("a.py", "x = 1"))["has_renames"] is False


def test_moved_file_is_flagged_though_patches_show_it_twice():
    assert flags(change("a.py", "x = 1"), previous_path="b.py") == ["has_renames"]
