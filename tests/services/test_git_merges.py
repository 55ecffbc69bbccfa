import asyncio
from datetime import timedelta

import pytest

from forge.services.git import Failed, Git, Merge, Sought


def reason(found, **sought: object) -> str:
    with pytest.raises(Failed) as failed:
        found(**sought)
    return failed.value.failure.reason


def test_the_head_is_the_merges_second_parent(repository, found):
    base = repository.head
    repository.branch("topic")
    head = repository.commit("Two", {"a.py": "one = 2\n"})
    repository.switch()
    merge = repository.merge("topic", "Land topic")

    for known in ({}, {"merged_at": repository.at}):
        commit, base_found, method = found(number=7, head_sha=head, **known)
        assert (commit.sha, base_found, method) == (merge, base, "merge")


def test_merges_sought_at_once_are_all_found(repository, tmp_path):
    sought = []
    for number in range(1, 6):
        repository.branch(f"topic-{number}", "main")
        head = repository.commit(f"Change {number}", {f"{number}.py": "one = 2\n"})
        repository.switch()
        sought.append((number, head, repository.merge(f"topic-{number}", f"Land {number}")))

    async def find() -> list[Merge]:
        git = Git(repository.template, tmp_path / "mirrors")
        return await asyncio.gather(
            *[git.find_merge("ann/fix", Sought(number, head)) for number, head, _ in sought]
        )

    assert [found.commit.sha for found in asyncio.run(find())] == [sha for *_, sha in sought]


def test_a_merge_into_another_branch_is_not_the_merge(repository, found):
    repository.branch("topic")
    head = repository.commit("Two", {"a.py": "one = 2\n"})
    repository.branch("elsewhere", "main")
    repository.merge("topic", "Merge branch 'topic' into elsewhere")
    repository.switch()

    assert reason(found, number=7, head_sha=head, merged_at=repository.at) == "merge_not_found"


def test_a_merge_that_names_another_pull_request_is_not_the_merge(repository, found):
    repository.branch("topic")
    head = repository.commit("Two", {"a.py": "one = 2\n"})
    repository.switch()
    repository.merge("topic", "Merge pull request #8 from ann/topic")

    assert reason(found, number=7, head_sha=head, merged_at=repository.at) == "merge_not_found"


def test_a_squash_names_its_pull_request_at_the_end_of_its_subject(repository, found):
    base = repository.head
    squash = repository.commit("Count to two (#7)", {"a.py": "one = 2\n"})
    repository.commit('Revert "Count to two (#7)" (#9)', {"a.py": "one = 1\n"})

    for known in ({}, {"merged_at": repository.at}, {"merge_commit": squash}):
        commit, base_found, method = found(number=7, **known)
        assert (commit.sha, base_found, method) == (squash, base, "squash")


def test_a_merge_is_found_by_its_subject_when_its_head_is_gone(repository, found):
    base = repository.head
    repository.branch("topic")
    repository.commit("Two", {"a.py": "one = 2\n"})
    repository.switch()
    merge = repository.merge("topic", "Merge pull request #7 from ann/topic")

    commit, base_found, method = found(number=7, head_sha="1" * 40, merged_at=repository.at)

    assert (commit.sha, base_found, method) == (merge, base, "merge")


def test_a_subject_more_than_a_day_away_names_another_number_seven(repository, found):
    repository.commit("Count to two (#7)", {"a.py": "one = 2\n"})

    later = repository.at + timedelta(days=2)

    assert reason(found, number=7, merged_at=later) == "merge_not_found"


def test_two_commits_that_name_the_number_are_ambiguous(repository, found):
    first = repository.commit("Count (#7)", {"a.py": "one = 2\n"})
    second = repository.commit("Count again (#7)", {"a.py": "one = 3\n"})

    with pytest.raises(Failed) as failed:
        found(number=7, merged_at=repository.at)

    assert failed.value.failure.reason == "merge_ambiguous"
    assert failed.value.failure.detail == " ".join(sorted([first, second]))


def test_of_a_squash_and_its_backport_the_base_branch_holds_the_merge(repository, found):
    repository.branch("stable")
    repository.switch()
    squash = repository.commit("Count (#7)", {"a.py": "one = 2\n"})
    repository.switch("stable")
    repository.rebase(squash)
    repository.switch()

    assert found(number=7, merged_at=repository.at, base_ref="main").commit.sha == squash


def test_a_change_made_for_a_release_branch_is_not_its_copy_on_the_default_branch(
    repository, found
):
    repository.branch("stable")
    base = repository.commit("Release", {"b.py": "two = 2\n"})
    repository.branch("topic", "stable")
    repository.commit("Count", {"a.py": "one = 2\n"})
    repository.open(7)
    repository.switch("stable")
    squash = repository.squash("topic", "Count (#7)")
    repository.switch()
    repository.rebase(squash)

    assert found(number=7)[:2] == (found(number=7, merge_commit=squash).commit, base)


def test_a_heads_own_commit_that_names_the_number_is_not_its_merge(repository, found):
    repository.branch("topic")
    repository.commit("Count (#7)", {"a.py": "one = 2\n"})
    head = repository.open(7)
    repository.switch()
    repository.squash("topic", "Two")

    assert reason(found, number=7, head_sha=head, merged_at=repository.at) == "merge_not_found"


def test_a_fork_does_not_take_its_parents_pull_request_for_its_own(repository, found):
    repository.commit("Of the parent (#7)", {"a.py": "one = 2\n"})
    repository.branch("topic")
    repository.commit("Two", {"b.py": "two = 2\n"})
    repository.open(7)
    repository.switch()

    assert reason(found, number=7) == "merge_not_found"


def test_an_imported_history_names_pull_requests_of_its_own(repository, found):
    for number in (7, 8):
        repository.branch(f"topic-{number}", "main")
        repository.commit("Two", {"b.py": "two = 2\n"})
        repository.open(number)
    repository.git("switch", "--quiet", "--orphan", "imported")
    repository.commit("Begin elsewhere", {"c.py": ""})
    repository.commit("Of the import (#7)", {"c.py": "three = 3\n"})
    repository.branch("theirs", "imported")
    repository.commit("Four", {"d.py": "four = 4\n"})
    repository.switch("imported")
    repository.merge("theirs", "Merge pull request #8 from bob/theirs")
    repository.switch()
    repository.git("merge", "--quiet", "--allow-unrelated-histories", "-m", "Import", "imported")

    assert [reason(found, number=n) for n in (7, 8)] == ["merge_not_found"] * 2
    known = {"merged_at": repository.at}
    assert [reason(found, number=n, **known) for n in (7, 8)] == ["merge_not_found"] * 2


def test_a_merge_of_several_heads_is_nobodys(repository, found):
    repository.branch("one")
    head = repository.commit("One", {"b.py": "two = 2\n"})
    repository.branch("two", "main")
    repository.commit("Two", {"c.py": "three = 3\n"})
    repository.switch()
    repository.commit("Meanwhile", {"d.py": "four = 4\n"})
    repository.git("merge", "--quiet", "-m", "Merge both", "one", "two")

    assert reason(found, number=7, head_sha=head, merged_at=repository.at) == "merge_of_several"


def test_a_first_commit_has_no_base(repository, found):
    assert reason(found, number=7, merge_commit=repository.head) == "merge_without_parent"


def test_a_merge_commit_that_no_branch_holds_has_vanished(found):
    assert reason(found, number=7, merge_commit="1" * 40) == "commit_vanished"


def test_a_merge_that_came_after_the_last_fetch_is_found_by_the_next_build(repository, tmp_path):
    before = Git(repository.template, tmp_path / "mirrors")
    asyncio.run(before.describe("ann/fix"))
    squash = repository.commit("Count to two (#7)", {"a.py": "one = 2\n"})

    after = Git(repository.template, tmp_path / "mirrors")

    assert asyncio.run(after.find_merge("ann/fix", Sought(7))).commit.sha == squash
