import dataframely as dy
import polars as pl
import pytest
from toys import Doubles, Numbers, made, numbers, rejected, run_build

import forge
from forge.columns import KEY, Decision, text
from forge.criteria import decide
from forge.errors import ContractError
from forge.stage import Decided, stage


@stage
def doubles(numbers: dy.LazyFrame[Numbers]) -> Decided[Doubles]:
    return FRAMES["doubles"](numbers)


FRAMES = {}


def decided(numbers, **columns):
    rows = numbers.with_columns(twice=pl.col("n") * 2, proof=pl.lit("x"), **columns)
    return decide(rows, {})


def test_row_that_breaks_a_rule_is_a_bug_and_commits_nothing(tmp_path):
    FRAMES["doubles"] = lambda numbers: decided(numbers).with_columns(twice=None)
    with pytest.raises(ContractError, match="Column 'twice' failed validation"):
        run_build(tmp_path, [numbers, doubles])
    assert not (tmp_path / "doubles").exists()


def test_two_rows_of_one_key_are_a_bug(tmp_path):
    FRAMES["doubles"] = lambda numbers: decided(pl.concat([numbers, numbers.head(1)]))
    with pytest.raises(ContractError, match="occur more than once"):
        run_build(tmp_path, [numbers, doubles])


class Letters(Numbers, Decision):
    letter = dy.String(metadata=KEY, description="one of several of a number")


@stage
def letters(numbers: dy.LazyFrame[Numbers]) -> Decided[Letters]:
    found = pl.LazyFrame({"letter": ["a", "b", "c"], "kind": ["data", "open", "data"]})
    rows = numbers.join(found, how="cross").with_columns(reason=pl.col("letter"))
    return rows.pipe(decide, {})


def test_of_the_rejected_rows_of_a_parent_the_one_that_is_asked_again_is_told(tmp_path):
    run_build(tmp_path, [numbers, letters], sample=2)
    assert rejected(tmp_path, "letters") == [(1, "open", ["b"]), (2, "open", ["b"])]


class Texts(Numbers):
    """A wide table, which is not sorted where it is in order."""

    proof = text("whatever")


@stage
def texts(numbers: dy.LazyFrame[Numbers]) -> dy.LazyFrame[Texts]:
    rows = numbers.select("n", proof=pl.lit("x")).sort("n", descending=True)
    return rows.pipe(Texts.cast)


def test_wide_table_is_in_the_order_of_its_key_whatever_order_its_stage_gives(tmp_path):
    run_build(tmp_path, [numbers, texts], sample=100)
    rows = forge.scan("texts", month="2026-03", root=tmp_path).collect()
    assert rows["n"].to_list() == list(range(1, 101))
    assert not [*tmp_path.glob(".drafts/2026-03/*")]


def test_row_that_disappears_is_a_bug(tmp_path):
    FRAMES["doubles"] = lambda numbers: decided(numbers.filter(pl.col("n") != 2))
    with pytest.raises(ContractError, match=r"doubles lost rows such as \[\(2,\)\]"):
        run_build(tmp_path, [numbers, doubles])


def test_row_out_of_nowhere_is_a_bug(tmp_path):
    FRAMES["doubles"] = lambda numbers: decided(numbers.with_columns(n=pl.col("n") + 1))
    with pytest.raises(ContractError, match=r"lost rows such as \[\(1,\)\]|invented rows"):
        run_build(tmp_path, [numbers, doubles])


def test_edited_file_no_longer_matches_its_manifest_and_is_made_again(tmp_path):
    run_build(tmp_path)
    part = tmp_path / "halves/month=2026-03/part.parquet"
    part.write_bytes(part.read_bytes() + b"x")
    assert made(run_build(tmp_path)) == ["halves"]


def test_part_whose_rejected_rows_are_gone_is_made_again(tmp_path):
    run_build(tmp_path, limits={"doubles": {"least": 3}})
    before = rejected(tmp_path)
    (tmp_path / "rejected/doubles/month=2026-03/part.parquet").unlink()
    assert made(run_build(tmp_path, limits={"doubles": {"least": 3}})) == ["doubles"]
    assert rejected(tmp_path) == before
