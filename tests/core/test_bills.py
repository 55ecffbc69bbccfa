"""What questions cost is kept beside their answers, and those of older builds are still read."""

from pathlib import Path
from typing import Self

import dataframely as dy
import polars as pl
import pytest
from msgspec import json
from toys import NOW, Numbers, numbers

from forge.artifacts import Artifacts
from forge.build import Options, build
from forge.criteria import decide
from forge.effect import Bill, Failure, Paid, PaidError, effect
from forge.memo import BILL, Memo, Remembered
from forge.queries import answered
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Decided, stage

COST = Bill("toy-1-0301", "tools", 100, 64, 20, 0.002, 1)


class Answer(dy.Schema):
    level = dy.String(description="how hard it is")


class Levels(Numbers, Answer):
    """One row per number that was answered."""


class Paying:
    """Answers one, refuses two, is out of order for three and down for four; all of it costs."""

    identity = "paying"

    @classmethod
    def open(cls, _settings: Settings, _artifacts: Artifacts) -> Self:
        return cls()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def level(self, number: int) -> Paid:
        if number == 4:
            raise PaidError("out of order\nwait", COST)
        kinds = {2: "model", 3: "infra"}
        kind = kinds.get(number)
        return Paid(Failure(kind, "odd") if kind else {"level": "easy"}, COST)


@effect(answers=Answer)
async def judge_level(paying: Paying, *, n: int) -> Paid:
    return await paying.level(n)


@stage
def levels(numbers: dy.LazyFrame[Numbers], *, run: object) -> Decided[Levels]:
    return run.ask(numbers, judge_level).pipe(decide, {})


def run_build(root: Path) -> None:
    selection, settings = Selection("2026-03", sample=4), Settings(root=root)
    chosen = [numbers, levels]
    list(build(chosen, selection, settings, Options(), now=NOW, progress=lambda *_: None))


def ledger(root: Path, what: str) -> list[tuple[object, ...]]:
    query = f"select {what} from ledger order by key"
    with answered(query, Settings(root=root), [numbers, levels]) as answer:
        return list(answer.rows())


def test_answers_and_failures_alike_are_in_the_ledger_with_what_they_cost(tmp_path):
    run_build(tmp_path)
    told = ledger(tmp_path, "effect, kind, reason, model, mode, dollars, attempts")
    assert set(told) == {
        ("judge_level", None, None, "toy-1-0301", "tools", 0.002, 1),
        ("judge_level", "infra", "odd", "toy-1-0301", "tools", 0.002, 1),
        ("judge_level", "infra", "service_down", "toy-1-0301", "tools", 0.002, 1),
        ("judge_level", "model", "odd", "toy-1-0301", "tools", 0.002, 1),
    }
    assert ledger(tmp_path, "input_tokens, cached_tokens, output_tokens") == [(100, 64, 20)] * 4


def test_ledger_is_empty_with_its_columns_before_anything_was_asked(tmp_path):
    assert ledger(tmp_path, "effect, dollars") == []


def without_bill(row: Remembered) -> bytes:
    """The line of a journal as it was before there were bills."""
    return json.encode({k: v for k, v in json.decode(json.encode(row)).items() if k != "bill"})


ROW = Remembered("0" * 32, 1, NOW, None, None, None, 1, 0.5, {"level": "easy"})


@pytest.mark.parametrize("is_settled", [True, False])
def test_memo_of_before_bills_is_read_and_listed(tmp_path, is_settled):
    folder = tmp_path / "memo/judge_level"
    folder.mkdir(parents=True)
    if is_settled:
        row = {name: getattr(ROW, name) for name in ROW.__struct_fields__ if name != "bill"}
        schema = {k: v for k, v in Memo(folder, Answer).schema.items() if k != "bill"}
        pl.DataFrame([row], schema=schema).write_parquet(folder / "part-old.parquet")
    else:
        (folder / "journal-1-old.jsonl").write_bytes(without_bill(ROW) + b"\n")
    memo = Memo(folder, Answer)
    memo.settle_orphans()
    (bill,), (answer,) = memo.rows().select("bill", "answer").collect().to_dict().values()
    assert answer == {"level": "easy"}
    assert bill in (None, dict.fromkeys(BILL.to_schema()))
    assert ledger(tmp_path, "effect, model, dollars") == [("judge_level", None, None)]
    run_build(tmp_path)
    assert len(ledger(tmp_path, "*")) == 5


def test_damaged_memo_leaves_the_tables_readable(tmp_path):
    run_build(tmp_path)
    (tmp_path / "memo/judge_level/part-cut.parquet").write_bytes(b"PAR1 and no more")
    with answered("select n from levels", Settings(root=tmp_path), [numbers, levels]) as answer:
        assert list(answer.rows()) == [(1,)]


def test_answers_whose_column_changed_its_type_are_listed_together(tmp_path):
    folder = tmp_path / "memo/judge_level"
    folder.mkdir(parents=True)
    for number, level in enumerate(["easy", 1, [2]]):
        row = {"key": str(number), "asked_at": NOW, "kind": None, "reason": None}
        rows = pl.DataFrame([row | {"seconds": 0.5, "answer": {"level": level}}])
        rows.write_parquet(folder / f"part-{number}.parquet")
    assert ledger(tmp_path, "key, dollars") == [("0", None), ("1", None), ("2", None)]
