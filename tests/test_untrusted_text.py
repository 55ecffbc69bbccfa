"""What strangers write into events and histories: it arrives as it was, and harms nothing."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from archives import full, packed, serve, trimmed
from git_builds import kept, named, run_build
from histories import Repository
from hostile import HOSTILE, TEXTS, commanding

from forge.cli import exit_code
from forge.demo.world import licence_text
from forge.reader import scan
from forge.stages.patches import patches
from forge.stages.pull_requests import pull_requests
from forge.stages.statements import statements

HOUR = "2026-03-01-0"
SAID = [
    "every control",
    "link",
    "turned",
    "invisible",
    "tags",
    "line ends",
    "stacked",
    "SQL",
    "YAML",
]
MERGES = ["build", "--month", "2026-03", "--hours", "0", "--to", "merges"]


@pytest.fixture
def forge_says(tmp_path, monkeypatch, capfd):
    """A command line over a root, and what it prints to its two streams."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["forge", *arguments, "--root", str(tmp_path / "root")])
        code = exit_code() or 0
        out, err = capfd.readouterr()
        assert (code, commanding(out + err)) == (0, set())
        return out + err

    return run


def event(number: int, text: str) -> dict[str, object]:
    made = full(number=number, title=text, author=text, actor=text, head_ref=text)
    pull = made["payload"]["pull_request"]
    pull |= {"body": text, "labels": [{"name": text}]}
    pull["base"]["ref"] = text
    made["id"] = text
    return made


def lone(line: dict[str, object]) -> bytes:
    return json.dumps(line).encode().replace(b"PLACE", b"\\ud800")


def test_events_of_hostile_texts_arrive_as_they_were(tmp_path, monkeypatch, forge_says):
    hour = packed(*[event(n, text) for n, text in enumerate(HOSTILE, 1)])
    with serve({HOUR: hour}) as archive:
        monkeypatch.setenv("FORGE_ARCHIVE_URL", archive.url)
        forge_says(*MERGES)
    rows = scan("merges", month="2026-03", root=tmp_path / "root").sort("number").collect()
    for column in ("title", "body", "author", "merger"):
        assert rows[column].to_list() == HOSTILE
    refs = rows.filter(pl.col("base_ref").is_not_null())
    assert (refs["base_ref"] == refs["head_ref"]).all()
    assert TEXTS["Rich"] not in refs["base_ref"]
    assert TEXTS["wide"] in refs["base_ref"]
    told = forge_says("sql", "--format", "json", "select labels from events order by number")
    assert [row["labels"] for row in json.loads(told)] == [[text] for text in HOSTILE]


def test_line_that_no_table_can_hold_is_bad_and_harms_no_other(tmp_path, monkeypatch, forge_says):
    broken = [
        lone(full(number=2, title="PLACE")),
        lone(full(number=3, title="PLACE")).replace(b"\\ud800", b"\xff\xfe"),
        lone(full(number=4, title="PLACE")).replace(b"\\ud800", b"\x1b[31m\x00"),
        lone(full(number=5)).replace(b'"13170617687"', b"9" * 5_000),
    ]
    with serve({HOUR: packed(trimmed(number=1), *broken, trimmed(number=6))}) as archive:
        monkeypatch.setenv("FORGE_ARCHIVE_URL", archive.url)
        forge_says(*MERGES)
    month = {"month": "2026-03", "root": tmp_path / "root"}
    assert scan("merges", **month).sort("number").collect()["number"].to_list() == [1, 6]
    assert scan("hours", **month).select(pl.col("bad_lines").sum()).collect().item() == 4


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit(
        "Begin", {"a.py": "one = 1\n", "LICENSE": licence_text("MIT"), "tests/test_a.py": ""}
    )
    return made


def squashed(made: Repository, number: int, text: str) -> str:
    """A pull request whose every word is this text."""
    message = made.folder.parent / "message"
    message.write_text(f"Fix {number} (#{number})\n\nthis says {text} to the end", newline="")
    tests = {"tests/test_a.py": f"def test_{number}():\n    assert {text!r}\n"}
    made.write({"a.py": f"two = {text!r}\n", **tests})
    made.git("add", "--all")
    commit = ("commit", "--quiet", "--cleanup=verbatim", "--file", str(message))
    return made.commit_index(*commit, name=text.replace("\n", " "))


def test_histories_of_hostile_texts_arrive_as_they_were(tmp_path, repository, forge_says):
    said = [TEXTS[name].replace("\0", "") for name in SAID]
    for number, text in enumerate(said, 1):
        squashed(repository, number, text)
    pool = [f"ann/fix#{number}" for number in range(1, len(said) + 1)]
    run_build(tmp_path / "root", repository, "statements", named=named(*pool))
    rows = sorted(kept(tmp_path / "root", pull_requests), key=lambda row: row["number"])
    assert [row["body"] for row in rows] == [f"this says {text} to the end" for text in said]
    assert len(kept(tmp_path / "root", statements)) == len(said)
    cut = sorted(kept(tmp_path / "root", patches), key=lambda row: row["number"])
    assert all(
        f"+two = {text!r}\n" in row["gold_patch"] for text, row in zip(said, cut, strict=True)
    )
    for words in (["why", "ann/fix#1"], ["why", "ann/fix#8"], ["status"], ["sql", "from patches"]):
        forge_says(*words)


def test_names_of_files_and_branches_arrive_as_they_were(tmp_path, repository, forge_says):
    names = ["tests/test_\x1b[31m\u202e.py", "tests/test_'; drop.py", "tests/test_\t|`<b>.py"]
    repository.git("branch", "-m", "main", "odd\u2028\u202e\x9b31m'$(id)")
    repository.commit("Fix (#7)", {"a.py": "two = 2\n", **dict.fromkeys(names, "def test(): 0\n")})
    run_build(tmp_path / "root", repository, "patches", named=named("ann/fix#7"))
    [row] = kept(tmp_path / "root", patches)
    assert sorted(row["test_paths"]) == sorted(names)
    forge_says("why", "ann/fix#7")
    told = forge_says("sql", "--format", "json", "select default_branch from repositories")
    assert json.loads(told) == [{"default_branch": "odd\u2028\u202e\x9b31m'$(id)"}]


@pytest.mark.parametrize(
    "subject",
    [f"Big (#{'9' * 5_000})", f"Big (#{'9' * 22})", "None (#0)", "Merge pull request #0 from a/b"],
    ids=lambda subject: subject[:24],
)
def test_subject_with_a_number_that_is_none_harms_no_other(tmp_path, repository, subject):
    repository.commit(subject, {"a.py": "two = 2\n"})
    repository.commit("Fix (#7)", {"a.py": "three = 3\n"})
    source = {"source": "git", "git_source": f"file://{repository.folder}", "month": "2026-03"}
    run_build(tmp_path / "root", repository, "merges", **source)
    assert scan("merges", month="2026-03", root=tmp_path / "root").collect()[
        "number"
    ].to_list() == [7]


@pytest.mark.parametrize(
    "who",
    [
        "author A <a@b> 99999999999999999 +0000\ncommitter A <a@b> 99999999999999999 +0000",
        "author A <a@b> 1 +0000",
        "author A <a@b> -5 +0000\ncommitter A <a@b> -99999999999999 +0000",
        "author \x1b[31m\u202e <\n> x\ncommitter",
    ],
)
def test_commit_that_no_calendar_holds_harms_no_other(tmp_path, repository, who):
    tree, head = repository.sha("HEAD^{tree}"), repository.head
    text = f"tree {tree}\nparent {head}\n{who}\n\nodd\n".encode()
    odd = repository.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=text)
    repository.git("update-ref", "refs/heads/main", odd)
    repository.commit("Fix (#7)", {"a.py": "two = 2\n"})
    run_build(tmp_path / "root", repository, "pull_requests", named=named("ann/fix#7"))
    assert [row["title"] for row in kept(tmp_path / "root", pull_requests)] == ["Fix"]
