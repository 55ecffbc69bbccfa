from pathlib import Path

import pytest
from git_builds import kept, named, refused, run_build
from histories import Repository

from forge.rules.identity import derived_id
from forge.selection import Exclusions
from forge.stages.repositories import repositories

ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or
without fee is hereby granted, provided that the above copyright notice and this permission notice
appear in all copies."""
FACTS = ["stars", "is_archived", "is_disabled", "created_at", "pushed_at", "primary_language",
         "languages", "topics"]  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Path:
    return tmp_path / "served"


def repository(folder: Path, text: str) -> Repository:
    made = Repository(folder)
    made.commit("Begin", {"a.py": text, "LICENSE.md": ISC, "docs/COPYING": "GPL"})
    return made


def test_git_knows_branch_and_licence_and_says_what_it_does_not_know(served, tmp_path):
    ann = repository(served / "ann/fix", "one\n")

    run_build(tmp_path, ann, "repositories", named=named("Ann/Fix#1", "ann/fix#2"))

    assert kept(tmp_path, repositories) == [
        {
            "repository_id": derived_id("ann/fix"),
            "repo": "ann/fix",
            "fork_root_id": -int(ann.git("rev-list", "--max-parents=0", "HEAD")[:15], 16),
            "fork_root_source": "root_commit",
            "default_branch": "main",
            "licence": "ISC",
            "licence_source": "file",
            **dict.fromkeys(FACTS),
        }
    ]


def test_repositories_that_share_a_root_commit_are_one_family(served, tmp_path):
    ann = repository(served / "ann/fix", "one\n")
    repository(served / "bob/other", "two\n")
    for fork in ("cat/fix", "dan/fixed"):
        (served / fork).parent.mkdir()
        ann.git("clone", "--quiet", "--bare", ".", str(served / fork))

    pool = named("ann/fix#1", "bob/other#1", "cat/fix#1", "dan/fixed#1")
    run_build(tmp_path, ann, "repositories", named=pool)

    roots = {row["repo"]: row["fork_root_id"] for row in kept(tmp_path, repositories)}
    assert roots["ann/fix"] == roots["cat/fix"] == roots["dan/fixed"] != roots["bob/other"]


def test_a_family_keeps_its_name_whichever_members_are_seen(served, tmp_path):
    ann = repository(served / "ann/fix", "one\n")
    (served / "cat").mkdir()
    ann.git("clone", "--quiet", "--bare", ".", str(served / "cat/fix"))

    names = set()
    for pool in ("ann/fix#1", "cat/fix#1"):
        run_build(tmp_path, ann, "repositories", named=named(pool))
        names |= {row["fork_root_id"] for row in kept(tmp_path, repositories)}
    assert len(names) == 1


def test_a_vanished_repository_is_rejected(served, tmp_path):
    ann = repository(served / "ann/fix", "one\n")

    run_build(tmp_path, ann, "repositories", named=named("ann/fix#1", "bob/gone#1"))

    assert [row["repo"] for row in kept(tmp_path, repositories)] == ["ann/fix"]
    assert refused(tmp_path, repositories) == [("rejected", ["repository_vanished"])]


def test_a_repository_beyond_a_bound_is_deferred_and_not_fetched(served, tmp_path):
    ann = repository(served / "ann/fix", "one\n")

    pool = named("ann/fix#1", "bob/gone#1")
    run_build(tmp_path, ann, "repositories", named=pool, chosen=("Ann/Fix",))
    assert refused(tmp_path, repositories) == [("deferred", ["repositories"])]

    run_build(tmp_path, ann, "repositories", named=pool, sample=0.0)
    assert refused(tmp_path, repositories) == [("deferred", ["sample"])] * 2


def test_an_excluded_repository_is_never_fetched(served, tmp_path):
    ann = repository(served / "ann/fix", "one\n")
    exclude = Exclusions(repositories=frozenset({"ann/fix"}))

    run_build(tmp_path, ann, "repositories", named=named("Ann/Fix#1"), exclude=exclude)

    assert refused(tmp_path, repositories) == [("rejected", ["is_not_excluded"])]
    assert not (tmp_path / "mirrors").exists()
