from datetime import datetime
from pathlib import Path

import pytest
from git_builds import kept, named, refused, run_build
from histories import Repository

from forge.selection import Named
from forge.stages.patches import patches
from forge.stages.pull_requests import pull_requests
from forge.stages.statements import statements
from forge.stages.triage import triage

ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or
without fee is hereby granted, provided that the above copyright notice and this permission notice
appear in all copies."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"fix.py": "one\n", "tests/test_fix.py": "one\n", "LICENSE": ISC})
    return made


def test_a_candidate_is_cut_by_its_languages_pattern_of_tests(repository, tmp_path):
    base = repository.head
    files = {"fix.py": "two\n", "tests/test_fix.py": "two\n", "tests/data/a.json": "{}\n"}
    merge = repository.commit("Count to two (#7)", files)

    run_build(tmp_path, repository, "patches", named=named("ann/fix#7"))

    (row,) = kept(tmp_path, patches)
    assert (row["base_commit"], row["merge_commit"]) == (base, merge)
    assert row["gold_patch"].count("diff --git") == 1
    assert row["gold_patch"].startswith("diff --git a/fix.py b/fix.py\n")
    assert row["test_paths"] == ["tests/data/a.json", "tests/test_fix.py"]


def test_a_candidate_of_another_level_than_wanted_is_not_cut(repository, tmp_path):
    repository.commit("Count to two (#7)", {"fix.py": "two\n", "tests/test_fix.py": "two\n"})

    run_build(tmp_path, repository, "patches", named=named("ann/fix#7"), difficulty=("hard",))

    assert refused(tmp_path, triage) == [("rejected", ["has_wanted_difficulty"])]
    assert kept(tmp_path, patches) == []
    assert list(tmp_path.glob("memo/cut_patches/part-*")) == []
    run_build(tmp_path, repository, "patches", named=named("ann/fix#7"), difficulty=("easy",))
    assert len(kept(tmp_path, patches)) == 1


def test_a_change_that_cannot_be_cut_in_two_has_a_reason(repository, tmp_path):
    repository.commit(
        "Make room", {"tests/test_fix.py": None, "test_fix.py": "one\n", "tests": "a\n"}
    )
    files = {"fix.py": "two\n", "tests": None, "tests/test_fix.py": "one\ntwo\n"}
    repository.commit("Count to two (#7)", files)

    run_build(tmp_path, repository, "patches", named=named("ann/fix#7"))

    assert refused(tmp_path, patches) == [("rejected", ["test_patch_does_not_apply"])]


CHANGE = """\
diff --git a/fix.py b/fix.py
--- a/fix.py
+++ b/fix.py
@@ -1 +1 @@
-one
+two
diff --git a/tests/test_fix.py b/tests/test_fix.py
--- a/tests/test_fix.py
+++ b/tests/test_fix.py
@@ -1 +1 @@
-one
+two
"""


def test_a_row_with_its_patches_needs_no_merge(repository, tmp_path):
    base, made_at = repository.head, repository.at
    repository.commit("Another way", {"fix.py": "three\n"})
    row = Named(
        repo="ann/fix",
        number=7,
        base_commit=base,
        body="Count to two, please",
        change=CHANGE,
        created_at=datetime(2021, 10, 13),
    )

    run_build(tmp_path, repository, "statements", named=(row,))

    (patch,), (pull,) = kept(tmp_path, patches), kept(tmp_path, pull_requests)
    (statement,) = kept(tmp_path, statements)
    assert (patch["base_commit"], patch["merge_commit"], patch["missing_files"]) == (base, None, [])
    assert patch["test_paths"] == ["tests/test_fix.py"]
    # The base may have moved on after the change was proposed.
    assert (pull["merged_at"], pull["merge_method"], pull["author"]) == (made_at, None, None)
    assert (statement["problem_statement"], statement["statement_source"]) == (
        "Count to two, please",
        "row",
    )
