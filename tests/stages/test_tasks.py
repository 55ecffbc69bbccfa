from datetime import datetime

import polars as pl
import pytest

from forge.attacks import ATTACKS
from forge.columns import dtypes
from forge.recipes import Recipe
from forge.stages.features import Features
from forge.stages.tasks import Limits, Tasks, tasks
from forge.truth import COUNTED

DAY = datetime(2026, 3, 2)
RECIPE = Recipe(
    language="python",
    repo="ann/parser",
    base_commit="b",
    image="python:3.11",
    lock='attrs==25.1 ; python_version < "3.14"\n',
    probe="p",
    test="t",
    results="junit",
)
SIZES = dict.fromkeys(
    [
        name
        for name, dtype in dtypes(Features).items()
        if dtype in (pl.Int64, pl.Float64) and name not in {"repository_id", "number"}
    ],
    1,
)
FLAGS = {name: False for name, dtype in dtypes(Features).items() if dtype == pl.Boolean}


SEEN = {"unread": [], "scanned_files": 9, "scanned_bytes": 99}
FELL = {"is_resolved": False, "is_applied": True}
HELD = dict.fromkeys(ATTACKS, FELL) | {"gold": FELL | {"is_resolved": True}}


def upstream(  # noqa: PLR0913 - whatever a test wants to change
    number=7, repository_id=1, *, day=2, gates=HELD, leaks=(), told=(), **patch
):
    """A row of every table above, of one pull request; facts are of its patches."""
    repo = "ann/parser" if repository_id == 1 else "bob/parser"
    sha = RECIPE.sha
    return {
        "verdicts": {
            "recipe_sha": sha,
            "fail_to_pass": [{"id": "a.py::one", "kind": "failed"}],
            "pass_to_pass": ["a.py::two"],
            "expected_failures": [],
            "fails_by_collapse_only": False,
            "verified_at": DAY,
            "attempts_before": 3,
            "attempts_after": 13,
            "seconds_before": 1.0,
            "seconds_after": 1.0,
            "seconds_p95": 1.0,
            "flaky_tests": [],
            "order_dependent_tests": [],
            "worker_dependent_tests": [],
        }
        | dict.fromkeys(COUNTED, 0),
        "merges": {"source": "archive"},
        "repositories": {"fork_root_id": 1, "fork_root_source": "root_commit"},
        "pull_requests": {
            "repo": repo,
            "merged_at": datetime(2026, 3, day),
        },
        "candidates": {"language": "python"},
        "patches": {
            "base_commit": "b",
            "merge_commit": "m",
            "gold_patch": "gold",
            "test_patch": f"test {repository_id} {number}",
            "test_paths": ["a.py"],
            "patch_id": f"id {repository_id} {number}",
        }
        | patch,
        "features": SIZES | FLAGS,
        "hints": {"hints_text": "Try even.", "is_cut": False},
        "statements": {
            "problem_statement": "Parse nested lists",
            "statement_source": "squash_message",
            "issue_numbers": [],
            "is_title_only": True,
            "quotes_patch": False,
            "statement_leaks": told,
            "new_identifiers": [],
        },
        "recipes": {"rank": 1, "recipe_sha": sha, "recipe": RECIPE.text, "lock_source": "merge"},
        "environments": {"recipe_sha": sha, "image": "sweforge/ann__parser:1", "bytes": 5},
        "leaks": {"image_leaks": leaks} | SEEN,
        "gates": [{"attack": attack} | gate for attack, gate in gates.items()],
        "attempts": {"side": "before", "attempt": 1, "eval_script": f"run {number}\n"},
    } | {"key": {"repository_id": repository_id, "number": number}}


def decided(*rows, limits=None):
    frames = []
    for table in tasks.upstream:
        schema = dtypes(tasks.hints[table].__args__[0])
        own = [
            row["key"] | one
            for row in rows
            for one in (row[table] if table == "gates" else [row[table]])
        ]
        frame = pl.LazyFrame(
            [{name: value for name, value in one.items() if name in schema} for one in own], schema
        )
        frames.append(frame.unique("recipe_sha") if table == "environments" else frame)
        if table == "repositories":
            frames[-1] = frame.unique("repository_id")
    return (
        tasks.function(*frames, limits=limits or Limits()).sort("repository_id", "number").collect()
    )


def task(**facts):
    return decided(upstream(**facts)).row(0, named=True)


def test_task_keeps_the_contract():
    kept = decided(upstream()).select(Tasks.column_names())
    assert len(Tasks.validate(kept, cast=True)) == 1


def test_task_is_named_as_swebench_names_it():
    assert task()["instance_id"] == "ann__parser-7"


def test_task_carries_the_script_that_its_attempts_ran():
    assert task()["eval_script"] == "run 7\n"


def test_task_carries_what_people_said_before_its_fix():
    assert (task()["hints_text"], task()["hints_reason"]) == ("Try even.", None)


@pytest.mark.parametrize("reason", ["not_asked", "pull_request_gone"])
def test_task_whose_hints_nobody_knows_is_kept_and_says_why(reason):
    row = upstream() | {"hints": {"hints_reason": reason}}
    told = decided(row).row(0, named=True)
    assert (told["fate"], told["hints_text"], told["hints_reason"]) == ("kept", None, reason)


def test_tests_are_listed_beside_their_kinds():
    row = task()
    assert (row["fail_to_pass"], row["fail_to_pass_kinds"]) == (["a.py::one"], ["failed"])
    assert row["pass_to_pass"] == ["a.py::two"]


def test_lock_is_read_from_the_recipe_letter_by_letter():
    row = task()
    assert (row["lock"], row["recipe"]) == (RECIPE.lock, RECIPE.text)


def test_time_of_the_merge_stands_for_creation_and_version():
    row = task(day=31)
    assert (row["created_at"], row["version"]) == (datetime(2026, 3, 31), "2026-03")


def test_size_of_the_image_is_named_as_such():
    row = task()
    assert (row["image"], row["image_bytes"]) == ("sweforge/ann__parser:1", 5)


def test_swebench_is_told_how_to_read_and_to_judge():
    row = task()
    assert (row["log_parser"], row["eval_type"]) == ("parse_log_gotest", "pass_and_fail")


@pytest.mark.parametrize(
    ("attack", "gate", "reason"),
    [
        ("nothing", {"is_resolved": True}, "nothing_fails"),
        ("gold", {"is_resolved": False}, "gold_passes"),
        *((name, {"is_resolved": True}, f"{name}_fails") for name in ATTACKS[2:]),
    ],
)
def test_task_whose_grader_falls_for_an_attack_is_rejected(attack, gate, reason):
    assert task(gates=HELD | {attack: HELD[attack] | gate})["reasons"] == [reason]


def test_attack_that_does_not_apply_is_not_held_against_a_task():
    gate = {"is_resolved": True, "is_applied": False}
    assert task(gates=HELD | {"print_and_exit": gate})["fate"] == "kept"


def test_attack_that_was_never_tried_is_unknown():
    gates = {name: gate for name, gate in HELD.items() if name not in {"nothing", "late_writer"}}
    assert task(gates=gates)["reasons"] == ["nothing_fails:unknown", "late_writer_fails:unknown"]


IN_IMAGE = {"kind": "git_ref", "path": "/testbed/.git/refs/tags/v2", "evidence": "cafe"}
IN_TEXT = {"kind": "quotes_gold_patch", "path": "a.py", "evidence": "return separator.join(words)"}
IN_TESTS = IN_TEXT | {"kind": "quotes_test_patch"}


@pytest.mark.parametrize(("leaks", "told"), [([IN_IMAGE], []), ([], [IN_TEXT, IN_TESTS])])
def test_task_that_gives_the_fix_away_is_rejected_and_says_how(leaks, told):
    row = task(leaks=leaks, told=told)
    assert row["reasons"] == ["has_no_leaks"]
    kind, path, evidence = (leaks or told)[0].values()
    assert row["detail"] == f"{kind} in {path}: {evidence}"


def test_words_that_an_issue_shares_with_its_tests_are_tolerated_unless_a_limit_says_otherwise():
    assert task(told=[IN_TESTS])["fate"] == "kept"
    strict = decided(upstream(told=[IN_TESTS]), limits=Limits(tolerated_leaks=[]))
    assert strict["reasons"].to_list() == [["has_no_leaks"]]


def test_task_whose_image_was_not_looked_at_is_unknown():
    assert task(leaks=None)["reasons"] == ["has_no_leaks:unknown"]


def test_duplicate_takes_the_place_of_a_task_that_leaks():
    rows = [upstream(number=1, patch_id="x", leaks=[IN_IMAGE]), upstream(number=2, patch_id="x")]
    assert [fate for _, fate, _ in fates(*rows)] == ["rejected", "kept"]


def test_duplicate_takes_the_place_of_a_task_that_does_not_hold():
    fallen = HELD | {"nothing": HELD["gold"]}
    rows = [upstream(number=1, patch_id="x", gates=fallen), upstream(number=2, patch_id="x")]
    assert [fate for _, fate, _ in fates(*rows)] == ["rejected", "kept"]


def fates(*rows):
    return decided(*rows).select("instance_id", "fate", "detail").rows()


def test_different_patches_are_all_kept():
    found = fates(upstream(number=1), upstream(number=2))
    assert [fate for _, fate, _ in found] == ["kept", "kept"]


def test_equal_patch_is_kept_once_and_the_other_names_it():
    assert fates(upstream(number=1, day=3, patch_id="x"), upstream(number=2, patch_id="x")) == [
        ("ann__parser-1", "rejected", "the same patch as ann__parser-2"),
        ("ann__parser-2", "kept", None),
    ]


def test_root_of_a_family_keeps_the_patch_though_its_fork_merged_it_first():
    fork = upstream(repository_id=2, number=1, day=1, patch_id="x")
    assert fates(upstream(number=9, day=5, patch_id="x"), fork) == [
        ("ann__parser-9", "kept", None),
        ("bob__parser-1", "rejected", "the same patch as ann__parser-9"),
    ]


def test_equal_tests_on_an_equal_base_are_one_task():
    found = fates(upstream(number=1, test_patch="t"), upstream(number=2, test_patch="t"))
    assert [fate for _, fate, _ in found] == ["kept", "rejected"]


def test_changes_of_modes_have_no_patch_id_and_are_no_duplicates():
    found = fates(upstream(number=1, patch_id=None), upstream(number=2, patch_id=None))
    assert [fate for _, fate, _ in found] == ["kept", "kept"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_same_task_is_kept_in_whatever_order_rows_come(order):
    rows = [upstream(number=n, patch_id="x") for n in (1, 2, 3)]
    kept = [name for name, fate, _ in fates(*(rows[n] for n in order)) if fate == "kept"]
    assert kept == ["ann__parser-1"]
