import fcntl
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from hostile import HOSTILE
from msgspec import json
from msgspec.structs import replace
from toys import NOW, Answer, log, run_build

from forge.effect import Failure
from forge.memo import PART_ROWS, Memo, Remembered


def remembered(number: int) -> Remembered:
    answer = {"twice": 2 * number, "proof": "p"}
    return Remembered(f"{number:032}", 1, NOW, None, None, None, 1, 0.5, answer)


class Later(Answer):
    thrice = dy.Int64(nullable=True, description="three times n")


def fill(folder: Path, count: int) -> Memo:
    memo = Memo(folder, Answer)
    with memo.journal() as journal:
        for number in range(count):
            journal.append(remembered(number))
    return memo


def test_reader_sees_what_stands_in_a_journal_that_is_still_written(tmp_path):
    memo = Memo(tmp_path, Answer)
    with memo.journal() as journal:
        journal.append(remembered(1))
        assert memo.rows().collect()["key"].to_list() == [f"{1:032}"]


def test_journal_becomes_parts_of_a_thousand_rows(tmp_path):
    memo = fill(tmp_path, PART_ROWS + 1)
    parts = [pl.scan_parquet(p).select(pl.len()).collect().item() for p in tmp_path.glob("part-*")]
    assert sorted(parts) == [1, PART_ROWS]
    assert memo.rows().collect().height == PART_ROWS + 1


def test_places_of_rows_are_distinct_over_parts_and_journals(tmp_path):
    memo = fill(tmp_path, 3)
    with memo.journal() as journal:
        journal.append(remembered(4))
        journal.append(remembered(5))
        assert memo.rows().collect()["at"].n_unique() == 5


def test_new_nullable_column_reads_old_parts(tmp_path):
    fill(tmp_path, 2)
    answers = Memo(tmp_path, Later).rows().select(pl.col("answer").struct.unnest()).collect()
    assert answers.rows() == [(0, "p", None), (2, "p", None)]


def test_journal_of_a_living_process_is_left_alone(tmp_path):
    memo = Memo(tmp_path, Answer)
    with memo.journal() as journal:
        journal.append(remembered(1))
        Memo(tmp_path, Answer).settle_orphans()
        assert list(tmp_path.glob("journal-*"))


def test_journal_is_held_before_others_can_see_it(tmp_path, monkeypatch):
    seen = []

    def watched(file, operation):
        seen.extend(tmp_path.glob("journal-*"))
        flock(file, operation)

    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", watched)
    fill(tmp_path, 1)
    assert seen == []


def test_orphan_that_another_process_settles_first_is_left_to_it(tmp_path, monkeypatch):
    (tmp_path / "journal-1-gone.jsonl").touch()
    memo, settle = Memo(tmp_path, Answer), Memo.settle

    def beaten(memo, journal):
        journal.unlink()
        settle(memo, journal)

    monkeypatch.setattr(Memo, "settle", beaten)
    memo.settle_orphans()
    assert list(tmp_path.glob("journal-*")) == []


def test_journal_whose_process_died_before_it_could_remove_it_is_no_second_part(tmp_path):
    memo = Memo(tmp_path, Answer)
    with memo.journal() as journal:
        journal.append(remembered(1))
        path, lines = journal.path, journal.path.read_bytes()
    path.write_bytes(lines)
    memo.settle_orphans()
    assert not path.exists()
    assert memo.rows().collect()["key"].to_list() == [f"{1:032}"]


def test_two_roots_share_what_one_memo_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_MEMO", str(tmp_path / "memo"))
    run_build(tmp_path / "one", sample=4)
    run_build(tmp_path / "two", sample=6)
    assert log(tmp_path / "one") == [1, 2, 3, 4]
    assert log(tmp_path / "two") == [5, 6]


@pytest.mark.parametrize(
    ("proof", "twice", "words"),
    [
        ("\ud800", 4, "UnicodeEncodeError: 'utf-8' codec can't encode character"),
        ("p", 2**63, "unexpected value while building Series of type Int64"),
        ("p", 10**30, "unexpected value while building Series of type Int64"),
    ],
    ids=["lone surrogate", "64 bits", "100 bits"],
)
def test_answer_that_no_table_can_hold_is_a_failure_and_harms_no_other(
    tmp_path, proof, twice, words
):
    memo = Memo(tmp_path, Answer)
    with memo.journal() as journal:
        journal.append(remembered(1))
        journal.append(replace(remembered(2), answer={"twice": twice, "proof": proof}))
        journal.append(remembered(3))
    rows = memo.rows().sort("key").collect()
    assert rows["kind"].to_list() == [None, "infra", None]
    assert rows["reason"].to_list() == [None, "unexpected_error", None]
    assert words in rows["detail"][1]
    assert rows["answer"].struct.field("twice").to_list() == [2, None, 6]


def test_words_of_a_failure_fit_into_a_table_whatever_they_quote():
    assert Failure("data", "odd", "\ud800" + "x" * 9_000).detail == "\\ud800" + "x" * 3_999


def test_journal_that_an_older_forge_could_not_settle_is_settled(tmp_path):
    line = json.encode(replace(remembered(1), answer={"twice": 10**30, "proof": "p"}))
    (tmp_path / "journal-1-gone.jsonl").write_bytes(line + b"\n")
    Memo(tmp_path, Answer).settle_orphans()
    assert Memo(tmp_path, Answer).rows().collect()["kind"].to_list() == ["infra"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_comes_back_from_journal_and_part_as_it_was(tmp_path, text):
    memo = Memo(tmp_path, Answer)
    with memo.journal() as journal:
        journal.append(replace(remembered(1), answer={"twice": 2, "proof": text}))
        held = memo.rows().collect()
    for rows in (held, memo.rows().collect()):
        assert rows["answer"].struct.field("proof").to_list() == [text]
