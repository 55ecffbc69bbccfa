import asyncio
import threading
import time

import pytest
from msgspec.structs import replace
from toys import NOW, Answer, double, log, run_build

from forge.artifacts import Artifacts
from forge.claims import COARSE_SECONDS, Others, claims
from forge.memo import Memo, Remembered
from forge.recall import Recall


def remembered(number: int) -> Remembered:
    answer = {"twice": 2 * number, "proof": "p"}
    return Remembered(f"{number:032}", 1, NOW, None, None, None, 1, 0.5, answer)


@pytest.fixture
def others(tmp_path):
    memo = Memo(tmp_path / "memo", Answer)
    recall = Recall(double, memo, Artifacts(tmp_path / "artifacts"), "oracle", frozenset({"data"}))
    others = Others(memo.folder, recall.is_answer)
    yield others
    others.close()


def then(act, name, monkeypatch):
    """Let others act as soon as a method has ended, once."""

    def followed(self):
        ended = method(self)
        if not done:
            done.append(True)
            act()
        return ended

    done, method = [], getattr(Others, name)
    monkeypatch.setattr(Others, name, followed)


def test_answer_is_known_whose_journal_becomes_a_part_when_it_was_just_listed(others, monkeypatch):
    memo = Memo(others.folder, Answer)
    with memo.journal() as journal:
        journal.append(remembered(1))
        then(journal.settle, "_list", monkeypatch)
        assert others.have_answered(f"{1:032}")


def test_journal_that_becomes_a_part_and_grows_past_where_it_was_read_is_followed(
    others, monkeypatch
):
    def grow():
        journal.append(remembered(2))
        journal.append(replace(remembered(3), answer={"twice": 6, "proof": "p" * 900}))

    monkeypatch.setattr("forge.memo.PART_ROWS", 2)
    with Memo(others.folder, Answer).journal() as journal:
        journal.append(remembered(1))
        assert others.have_answered(f"{1:032}")
        time.sleep(2 * COARSE_SECONDS)  # no longer listed, only followed
        then(grow, "_may_have_changed", monkeypatch)
        assert others.have_answered(f"{2:032}")
        assert others.have_answered(f"{3:032}")


def test_half_a_line_is_read_when_it_is_whole(others):
    with (others.folder / "journal-1-ab.jsonl").open("ab", buffering=0) as journal:
        journal.write(b'{"key":"ab","vers')
        assert not others.have_answered("ab")
        journal.write(b'ion":1,"kind":null}\n')
        assert others.have_answered("ab")


def test_failure_that_is_retried_counts_where_it_came_after_this_build_began(tmp_path):
    memo, failure = Memo(tmp_path, Answer), {"kind": "data", "reason": "odd", "answer": None}
    recall = Recall(double, memo, Artifacts(tmp_path / "a"), "oracle", frozenset({"data"}))
    with memo.journal() as journal:
        journal.append(replace(remembered(1), **failure))
        journal.append(replace(remembered(2), **failure))
        others = Others(tmp_path, recall.is_answer)
        assert not others.have_answered(f"{1:032}")
        journal.append(replace(remembered(1), **failure))
    assert others.have_answered(f"{1:032}")
    assert not others.have_answered(f"{2:032}")
    others.close()


def test_two_builds_of_one_process_do_not_ask_the_same(others):
    questions = [("ab" * 16, {"n": 1})]
    with (
        claims(iter(questions), others, lambda _: None) as one,
        claims(iter(questions), others, lambda _: None) as other,
        claims(iter(questions), others, lambda _: None) as third,
    ):
        assert asyncio.run(one.take()) == questions[0]
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(other.take(), 0.2))
        other.file.close()
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(third.take(), 0.2))


def test_build_says_that_it_waits_for_what_another_asks(tmp_path):
    told, has_waited = [], threading.Event()

    def progress(effect: str, done: int, total: int) -> None:
        told.append((effect, done, total))
        if "another build" in effect and done == 4:
            has_waited.set()

    memo = Memo(tmp_path / "memo/double", Answer)
    recall = Recall(double, memo, Artifacts(tmp_path / "memo/artifacts"), "oracle")
    question = (recall.question_key((3,)), {"n": 3})
    others = Others(memo.folder, recall.is_answer)
    build = threading.Thread(target=run_build, args=(tmp_path,), kwargs={"progress": progress})
    with claims(iter([question]), others, lambda _: None) as stopped:
        assert asyncio.run(stopped.take()) == question
        build.start()
        assert has_waited.wait(20)
        assert log(tmp_path) == [1, 2, 4, 5]
    build.join()
    others.close()
    assert told[-2:] == [("double, whose rest another build asks", 4, 5), ("double", 5, 5)]
    assert log(tmp_path) == [3]
