import polars as pl
import pytest

from forge.diffs import joined, sections

DIFF = """\
diff --git a/setup.py b/setup.py
index 1..2 100644
--- a/setup.py
+++ b/setup.py
@@ -1,2 +1,2 @@
-diff --git a/fake b/fake
+\rdiff --git a/fake b/fake
 \x0c\u2028diff --git a/fake b/fake
\\ No newline at end of file
diff --git a/a b/a b/a b/a
old mode 100644
new mode 100755
diff --git "a/caf\\303\\251\\t\\"x\\\\.py" "b/caf\\303\\251\\t\\"x\\\\.py"
deleted file mode 100644
index 1..0
GIT binary patch
literal 0
HcmV?d00001

"""


def test_a_diff_is_its_sections_joined():
    assert joined(sections(DIFF)) == DIFF
    assert sections("") == []


def test_a_section_is_named_for_its_path():
    assert [s.path for s in sections(DIFF)] == ["setup.py", "a b/a", 'café\t"x\\.py']


def test_a_text_that_is_no_diff_is_refused():
    with pytest.raises(ValueError, match="not a diff"):
        sections("hello\n" + DIFF)


def test_a_rename_is_named_for_its_new_path():
    moved = "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n"

    assert [s.path for s in sections(moved)] == ["new"]


def test_a_header_with_two_names_is_refused():
    with pytest.raises(ValueError, match="two names"):
        sections("diff --git a/old b/new\n")


def test_real_patches_of_swebench_are_their_sections(shared):
    rows = pl.read_parquet(shared / "data" / "swebench-lite-dev.parquet")

    for patch in [*rows["patch"], *rows["test_patch"]]:
        assert joined(sections(patch)) == patch
