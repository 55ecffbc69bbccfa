from pathlib import Path

import pytest
from git_builds import kept, named, refused, run_build
from histories import Repository

from forge.stages.patches import patches

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


def test_a_change_that_cannot_be_cut_in_two_has_a_reason(repository, tmp_path):
    repository.commit(
        "Make room", {"tests/test_fix.py": None, "test_fix.py": "one\n", "tests": "a\n"}
    )
    files = {"fix.py": "two\n", "tests": None, "tests/test_fix.py": "one\ntwo\n"}
    repository.commit("Count to two (#7)", files)

    run_build(tmp_path, repository, "patches", named=named("ann/fix#7"))

    assert refused(tmp_path, patches) == [("rejected", ["test_patch_does_not_apply"])]
