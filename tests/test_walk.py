import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from histories import Repository

from forge.services.git import Git, Sought
from forge.walk import walk_merges


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"a.py": "one = 1\n"})
    return made


@pytest.fixture
def git(repository: Repository, tmp_path: Path) -> Git:
    return Git(repository.template, tmp_path / "mirrors")


def walked(git: Git) -> dict[str, Any]:
    question = {"repo": "ann/fix", "month": "2026-03", "as_of": datetime(2026, 4, 1)}
    return asyncio.run(walk_merges.function(git, **question))


def test_a_commit_that_names_an_issue_is_skipped_where_heads_tell(repository, git):
    repository.open(7)
    repository.commit("Count (#7)", {"a.py": "one = 2\n"})
    repository.commit("Close the issue (#9)", {"a.py": "one = 3\n"})

    found = walked(git)

    assert [row["number"] for row in found["walked"]] == [7]
    assert found["skipped"] == 2


def test_without_any_head_every_number_is_a_pull_request(repository, git):
    repository.commit("Count (#7)", {"a.py": "one = 2\n"})

    assert [row["number"] for row in walked(git)["walked"]] == [7]


def test_a_rebase_of_which_every_commit_names_the_number_is_one_merge(repository, git):
    repository.branch("topic")
    own = [repository.commit(f"{name} (#7)", {name: "one = 1\n"}) for name in ("b.py", "c.py")]
    repository.open(7)
    repository.switch()
    base = repository.commit("Meanwhile", {"d.py": "four = 4\n"})
    last = repository.rebase(*own)

    (row,) = walked(git)["walked"]
    known = {name: row[name] for name in ("number", "merged_at", "merge_commit", "base_ref")}
    merge = asyncio.run(git.find_merge("ann/fix", Sought(**known)))

    assert (merge.commit.sha, merge.base, merge.method) == (last, base, "rebase")
