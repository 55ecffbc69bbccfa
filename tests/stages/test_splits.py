import hashlib
from datetime import datetime
from pathlib import Path

import dataframely as dy
import duckdb
import polars as pl
import pytest

from forge.build import Options, build
from forge.columns import PullRequestKey
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import stage
from forge.stages.splits import Splits, splits
from forge.store import Store

PROOF = (Path(__file__).parents[2] / "sql/queries/split_proof.sql").read_text()


class Tasks(PullRequestKey):
    """A task, as far as its split depends on it."""

    fork_root_id = dy.Int64()


@stage
def tasks(*, sample: float | None) -> dy.LazyFrame[Tasks]:  # noqa: ARG001 - a stage of no input
    rows = {"repository_id": range(1, 1001), "number": 1}
    family = pl.col("repository_id") - pl.col("repository_id") % 2
    return pl.LazyFrame(rows).with_columns(fork_root_id=-family).pipe(Tasks.cast)


def placed(root, **limits):
    """Split by repository; two repositories with neighbouring ids are a family."""
    options = Options(limits={"splits": limits})
    made = build(
        [tasks, splits],
        Selection("2026-03"),
        Settings(root=root),
        options,
        now=datetime(2026, 4, 1),
        progress=lambda *_: None,
    )
    list(made)
    rows = Store(root, "2026-03").scan("splits", Splits).collect()
    return dict(zip(rows["repository_id"], rows["split"], strict=True))


def eval_of(found):
    return {repository for repository, split in found.items() if split == "eval"}


def test_about_the_share_of_families_is_in_eval(tmp_path):
    assert 60 <= len(eval_of(placed(tmp_path))) <= 140


def test_forks_are_on_the_side_of_their_root(tmp_path):
    found = placed(tmp_path)
    assert all(found[n] == found[n + 1] for n in range(2, 1000, 2))


def test_side_is_the_hash_of_salt_and_root(tmp_path):
    share = int(hashlib.sha256(b"forge:-2").hexdigest()[:12], 16) / 16**12
    found = placed(tmp_path, eval_percent=share * 100 + 0.001)
    assert found[2] == "eval"
    assert placed(tmp_path, eval_percent=share * 100)[2] == "train"


def test_larger_share_of_eval_holds_a_smaller_one(tmp_path):
    assert eval_of(placed(tmp_path)) < eval_of(placed(tmp_path, eval_percent=20))


@pytest.mark.parametrize(("percent", "sides"), [(0, {"train"}), (100, {"eval"})])
def test_everything_can_be_on_one_side(tmp_path, percent, sides):
    assert set(placed(tmp_path, eval_percent=percent).values()) == sides


def test_another_salt_is_another_split(tmp_path):
    assert eval_of(placed(tmp_path)) != eval_of(placed(tmp_path, salt="other"))


def proof(*rows):
    """What the saved query finds among tasks: month, repository, its root, patch id, split."""
    names = ["month", "repository_id", "fork_root_id", "patch_id", "split"]
    known = pl.DataFrame(list(rows), schema=names, orient="row").with_row_index("number")
    tasks = known.with_columns(instance_id=pl.format("t{}", "number"))  # noqa: F841 - SQL reads it
    key = ["month", "repository_id"]
    splits = known.select(*key, "number", "fork_root_id", "split")  # noqa: F841 - SQL reads it
    repositories = known.select(*key, "fork_root_id").unique()  # noqa: F841 - SQL reads it
    return duckdb.sql(PROOF).fetchall()


def test_proof_finds_nothing_where_families_stay_together():
    train, evaluation = ("2026-03", 1, 1, "a", "train"), ("2026-03", 2, 2, "b", "eval")
    assert proof(train, evaluation, ("2026-04", 1, 1, "c", "train")) == []


@pytest.mark.parametrize(
    ("what", "second"),
    [
        ("fork family", ("2026-03", 2, 1, "b", "eval")),
        ("patch", ("2026-03", 2, 2, "a", "eval")),
        ("repository", ("2026-04", 1, 9, "b", "eval")),
    ],
)
def test_proof_names_what_is_on_both_sides(what, second):
    [(found, _, train, evaluation)] = proof(("2026-03", 1, 1, "a", "train"), second)
    assert (found, train, evaluation) == (what, ["t0"], ["t1"])
