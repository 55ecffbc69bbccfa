import subprocess

import polars as pl

from forge.diffs import sections as exact
from forge.rules.sections import sections

DIFF = """diff --git a/src/a.py b/src/a.py
index 1..2 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,3 @@ class A:
 x = 1
--- gone
+++ b/come
+\x0cform
@@ -9 +9 @@
-old
\\ No newline at end of file
+new
diff --git a/font.bin b/font.bin
index 1..2 100644
GIT binary patch
literal 3
Kcmb

diff --git "a/caf\\303\\251 1" "b/caf\\303\\251 1"
old mode 100644
new mode 100755
"""


def rows(patch, *columns):
    lf = pl.LazyFrame({"key": [1], "patch": [patch]})
    return sections(lf, "patch").select(columns).collect().rows()


def test_every_file_is_a_row_with_its_path():
    assert rows(DIFF, "path") == [("src/a.py",), ("font.bin",), (r"caf\303\251 1",)]


def test_lines_that_look_like_headers_are_counted_as_content():
    assert rows(DIFF, "added", "removed", "hunks")[0] == (3, 2, 2)


def test_files_without_hunks_have_no_lines():
    assert rows(DIFF, "added", "removed", "hunks", "body")[1:] == [(0, 0, 0, "")] * 2


def test_empty_patch_has_no_files():
    assert rows("", "path") == []


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)
    return done.stdout.decode()


def test_counts_are_those_of_git(tmp_path):
    git(tmp_path, "init", "-q")
    old = {"a b.py": "1\n2\n3\n", "c.txt": "\r\n--- a/x\n", "ü": "no end", "gone": "x\n"}
    new = {"a b.py": "1\n4\n", "c.txt": "+++ b/x\n@@ -1 +1 @@\n", "ü": "end\n", "new": "y\ny\n"}
    for files in (old, new):
        for name in {*old, *new}:
            (tmp_path / name).unlink(missing_ok=True)
        for name, content in files.items():
            (tmp_path / name).write_bytes(content.encode())
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", "x")
    pair = ("--no-renames", "HEAD~", "HEAD")
    diff = git(tmp_path, "diff", *pair)
    numstat = git(tmp_path, "-c", "core.quotePath=false", "diff", "--numstat", *pair)
    expected = [tuple(line.split("\t")[:2]) for line in numstat.splitlines()]
    assert [(str(a), str(r)) for a, r in rows(diff, "added", "removed")] == expected
    assert len(exact(diff)) == len(expected)
