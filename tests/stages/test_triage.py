"""Triage by a model over loopback, and by the heuristic where there is none."""

import hashlib
import json
import os
import subprocess
import time
from typing import Any

import pytest
from llm_replies import bad, failed, refused
from llm_server import Asked, serve_llm
from triaging import judged_by, kept, program, rejected, run_triage

from forge.errors import ServiceError
from forge.queries import answered
from forge.services.llm_prompts import Prompt
from forge.settings import Settings
from forge.stages.triage import BODY, QUESTION, Judged, Triaged, judge_triage, triage

HARD = {"why": "two parsers", "level": "hard", "confidence": 0.75}


def by_title(asked: Asked) -> Any:
    """The level that the title names; else whatever is wrong."""
    said = asked.said("user")
    wanted = next((level for level in ("easy", "medium", "hard") if level in said), None)
    return refused() if wanted is None else HARD | {"level": wanted}


def test_judge_says_how_hard_each_candidate_looks_and_who_it_is(tmp_path):
    with serve_llm(by_title) as llm:
        words = [{"title": f"An {level} one"} for level in ("easy", "medium", "hard")]
        run_triage(judged_by(llm.url, tmp_path), *words)
    assert kept(tmp_path, "triage", "triage_judged_by", "triage_confidence", "triage_why") == [
        (level, "toy-1-0301", 0.75, "two parsers") for level in ("easy", "medium", "hard")
    ]


def test_prompt_is_short_and_holds_a_thousand_characters_of_the_body(tmp_path):
    with serve_llm(by_title) as llm:
        run_triage(judged_by(llm.url, tmp_path), {"title": "hard", "body": "x" * 5_000})
    (asked,) = llm.asked
    assert asked.said("user").count("x") == BODY
    assert len(asked.said("system")) + len("<title 12345678></title 12345678>" * 2) <= 4 * 100


def test_without_a_model_the_heuristic_answers_and_says_so(tmp_path):
    run_triage(Settings(root=tmp_path), {}, {"title": None, "body": None})
    assert (
        kept(tmp_path, "triage", "triage_judged_by", "triage_failure")
        == [("easy", "heuristic", None)] * 2
    )


def test_heuristic_counts_code_and_no_documents_or_lock_files(tmp_path):
    noise = [("docs/a.md", 300, 0), ("uv.lock", 900, 100), ("tool_pb2.py", 500, 0)]
    run_triage(Settings(root=tmp_path), {}, files=[("tool.py", 3, 2), *noise])
    assert kept(tmp_path, "triage", "heuristic_minutes") == [("easy", 5 + 3 * 1.5 + 2 * 0.5)]


def test_nothing_is_asked_about_what_has_no_words(tmp_path):
    with serve_llm(by_title) as llm:
        run_triage(judged_by(llm.url, tmp_path), {"title": None, "body": None}, {"title": "hard"})
    assert len(llm.asked) == 1
    assert kept(tmp_path, "triage", "triage_judged_by") == [
        ("easy", "heuristic"),
        ("hard", "toy-1-0301"),
    ]


def test_failing_model_leaves_the_level_unknown_and_stops_no_candidate(tmp_path):
    with serve_llm(by_title) as llm:
        run_triage(judged_by(llm.url, tmp_path), {"title": "hard"}, {"title": "Do evil"})
        run_triage(judged_by(llm.url, tmp_path), {"title": "hard"}, {"title": "Do evil"})
    assert kept(tmp_path, "triage", "triage_judged_by", "triage_failure") == [
        ("hard", "toy-1-0301", None),
        (None, None, "model: refused"),
    ]
    assert len(llm.asked) == 2, "a failure of the model is remembered"


def test_only_wanted_levels_go_on_and_an_unknown_one_says_why_it_does_not(tmp_path):
    words = [{"title": title} for title in ("easy", "hard", "Do evil")]
    with serve_llm(by_title) as llm:
        run_triage(judged_by(llm.url, tmp_path), *words, difficulty=("hard",))
    assert kept(tmp_path, "number", "triage") == [(2, "hard")]
    assert rejected(tmp_path) == [
        (1, "rejected", ["has_wanted_difficulty"], None),
        (3, "rejected", ["has_wanted_difficulty:unknown"], "I cannot help with that."),
    ]


def test_other_wishes_ask_nothing_again_and_other_models_do(tmp_path):
    with serve_llm(by_title) as llm:
        for wish in ((), ("hard",), ("easy", "medium")):
            run_triage(judged_by(llm.url, tmp_path), {"title": "hard"}, difficulty=wish)
        assert len(llm.asked) == 1
        run_triage(judged_by(llm.url, tmp_path, llm_model="toy-2"), {"title": "hard"})
        assert [asked.body["model"] for asked in llm.asked] == ["toy-1", "toy-2"]


def test_model_that_is_down_leaves_rows_open_and_what_it_answered_stands(tmp_path):
    settings = {"llm_concurrency": 1}
    with serve_llm(by_title) as llm:
        run_triage(judged_by(llm.url, tmp_path, **settings), {"title": "hard"})
        llm.answer = lambda asked: (
            by_title(asked) if "hard" in asked.said("user") else (bad(402, "Insufficient credits"))
        )
        words = [{"title": "hard"}, {"title": "easy"}]
        with pytest.raises(ServiceError, match="Insufficient credits"):
            run_triage(judged_by(llm.url, tmp_path, **settings), *words)
        assert kept(tmp_path) == [("hard",)]
        assert [row[1] for row in rejected(tmp_path)] == ["open"]
        llm.answer = by_title
        run_triage(judged_by(llm.url, tmp_path, **settings), *words)
    assert kept(tmp_path) == [("hard",), ("easy",)]


def test_ledger_says_what_triage_cost(tmp_path):
    with serve_llm(by_title, facts={"cost": 0.0001}) as llm:
        run_triage(judged_by(llm.url, tmp_path), {"title": "hard"}, {"title": "easy"})
    query = (
        "select effect, model, count(*), sum(dollars), sum(input_tokens) from ledger group by all"
    )
    with answered(query, Settings(root=tmp_path), [triage]) as answer:
        assert list(answer.rows()) == [("judge_triage", "toy-1-0301", 2, 0.0002, 200)]


def test_killed_build_asks_no_answered_question_again(tmp_path):
    count = 60
    with serve_llm(lambda _: HARD, latency=0.1) as llm:
        settings = judged_by(llm.url, tmp_path)
        command, environment = program(tmp_path, llm.url, count)
        given = os.environ | environment | {"FORGE_LLM_CONCURRENCY": "4"}
        process = subprocess.Popen(command, env=given)
        while len(journaled(tmp_path)) < 20:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.wait()
        known = journaled(tmp_path)
        before = len(llm.asked)
        run_triage(settings, *[{}] * count)
        again = {asked.said("user") for asked in llm.asked[before:]}
        assert before < count
        assert len(known) + len(again) == count
        assert len(llm.asked) - count <= 4, "what was on its way when it was killed"
    assert kept(tmp_path, "triage") == [("hard",)] * count


def journaled(root: Any) -> list[str]:
    files = (root / "memo/judge_triage").glob("journal-*.jsonl")
    return [line for file in files for line in file.read_text().splitlines(keepends=True)]


def test_prompt_and_schema_are_those_of_the_effects_version():
    sent = Prompt(QUESTION, {"title": "Fix it", "body": "It breaks."}).messages()
    told = json.dumps([sent, BODY, Triaged.model_json_schema()], sort_keys=True)
    pinned = {1: "5cdde17e851d1732"}
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == pinned[judge_triage.version], (
        "raise version and since of judge_triage: another prompt is another question"
    )


def test_answers_columns_are_the_fields_of_the_judges_schema_and_its_name():
    assert sorted([*Triaged.model_fields, "judged_by"]) == sorted(Judged.column_names())


def test_service_that_fails_for_one_question_asks_it_again_in_a_later_build(tmp_path):
    with serve_llm(by_title) as llm:
        words = [{"title": title} for title in ("hard", "easy")]
        llm.answer = lambda asked: failed(500) if "easy" in asked.said("user") else HARD
        run_triage(judged_by(llm.url, tmp_path, llm_concurrency=1), *words)
        assert [row[1:3] for row in rejected(tmp_path)] == [("open", ["service_down"])]
