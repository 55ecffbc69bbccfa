"""Every command over a month whose titles, names and tests were written by strangers."""

import csv
import io
import json
import os
import sys
import threading
import tty
from pathlib import Path

import duckdb
import polars as pl
import pytest
import toy_month
from hostile import HOSTILE, TEXTS, commanding, misaligned

from forge.cli import exit_code

ALL = "select * from merges order by number"
COMMANDS = [
    ["status"],
    ["status", "--month", "2026-03"],
    ["funnel", "--month", "2026-03"],
    ["why", "lantern/tidy#3"],
    ["why", "lantern/tidy#105"],
    ["why", "lantern/tidy#105", "--json"],
    ["why", "\x1b[31m\u202e#1"],
    ["why", "lantern/tidy#\u0663"],
    ["tables"],
    ["tables", "\x9b31m"],
    ["limits"],
    ["limits", "--limit", "candidates.\x1b[31m=\u202e"],
    ["sql", ALL],
    ["sql", ALL, "--format", "json"],
    ["sql", ALL, "--format", "csv"],
    ["sql", ALL, "--format", "markdown"],
    ["sql", "select number, title from merges order by number"],
    ["sql", 'select 1 as "\x1b[31m", 2 as "\u202e", 3 as "\x85"'],
    ["sql", "select '\x1b[31m\u202e' from nowhere"],
    ["sql", "select unnest(tests).id from attempts"],
    ["grade", "--month", "2026-03", "\x1b[31m\u202e", "--gold"],
    ["grade", "--tasks", "\x1b[31m.jsonl", "x-1", "--gold"],
    ["export", "\x1b[31m", "--month", "2026-03", "-o", "x"],
    ["export", "swebench", "--month", "2026-03", "-o", "\x1b[31m\u202e.txt"],
    ["clean", "--dry-run"],
    ["clean", "--older-than", "\x1b[31m"],
    ["build", "--month", "\x1b[31m"],
    ["build", "--pool", "\x1b[31m\u202e"],
    ["build", "--pool", "hostile.txt"],
    ["build", "--month", "2026-03", "--exclude", "hostile.txt"],
    ["build", "--month", "2026-03", "--source", "git", "\x1b[31m\u202e"],
    ["build", "--rows", "hostile.jsonl"],
    ["build", "--month", "2026-03", "--dry-run"],
    ["build", "--month", "2026-03", "--to", "\x1b[31m"],
    ["\x1b[31m\u202e"],
    ["limits", "\x1b[31m", "\u202e"],
    ["funnel", "--month"],
    ["--\x1b[31m"],
]


@pytest.fixture
def hostile(home, monkeypatch) -> Path:
    """A folder with a month, a pool, a file of rows and pools of hostile texts."""
    titled = [(1, 100 + n, "lantern/tidy", toy_month.DAY, t) for n, t in enumerate(HOSTILE)]
    changed = {100 + n: (1, 20, 50) for n in range(len(HOSTILE))}
    monkeypatch.setattr(toy_month, "MERGES", [*toy_month.MERGES, *titled])
    monkeypatch.setattr(toy_month, "CHANGES", toy_month.CHANGES | changed)
    monkeypatch.setattr(toy_month, "IDS", HOSTILE[:8])
    toy_month.build_month(home)
    (home / "hostile.txt").write_text("owner/name#1\x1b[31m\u202e\n")
    row = {"instance_id": "\x1b[31m" + "x" * 10_000_000, "repo": "\u202e"}
    (home / "hostile.jsonl").write_text(json.dumps(row) + "\n")
    for name in ("pool-漢字漢字漢字漢字", "\x1b[31m\u202e", "pool-it's [a] %41 ; drop table"):
        (home / f"data/merges/month={name}").mkdir()
    return home


@pytest.fixture
def terminal_shows(home, monkeypatch):
    """What a terminal gets of a command's two streams, sign by sign."""

    def run(*arguments: str) -> str:
        monkeypatch.chdir(home)
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        shown: list[bytes] = []
        reader = threading.Thread(target=_read_all, args=(ours, shown))
        reader.start()
        with os.fdopen(theirs, "w", encoding="utf-8") as stream, monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stream)
            patched.setattr(sys, "stderr", stream)
            patched.setattr(sys, "argv", ["forge", *arguments])
            exit_code()
        reader.join()
        os.close(ours)
        return b"".join(shown).decode()

    return run


def _read_all(terminal: int, shown: list[bytes]) -> None:
    try:
        while piece := os.read(terminal, 65536):
            shown.append(piece)
    except OSError:  # the other end is closed
        return


@pytest.mark.usefixtures("hostile")
def test_no_command_hands_a_terminal_what_commands_it(terminal_shows):
    shown = {" ".join(words): terminal_shows(*words) for words in COMMANDS}
    assert {name: commanding(text) for name, text in shown.items() if commanding(text)} == {}
    assert [name for name, text in shown.items() if not text] == []
    assert [name for name, text in shown.items() if "Traceback" in text or "a bug" in text] == []


@pytest.mark.parametrize("words", [["try", "\x1b]0;x\x07/y#1"], ["try", "lantern/tidy#105"]])
@pytest.mark.usefixtures("hostile")
def test_command_with_a_bar_hands_a_terminal_nothing_else_that_commands_it(forge_says, words):
    ended = forge_says(*words)
    assert commanding(ended.out + ended.err) == set()


@pytest.mark.usefixtures("hostile")
def test_no_command_shows_more_than_a_terminal_is_read(terminal_shows):
    commands = [words for words in COMMANDS if not {"json", "csv", "markdown", "--json"} & {*words}]
    lengths = {" ".join(words): len(terminal_shows(*words)) for words in commands}
    assert {name: length for name, length in lengths.items() if length > 40_000} == {}


@pytest.mark.parametrize("width", [60, 200])
@pytest.mark.usefixtures("hostile")
def test_columns_stay_columns(terminal_shows, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for query in (ALL, "select number, title, number from merges"):
        lines = terminal_shows("sql", query).splitlines()
        if not lines[0].startswith("--"):
            assert misaligned(lines, width) == []
    [status] = [line for line in terminal_shows("status").splitlines() if "漢字" in line]
    assert misaligned(["x" * 22 + "  x", "-" * 22 + " -", status], 500) == []


@pytest.mark.usefixtures("hostile")
def test_every_format_gives_back_what_the_data_holds(home, forge_says):
    expected = [row[4] for row in toy_month.MERGES]
    query = f"select title from ({ALL})"
    told = forge_says("sql", query, "--format", "csv").out
    rows = [*csv.reader(io.StringIO(told, newline=""))][1:]
    assert [row[0] if row else "" for row in rows] == [text or "" for text in expected]
    told = forge_says("sql", query, "--format", "json").out
    assert [row["title"] for row in json.loads(told)] == expected
    for suffix in ("csv", "json", "parquet"):
        assert forge_says("sql", query, "-o", f"rows.{suffix}") == (0, "", "")
    assert pl.read_parquet(home / "rows.parquet")["title"].to_list() == expected
    assert (home / "rows.csv").read_bytes().startswith(b"title\n")
    told = duckdb.sql("from read_csv('rows.csv', all_varchar = true, header = true)").fetchall()
    assert [text or "" for (text,) in told] == [text or "" for text in expected]


@pytest.mark.usefixtures("hostile")
def test_json_is_one_document_whatever_it_quotes(forge_says):
    for words in (
        ["why", "lantern/tidy#105", "--json"],
        ["status", "--json"],
        ["funnel", "--month", "2026-03", "--json"],
        ["sql", ALL, "--format", "json"],
    ):
        told = forge_says(*words).out
        assert json.loads(told)
        assert not commanding(told)
    story = json.loads(forge_says("why", "lantern/tidy#105", "--json").out)
    [attempts] = [c for c in story[0]["chapters"] if c["table"] == "attempts"]
    assert [test["id"] for test in attempts["rows"][0]["tests"]] == HOSTILE[:8]


@pytest.mark.usefixtures("hostile")
def test_markdown_has_a_row_a_line_and_no_markup(forge_says):
    lines = forge_says("sql", ALL, "--format", "markdown").out.splitlines()
    assert len(lines) == 2 + len(toy_month.MERGES)
    plain = [line.replace("\\\\", "").replace("\\|", "") for line in lines]
    assert {line.count("|") for line in plain} == {lines[0].count("|")}
    assert not any(sign in line.replace(f"\\{sign}", "") for line in plain for sign in "<`[*")


def test_statement_made_of_a_title_is_a_text_like_any_other(hostile, forge_says):
    before = sorted(hostile.rglob("*"))
    for text in (TEXTS["SQL"], TEXTS["formula"]):
        told = forge_says("sql", f"select number from merges where title = $q${text}$q$")
        assert told.out.splitlines()[2].strip() == str(100 + HOSTILE.index(text))
    assert sorted(hostile.rglob("*")) == before
