"""A clock that jumps back, between builds and during one: times order nothing that matters."""

import asyncio
import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from histories import START, Repository
from toys import (
    NOW,
    Answer,
    clear_mood,
    doubles,
    log,
    made,
    numbers,
    rejected,
    run_build,
    set_mood,
)

from forge.artifacts import Artifacts
from forge.memo import Memo, Remembered
from forge.services.git import Git

DAY = timedelta(days=1)
AHEAD = 86_400


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("One (#1)", {"a.py": "one\n"})
    return made


def subjects(git: Git) -> list[str]:
    """Subjects of the commits that a walk over the repository finds."""
    walked = asyncio.run(git.walk("ann/fix", START, START + DAY))
    return [commit.subject for commit, _ in walked.commits]


def test_answers_of_a_clock_that_was_ahead_stand(tmp_path):
    run_build(tmp_path, now=NOW + DAY)
    log(tmp_path)
    assert made(run_build(tmp_path, now=NOW)) == []
    assert made(run_build(tmp_path, now=NOW, force={"doubles"})) == ["doubles"]
    assert log(tmp_path) == []


def test_answer_of_an_earlier_clock_stands_where_the_newest_has_lost_its_artifact(tmp_path):
    run_build(tmp_path, now=NOW + DAY)
    memo = Memo(tmp_path / "memo/double", Answer)
    four = pl.col("answer").struct.field("twice") == 8
    ((key, answer),) = memo.rows().filter(four).select("key", "answer").collect().rows()
    artifacts = Artifacts(tmp_path / "memo/artifacts")
    artifacts.path(answer["proof"]).unlink()
    with memo.journal() as journal:
        held = {"twice": 8, "proof": artifacts.put(b"another")}
        journal.append(Remembered(key, 1, NOW, None, None, None, 1, 0.5, held))
    log(tmp_path)
    run_build(tmp_path, now=NOW, force={"doubles"})
    assert (log(tmp_path), rejected(tmp_path)) == ([], [])


def test_failure_asked_again_by_an_earlier_clock_stands(tmp_path):
    set_mood(tmp_path, 3, "data")
    run_build(tmp_path, now=NOW + DAY)
    set_mood(tmp_path, 3, "policy")
    run_build(tmp_path, now=NOW, retry=frozenset({"data"}))
    _, outcome = run_build(tmp_path, [numbers, doubles], now=NOW, force={"doubles"})
    assert outcome.record.failures == {"policy": 1}


def test_question_left_open_by_a_clock_that_was_ahead_is_asked_again(tmp_path):
    set_mood(tmp_path, 3, "infra")
    run_build(tmp_path, now=NOW + DAY)
    clear_mood(tmp_path, 3)
    log(tmp_path)
    run_build(tmp_path, now=NOW)
    assert (log(tmp_path), rejected(tmp_path)) == ([3], [])


def test_mirror_of_a_clock_that_was_ahead_is_fetched_again(tmp_path, repository):
    subjects(Git(repository.template, tmp_path / "mirrors"))
    mark, ahead = tmp_path / "mirrors/ann__fix/fetched", time.time() + AHEAD
    os.utime(mark, (ahead, ahead))
    repository.commit("Two (#2)", {"a.py": "two\n"})
    found = subjects(Git(repository.template, tmp_path / "mirrors"))
    assert found == ["One (#1)", "Two (#2)"]


def test_mirror_is_fetched_once_by_a_build_under_which_the_clock_goes_back(tmp_path, repository):
    git = Git(repository.template, tmp_path / "mirrors", started=time.time() + AHEAD)
    assert subjects(git) == ["One (#1)"]
    repository.folder.rename(tmp_path / "away")
    assert subjects(git) == ["One (#1)"]


def test_table_written_by_an_earlier_clock_is_told_from_the_one_before(tmp_path):
    run_build(tmp_path, [numbers])
    part = tmp_path / "numbers/month=2026-03/part.parquet"
    earlier = datetime(2001, 1, 1).timestamp()
    os.utime(part, (earlier, earlier))
    assert made(run_build(tmp_path, [numbers])) == ["numbers"]
