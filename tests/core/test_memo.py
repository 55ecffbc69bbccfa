import fcntl
from pathlib import Path

import dataframely as dy
import polars as pl
from toys import NOW, Answer, log, run_build

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


def test_two_roots_share_what_one_memo_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_MEMO", str(tmp_path / "memo"))
    run_build(tmp_path / "one", sample=4)
    run_build(tmp_path / "two", sample=6)
    assert log(tmp_path / "one") == [1, 2, 3, 4]
    assert log(tmp_path / "two") == [5, 6]
