import os
import subprocess
import sys

import pytest

from forge.cli import _sources
from forge.cli._selection import read_selection
from forge.errors import InputError, UsageError

NOTHING = dict.fromkeys(
    ("month", "hours", "pool", "rows", "exclude", "repositories", "sample", "per_repository",
     "tasks", "address")
) | {"keep": (), "difficulty": ()}  # fmt: skip


def read(source, where=None, **flags):
    given = {"month": "2026-03", "source": source, "address": where} | flags
    return read_selection(NOTHING | given)


@pytest.mark.parametrize(
    ("source", "where", "words"),
    [
        ("git", None, "--source git goes with the address of a repository"),
        ("repositories", None, "--source repositories goes with a file of owner/name lines"),
        ("code-search", " ", "--source code-search goes with what to search for"),
        ("archive", "mine.txt", "'mine.txt' is of no use without --source"),
        ("search", "is:open language:go", "'is:open' is not for --source search"),
        ("search", "language:go -is:draft", "'-is:draft' is not for --source search"),
        ("search", "merged:2026-03-01", "'merged:2026-03-01' is not for --source search"),
        ("search", "Type:pr", "'Type:pr' is not for --source search"),
        ("search", "repo:a/b OR repo:c/d", "'OR' is not for --source search"),
        ("search", "stars:>50", "GitHub's search of pull requests has no 'stars:>50'"),
        ("code-search", "filename:a size:>5", "'size:>5' is not for --source code-search"),
    ],
)
def test_argument_that_does_not_go_with_its_source_is_refused_with_an_example(source, where, words):
    with pytest.raises(UsageError) as error:
        read(source, where)
    said, _, then = str(error.value).partition("\n")
    assert said.startswith(words)
    example = "such as: forge build --month 2026-03 --source" in then
    assert example or "--limit repositories.stars=50" in then


def test_examples_of_every_source_are_themselves_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("ann/tool\nAnn/Tool\nbob/kit # mine\n")
    taken = {source: read(source, words.split("--source ")[1].partition(" ")[2].strip("'"))
             for source, words in _sources.EXAMPLES.items()}  # fmt: skip
    assert taken["search"].query == "language:python"
    assert taken["code-search"].query == "filename:asv.conf.json"
    assert [name.lower() for name in taken["repositories"].walked] == ["ann/tool", "bob/kit"]
    assert {source: chosen.is_bounded for source, chosen in taken.items()} == {
        "git": True,
        "repositories": True,
        "search": False,
        "code-search": False,
    }


def test_qualifiers_are_the_users_own_words_and_may_quote():
    words = 'label:"type: bug"  author:thisis:me\nlanguage:"C++"'
    assert read("search", words).query == 'label:"type: bug" author:thisis:me language:"C++"'
    assert read("search").query == ""


def test_file_that_names_no_repository_is_refused(tmp_path):
    (tmp_path / "none.txt").write_text("# nobody\n")
    with pytest.raises(UsageError, match=r"none\.txt names no repository"):
        read("repositories", str(tmp_path / "none.txt"))
    (tmp_path / "none.txt").write_text("not a name\n")
    with pytest.raises(InputError, match="not a repository"):
        read("repositories", str(tmp_path / "none.txt"))


@pytest.mark.parametrize("source", ["search", "code-search"])
def test_lists_of_github_are_of_a_month_and_of_no_pool(tmp_path, source):
    (tmp_path / "pool.txt").write_text("a/b#1\n")
    with pytest.raises(UsageError, match="lists a month, and --pool and --rows name their own"):
        read(source, "filename:x", month=None, pool=tmp_path / "pool.txt")


@pytest.mark.parametrize("words", [["search"], ["code-search", "filename:x"]])
def test_lists_of_github_need_a_token(tmp_path, words):
    ended = subprocess.run(
        [sys.executable, "-m", "forge", "build", "--month", "2026-03", "--source", *words],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert f"--source {words[0]} needs a token of GitHub" in ended.stderr
