import subprocess
from pathlib import Path

import pytest

from forge.demo.history import Shas

AllShas = dict[str, dict[int, Shas]]
MESSAGES = {
    ("lanternworks/tidytext", 12): """\
Merge pull request #12 from lanternworks/squeeze-runs

Squeeze runs of any white space""",
    ("lanternworks/tidytext", 16): """\
Show every function in the README (#16)

One example each.""",
    ("lanternworks/tidytext", 20): "Fix (#20)",
    ("orrery-io/timetable", 8): """\
Merge #8

8: Count the hours until closing as free r=tomas-lind a=sam-ito

`Room.free` forgot the hours between the last slot and closing time; an empty room had none at all.

Co-authored-by: Sam Ito <68052337+sam-ito@users.noreply.github.com>""",
}


def git(made: Path, repo: str, *arguments: str) -> str:
    command = ["git", "-C", str(made / "git" / f"{repo}.git"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.rstrip("\n")


def test_a_true_merge_has_the_head_as_its_second_parent(made: Path, shas: AllShas) -> None:
    found = shas["lanternworks/tidytext"][12]
    parents = git(made, "lanternworks/tidytext", "log", "-1", "--format=%P", found.merged)
    assert parents == f"{found.before} {found.head}"


@pytest.mark.parametrize(("repo", "number"), MESSAGES)
def test_merges_are_worded_as_their_merger_words_them(
    made: Path, shas: AllShas, repo: str, number: int
) -> None:
    message = git(made, repo, "log", "-1", "--format=%B", shas[repo][number].merged)
    assert message == MESSAGES[repo, number]


def test_a_squash_of_two_authors_credits_the_other(made: Path, shas: AllShas) -> None:
    merged = shas["lanternworks/tidytext"][13].merged
    message = git(made, "lanternworks/tidytext", "log", "-1", "--format=%B", merged)
    assert message.endswith(
        "---------\n\nCo-authored-by: Mia Okafor <187692732+mia-okafor@users.noreply.github.com>"
    )


def test_a_rebase_makes_its_commits_again_without_a_number(made: Path, shas: AllShas) -> None:
    found = shas["lanternworks/tidytext"][15]
    made_again = f"{found.before}..{found.merged}"
    assert git(made, "lanternworks/tidytext", "log", "--format=%s", made_again).splitlines() == [
        "Test slugs with digits and apostrophes",
        "Do not split words at apostrophes",
        "Keep digits in slugs",
    ]
    assert found.head not in git(made, "lanternworks/tidytext", "rev-list", made_again)


def test_a_branch_begins_where_the_other_branch_was_when_it_was_opened(
    made: Path, shas: AllShas
) -> None:
    found = shas["lanternworks/tidytext"][15]
    assert found.base != found.before
    base = git(made, "lanternworks/tidytext", "merge-base", found.head, found.merged)
    assert base == found.base


def test_a_fork_shares_the_root_commit(made: Path) -> None:
    def root(repo: str) -> str:
        return git(made, repo, "rev-list", "--max-parents=0", "HEAD")

    assert root("stray-cat/tidytext") == root("lanternworks/tidytext")


def test_a_fork_repeats_the_patch_of_its_origin(made: Path, shas: AllShas) -> None:
    def patch(repo: str, number: int) -> str:
        found = shas[repo][number]
        return git(made, repo, "diff", found.before, found.merged)

    assert patch("stray-cat/tidytext", 2) == patch("lanternworks/tidytext", 13)


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (3, "GIT binary patch"),
        (4, "rename from glyphs/drawing.py\nrename to glyphs/rendering.py"),
        (5, "+    return CODES[letter.upper()]\r\n"),
    ],
)
def test_patches_hold_a_binary_file_a_rename_and_line_ends_of_dos(
    made: Path, shas: AllShas, number: int, what: str
) -> None:
    found = shas["papertrail/glyphs"][number]
    folder = made / "git" / "papertrail" / "glyphs.git"
    command = ["git", "-C", str(folder), "diff", "--binary", "-M", found.before, found.merged]
    patch = subprocess.run(command, check=True, capture_output=True).stdout
    assert what.encode() in patch


def test_a_merge_that_was_pushed_over_left_only_its_head(made: Path, shas: AllShas) -> None:
    found = shas["papertrail/glyphs"][6]
    refs = git(made, "papertrail/glyphs", "for-each-ref", "--contains", found.head)
    assert refs == f"{found.head} commit\trefs/pull/6/head"


def test_two_commits_claim_to_be_one_merge(made: Path) -> None:
    subjects = git(made, "mossgarden/colorpot", "log", "--format=%s", "main").splitlines()
    assert [s for s in subjects if s.endswith("(#25)")] == [
        "Tell about rounding in the changes (#25)",
        "Round up when mixing (#25)",
    ]


@pytest.mark.parametrize(
    "repo", ["lanternworks/tidytext", "papertrail/glyphs", "stray-cat/tidytext"]
)
def test_repositories_are_sound(made: Path, repo: str) -> None:
    assert git(made, repo, "fsck", "--strict", "--full") == ""
