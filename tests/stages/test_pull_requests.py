from datetime import datetime
from pathlib import Path

import pytest
from git_builds import kept, named, refused, run_build
from histories import Repository

from forge.rules.identity import derived_id
from forge.selection import Exclusions
from forge.stages.merges import merges
from forge.stages.pull_requests import pull_requests

BOB = {"name": "Bob", "email": "7+bob@users.noreply.github.com"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"a.py": "one\ntwo\nthree\n", "logo.png": b"\0"})
    return made


def only(root: Path) -> dict[str, object]:
    (row,) = kept(root, pull_requests)
    return row


def test_a_squash_tells_title_body_author_issues_and_files(repository, tmp_path):
    base = repository.head
    files = {"a.py": None, "b.py": "one\ntwo\nthree\nfour\n", "logo.png": b"\0\1"}
    message = "Count to four (#7)\n\nFixes #3 and closes ann/fix#2, not other/repo#9.\n"
    squash = repository.commit(message, files, **BOB)

    run_build(tmp_path, repository, "pull_requests", named=named("ann/fix#7"))

    file = {"path": "b.py", "previous_path": "a.py", "additions": 1, "deletions": 0}
    image = {"path": "logo.png", "previous_path": None, "additions": None, "deletions": None}
    assert only(tmp_path) == {
        "repository_id": derived_id("ann/fix"),
        "number": 7,
        "repo": "ann/fix",
        "title": "Count to four",
        "body": "Fixes #3 and closes ann/fix#2, not other/repo#9.",
        "author": "bob",
        "is_bot": False,
        "merged_at": repository.at,
        "merge_commit": squash,
        "base_commit": base,
        "merge_method": "squash",
        "commits": None,
        "files": [file | {"is_binary": False}, image | {"is_binary": True}],
        "changed_files": 2,
        "additions": 1,
        "deletions": 0,
        "linked_issues": [2, 3],
        **dict.fromkeys(("labels", "association", "head_sha", "base_ref", "base_sha", "issues")),
        "enriched_by": "git",
        "change": None,
    }


def test_a_merge_tells_title_and_body_below_its_subject(repository, tmp_path):
    repository.branch("topic")
    repository.commit("wip", {"b.py": "one\n"}, **BOB)
    repository.commit("wip", {"c.py": "one\n"})
    repository.switch()
    message = "Merge pull request #7 from bob/topic\n\nAdd b and c\n\nThey were missing."
    repository.merge("topic", message)

    run_build(tmp_path, repository, "pull_requests", named=named("ann/fix#7"))

    row = only(tmp_path)
    assert (row["title"], row["body"]) == ("Add b and c", "They were missing.")
    assert (row["author"], row["merge_method"], row["commits"]) == ("bob", "merge", 2)


@pytest.mark.parametrize(("commits", "title"), [(1, "Add file 1"), (2, None)])
def test_a_merge_without_words_has_those_of_its_only_commit(repository, tmp_path, commits, title):
    repository.branch("topic")
    for n in range(1, commits + 1):
        repository.commit(f"Add file {n}", {f"{n}.py": "one\n"})
    repository.switch()
    repository.merge("topic", "Merge pull request #7 from ann/topic")

    run_build(tmp_path, repository, "pull_requests", named=named("ann/fix#7"))

    assert only(tmp_path)["title"] == title


def test_a_rebase_has_the_words_of_its_first_commit(repository, tmp_path):
    repository.branch("topic")
    first = repository.commit("Add b\n\nIt was missing.", {"b.py": "one\n"}, **BOB)
    second = repository.commit("Mend b", {"b.py": "two\n"})
    repository.open(7)
    repository.switch()
    base = repository.commit("Meanwhile", {"c.py": "one\n"})
    repository.rebase(first, second)

    run_build(tmp_path, repository, "pull_requests", named=named("ann/fix#7"))

    row = only(tmp_path)
    assert (row["title"], row["body"], row["author"]) == ("Add b", "It was missing.", "bob")
    assert (row["merge_method"], row["commits"], row["base_commit"]) == ("rebase", 2, base)


def test_a_bot_is_told_by_its_commit(repository, tmp_path):
    bot = {"name": "dependabot[bot]", "email": "9+dependabot[bot]@users.noreply.github.com"}
    repository.commit("Bump b (#7)", {"b.py": "one\n"}, **bot)

    run_build(tmp_path, repository, "pull_requests", named=named("ann/fix#7"))

    assert (only(tmp_path)["author"], only(tmp_path)["is_bot"]) == ("dependabot[bot]", True)


def test_every_merge_without_a_row_has_a_reason(repository, tmp_path):
    repository.commit("Twice (#5)", {"b.py": "one\n"})
    repository.commit("Twice (#5)", {"b.py": "two\n"})

    pool = named("ann/fix#5", "ann/fix#6", "bob/gone#1")
    run_build(tmp_path, repository, "pull_requests", named=pool)

    assert sorted(refused(tmp_path, pull_requests)) == [
        ("rejected", ["merge_ambiguous"]),
        ("rejected", ["merge_not_found"]),
        ("rejected", ["repository_vanished"]),
    ]


def test_what_the_user_excludes_is_rejected(repository, tmp_path):
    repository.commit("By Bob (#5)", {"b.py": "one\n"}, **BOB)
    repository.commit("By Ann (#6)", {"b.py": "two\n"})
    exclude = Exclusions(authors=frozenset({"bob"}), pull_requests=frozenset({"ann/fix#6"}))

    pool = named("ann/fix#5", "ann/fix#6")
    run_build(tmp_path, repository, "pull_requests", named=pool, exclude=exclude)

    assert refused(tmp_path, pull_requests) == [("rejected", ["is_not_excluded"])] * 2


def test_merges_of_a_repository_beyond_a_bound_are_deferred(repository, tmp_path):
    repository.commit("Five (#5)", {"b.py": "one\n"})

    pool = named("ann/fix#5", "bob/gone#1")
    run_build(tmp_path, repository, "pull_requests", named=pool, chosen=("ann/fix",))

    assert [row["number"] for row in kept(tmp_path, pull_requests)] == [5]
    assert refused(tmp_path, pull_requests) == [("deferred", ["repositories"])]


def test_a_repositorys_own_history_takes_the_archives_place(repository, tmp_path):
    repository.commit("Count to four (#7)\n\nIt stopped at three.", {"b.py": "four\n"}, **BOB)
    repository.commit("No number", {"b.py": "five\n"})
    repository.branch("topic")
    head = repository.commit("wip", {"c.py": "one\n"})
    repository.switch()
    merge = repository.merge("topic", "Merge pull request #8 from cat/topic\n\nAdd c")
    source = {"month": "2026-03", "source": "git", "git_source": f"file://{repository.folder}"}

    run_build(tmp_path, repository, "pull_requests", **source)

    first, second = kept(tmp_path, merges, "2026-03")
    assert (first["repo"], first["number"], first["title"]) == ("local/fix", 7, "Count to four")
    assert (first["merged_at"], first["author"]) == (datetime(2026, 3, 10, 14), "bob")
    assert (second["merge_commit"], second["head_sha"], second["author"]) == (merge, head, "cat")
    rows = kept(tmp_path, pull_requests, "2026-03")
    assert [row["merge_method"] for row in rows] == ["squash", "merge"]
