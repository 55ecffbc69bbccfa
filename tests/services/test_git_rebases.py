import pytest

from forge.services.git import Failed
from forge.services.git_copies import RUN_COMMITS


def reason(found, **sought: object) -> str:
    with pytest.raises(Failed) as failed:
        found(**sought)
    return failed.value.failure.reason


def test_a_rebase_starts_at_the_parent_of_its_first_copy(repository, found):
    repository.branch("topic")
    first = repository.commit("Two", {"b.py": "two = 2\n"})
    second = repository.commit("Three", {"c.py": "three = 3\n"})
    head = repository.open(7)
    repository.switch()
    base = repository.commit("Meanwhile", {"d.py": "four = 4\n"})
    last = repository.rebase(first, second)

    for known in ({}, {"head_sha": head, "merged_at": repository.at}, {"merge_commit": last}):
        commit, base_found, method = found(number=7, **known)
        assert (commit.sha, base_found, method) == (last, base, "rebase")


def test_a_rebase_whose_last_commit_names_the_number_is_no_squash(repository, found):
    repository.branch("topic")
    first = repository.commit("Two", {"b.py": "two = 2\n"})
    second = repository.commit("Three (#7)", {"c.py": "three = 3\n"})
    head = repository.open(7)
    repository.switch()
    base = repository.commit("Meanwhile", {"d.py": "four = 4\n"})
    repository.rebase(first, second)

    assert found(number=7, head_sha=head, merged_at=repository.at)[1:] == (base, "rebase")


def test_a_rebase_of_which_every_commit_names_the_number_ends_at_the_last(repository, found):
    repository.branch("topic")
    first = repository.commit("Two (#7)", {"b.py": "two = 2\n"})
    second = repository.commit("Three (#7)", {"c.py": "three = 3\n"})
    head = repository.open(7)
    repository.switch()
    base = repository.commit("Meanwhile", {"d.py": "four = 4\n"})
    last = repository.rebase(first, second)
    repository.git("branch", "-D", "topic")

    for known in ({}, {"head_sha": head, "merged_at": repository.at, "base_ref": "main"}):
        commit, base_found, method = found(number=7, **known)
        assert (commit.sha, base_found, method) == (last, base, "rebase")


def test_what_follows_up_on_a_rebase_under_its_number_is_not_the_merge(repository, found):
    repository.branch("topic")
    own = [repository.commit(name, {name: "two = 2\n"}) for name in ("b.py", "c.py")]
    head = repository.open(7)
    repository.switch()
    last, merged_at = repository.rebase(*own), repository.at
    repository.commit("Follow up (#7)", {"b.py": "two = 3\n"})

    for known in ({}, {"head_sha": head, "merged_at": merged_at}):
        assert found(number=7, **known).commit.sha == last


def test_a_backport_is_not_merged_by_what_it_copies(repository, found):
    repository.branch("stable")
    repository.switch()
    original = repository.commit("Two", {"b.py": "two = 2\n"})
    repository.branch("topic", "stable")
    repository.rebase(original)
    repository.open(7)
    repository.switch()

    assert reason(found, number=7) == "merge_not_found"


def test_a_rebase_whose_head_is_gone_is_ambiguous(repository, found):
    repository.branch("topic")
    first = repository.commit("Two", {"b.py": "two = 2\n"})
    second = repository.commit("Three (#7)", {"c.py": "three = 3\n"})
    repository.switch()
    repository.rebase(first, second)
    repository.git("branch", "-D", "topic")

    known = {"head_sha": "1" * 40, "merged_at": repository.at}

    assert reason(found, number=7, **known) == "merge_ambiguous"


@pytest.mark.parametrize("commits", [3, 51])
def test_a_rebase_of_a_topic_with_a_merge_starts_at_its_first_copy_or_is_not_told(
    repository, found, commits
):
    repository.branch("topic")
    own = [repository.commit(f"Count {n}", {f"b{n}.py": ""}) for n in range(commits - 1)]
    repository.switch()
    base = repository.commit("Meanwhile", {"d.py": "four = 4\n"})
    repository.switch("topic")
    repository.merge("main", "Merge branch 'main' into topic")
    own.append(repository.commit("Count on", {"c.py": "three = 3\n"}))
    head = repository.open(7)
    repository.switch()
    last = repository.rebase(*own)

    known = {"head_sha": head, "merged_at": repository.at, "merge_commit": last}

    if commits > RUN_COMMITS:
        assert reason(found, number=7, **known) == "merge_ambiguous"
    else:
        assert found(number=7, **known)[1:] == (base, "rebase")


def test_a_change_that_was_proposed_twice_is_the_merge_of_the_one_that_was_copied(
    repository, found
):
    repository.branch("first")
    repository.commit("Bump", {"a.py": "one = 2\n"})
    repository.open(7)
    repository.branch("second", "main")
    own = repository.commit("Bump", {"a.py": "one = 2\n"})
    repository.open(8)
    repository.switch()
    copy = repository.rebase(own)

    assert found(number=8).commit.sha == copy
    assert reason(found, number=7) == "merge_not_found"


def test_a_squash_that_names_no_number_is_found_by_its_patch_and_title(repository, found):
    repository.branch("topic")
    repository.commit("Release", {"a.py": "one = 2\n"})
    repository.open(7)
    repository.switch()
    base = repository.head
    squash = repository.squash("topic", "Release")

    commit, base_found, method = found(number=7)

    assert (commit.sha, base_found, method) == (squash, base, "squash")


def test_copies_with_another_patch_are_no_rebase(repository, found):
    repository.branch("topic")
    repository.commit("Two", {"b.py": "two = 2\n"})
    head = repository.open(7)
    repository.switch()
    repository.commit("Two", {"b.py": "two = 22\n"})

    assert reason(found, number=7, head_sha=head, merged_at=repository.at) == "merge_not_found"


def test_squashes_of_a_merge_queue_stay_squashes(repository, found):
    repository.branch("topic")
    head = repository.commit("Three", {"c.py": "three = 3\n"})
    repository.open(7)
    repository.switch()
    other = repository.commit("Two", {"b.py": "two = 2\n"})
    repository.commits -= 1
    squash = repository.squash("topic", "Count to three (#7)")

    commit, base, method = found(number=7, head_sha=head, merged_at=repository.at)

    assert (commit.sha, base, method) == (squash, other, "squash")


def test_a_head_that_became_the_base_branch_starts_at_the_old_base(repository, found):
    base = repository.head
    repository.commit("Two", {"b.py": "two = 2\n"})
    head = repository.commit("Three", {"c.py": "three = 3\n"})
    repository.open(7)

    known = {"head_sha": head, "merged_at": repository.at}

    assert found(number=7, base_sha=base, **known)[1:] == (base, "rebase")
    assert reason(found, number=7, **known) == "merge_not_found"


def test_a_default_branch_that_begins_anew_holds_no_copies(repository, found):
    repository.branch("topic")
    head = repository.commit("Publish the tool", {"b.py": "two = 2\n"})
    repository.open(7)
    repository.git("switch", "--quiet", "--orphan", "anew")
    repository.commit("Publish the tool", {"a.py": "one = 1\n", "b.py": "two = 2\n"})
    repository.git("branch", "-D", "topic")
    repository.git("branch", "-M", "anew", "main")

    assert reason(found, number=7, head_sha=head) == "merge_not_found"
