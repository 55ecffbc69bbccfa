"""`forge build` with a model: which flags and settings bring it in, and that its key stays ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import llm_server
import polars as pl
import pytest
from histories import Repository
from llm_replies import bad
from llm_server import LLM, serve_llm
from planted import OTHERS, leaks

HARD = {"why": "two parsers", "level": "hard", "confidence": 0.75}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"fix.py": "one\n", "tests/test_fix.py": "one\n", "LICENSE": "MIT"})
    made.commit("Count to two (#7)", {"fix.py": "two\n", "tests/test_fix.py": "two\n"})
    return made


def build(
    home: Path, repository: Repository, llm: LLM | None, *words: str, **given: str
) -> subprocess.CompletedProcess[str]:
    (home / "mine.txt").write_text("ann/fix#7\n")
    judge = {"FORGE_LLM_BASE_URL": llm.url, "FORGE_LLM_MODEL": "toy-1"} if llm else {}
    told = {"FORGE_GIT_URL": str(repository.template), "FORGE_LLM_API_KEY": OTHERS["model"]}
    limits = ["--limit", "candidates.needs_licence=false", "--limit", "repositories.stars=0"]
    return subprocess.run(
        [sys.executable, "-m", "forge", "build", "--pool", "mine.txt", *limits, *words],
        cwd=home,
        env=os.environ
        | (told if llm else {"FORGE_GIT_URL": told["FORGE_GIT_URL"]})
        | judge
        | given,
        capture_output=True,
        text=True,
        check=False,
    )


def triaged(home: Path) -> list[tuple[str, str]]:
    rows = pl.read_parquet(home / "data/triage/month=pool-mine/part.parquet")
    return rows.select("triage", "triage_judged_by").rows()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_server, "KEY", OTHERS["model"])


@pytest.mark.usefixtures("key")
def test_a_build_with_a_model_asks_it_and_wanted_levels_go_on(tmp_path, repository):
    with serve_llm(lambda _: HARD) as llm:
        words = ("--difficulty", "hard", "--to", "patches")
        built = build(tmp_path, repository, llm, *words)
        again = build(tmp_path, repository, llm, *words, "--force", "triage")
    assert (built.returncode, again.returncode) == (0, 0), built.stderr
    assert triaged(tmp_path) == [("hard", "toy-1-0301")]
    assert len(llm.asked) == 1
    assert pl.read_parquet(tmp_path / "data/patches/month=pool-mine/part.parquet").height == 1


def test_a_build_without_a_model_asks_nobody(tmp_path, repository):
    built = build(tmp_path, repository, None, "--to", "triage")
    assert built.returncode == 0, built.stderr
    assert triaged(tmp_path) == [("easy", "heuristic")]


def test_status_tells_that_another_judge_would_triage_again(tmp_path, repository):
    build(tmp_path, repository, None, "--to", "triage")
    model = {"FORGE_LLM_BASE_URL": "http://127.0.0.1:9/v1", "FORGE_LLM_MODEL": "toy-1"}
    assert "flag judge changed" not in why_triage_moves(tmp_path, {})
    assert "flag judge changed" in why_triage_moves(tmp_path, model)


def why_triage_moves(home: Path, given: dict[str, str]) -> list[str]:
    told = subprocess.run(
        [sys.executable, "-m", "forge", "status", "--json"],
        cwd=home,
        env=os.environ | given,
        capture_output=True,
        check=True,
    )
    tables = json.loads(told.stdout)["months"]["pool-mine"]
    return next(one["why"] for one in tables if one["table"] == "triage")


def test_a_level_that_is_named_twice_is_wanted_once(tmp_path, repository):
    build(tmp_path, repository, None, "--to", "triage", "--difficulty", "easy")
    again = build(tmp_path, repository, None, "--to", "triage", *["--difficulty", "easy"] * 2)
    assert again.stdout.splitlines()[-1].endswith("fresh")


def test_a_level_that_is_none_is_refused(tmp_path, repository):
    refused = build(tmp_path, repository, None, "--difficulty", "absurd")
    assert (refused.returncode, "'absurd' is not one of" in refused.stderr) == (2, True)


def test_a_key_without_a_model_is_refused_before_anything_is_done(tmp_path, repository):
    refused = build(tmp_path, repository, None, FORGE_LLM_API_KEY=OTHERS["model"])
    assert refused.returncode == 2
    assert "FORGE_LLM_MODEL" in refused.stderr
    assert leaks(tmp_path) == {}


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("fault", "code"),
    [(None, 0), (bad(401, "Incorrect API key provided"), 3), (bad(402, "No credits"), 4)],
)
def test_the_models_key_is_in_no_table_no_error_and_no_file(tmp_path, repository, fault, code):
    with serve_llm(lambda _: fault or HARD) as llm:
        built = build(tmp_path, repository, llm, "--to", "triage")
        (tmp_path / "said").write_text(built.stdout + built.stderr)
    assert built.returncode == code, built.stderr
    assert {asked.headers["authorization"] for asked in llm.asked} == {f"Bearer {OTHERS['model']}"}
    assert leaks(tmp_path) == {}
