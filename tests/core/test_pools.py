import json
from datetime import datetime

import pytest

from forge.errors import InputError
from forge.pools import (
    read_exclusions,
    read_hand_recipes,
    read_pool,
    read_repositories,
    read_rows,
)


def written(folder, text, name="list.txt"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "line",
    [
        "pallets/flask#42",
        "pallets/flask:pr-42",
        "https://github.com/pallets/flask/pull/42",
        "https://github.example.org/pallets/flask/pull/42/",
        "  pallets/flask#42   # why",
    ],
)
def test_pull_request_may_be_named_in_several_ways(tmp_path, line):
    (named,) = read_pool(written(tmp_path, f"# mine\n\n{line}\n"))
    assert (named.repo, named.number) == ("pallets/flask", 42)


@pytest.mark.parametrize(
    "line", ["flask#42", "pallets/flask", "pallets/flask#0", "../x#1", "a/b#1;rm", f"a/b#{10**18}"]
)
def test_line_that_is_no_pull_request_is_named(tmp_path, line):
    path = written(tmp_path, f"pallets/flask#1\n{line}\n")
    with pytest.raises(InputError) as error:
        read_pool(path)
    assert str(error.value) == (
        f"{path}:2: not a pull request: {line!r}\n"
        "say it as owner/repo#123, owner/repo:pr-123 or its address"
    )


def test_rows_of_swe_bench_become_named_pull_requests(shared):
    rows = read_rows(shared / "data/swebench-lite-dev.parquet")
    assert len(rows) == 23
    assert (rows[0].repo, rows[0].number) == ("sqlfluff/sqlfluff", 1625)
    assert rows[0].base_commit == "14e1a23a3166b9a645a16de96f694c77a5d4abb7"


ROW = {
    "instance_id": "a__b-5",
    "repo": "a/b",
    "base_commit": "0" * 40,
    "patch": "diff --git a/x b/x\n",
    "test_patch": "diff --git a/t b/t",
    "created_at": "2021-10-13T13:35:29+02:00",
}


def test_row_gives_its_own_change_and_the_time_it_was_proposed(tmp_path):
    (named,) = read_rows(written(tmp_path, json.dumps(ROW), "rows.jsonl"))
    assert named.change == "diff --git a/x b/x\ndiff --git a/t b/t\n"
    assert named.created_at == datetime(2021, 10, 13, 11, 35, 29)


@pytest.mark.parametrize("name", ["patch", "test_patch", "created_at", "base_commit"])
def test_row_that_lacks_a_part_of_its_change_is_sought_in_the_history(tmp_path, name):
    (named,) = read_rows(written(tmp_path, json.dumps(ROW | {name: None}), "rows.jsonl"))
    assert (named.change, named.created_at) == (None, None)


def test_row_whose_time_is_no_time_is_refused(tmp_path):
    path = written(tmp_path, json.dumps(ROW | {"created_at": "yesterday"}), "rows.jsonl")
    with pytest.raises(InputError, match="no time in row 'a__b-5': created_at is 'yesterday'"):
        read_rows(path)


def test_rows_without_an_instance_id_are_refused(tmp_path):
    path = written(tmp_path, '{"repo": "a/b"}\n', "rows.jsonl")
    with pytest.raises(InputError, match="has no column instance_id"):
        read_rows(path)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ('{"instance_id": 5, "repo": "a/b"}', "instance_id"),
        ('{"instance_id": "a__b-5", "repo": "a/b", "base_commit": 7}', "base_commit"),
        ('{"instance_id": "a__b-5", "repo": ["a/b"], "base_commit": 7}', "repo, base_commit"),
    ],
)
def test_rows_whose_texts_are_no_texts_are_refused(tmp_path, row, wrong):
    path = written(tmp_path, row, "rows.jsonl")
    with pytest.raises(InputError) as error:
        read_rows(path)
    assert str(error.value) == f"{path}: {wrong} should be text\nname a SWE-bench file"


def test_exclusions_know_repositories_pull_requests_and_authors(tmp_path):
    found = read_exclusions(
        written(tmp_path, "Pallets/Flask\npallets/click#7\n@Somebody\nbot[bot]\n")
    )
    assert found.repositories == {"pallets/flask"}
    assert found.pull_requests == {"pallets/click#7"}
    assert found.authors == {"somebody", "bot[bot]"}


def test_repositories_may_be_named_by_address(tmp_path):
    text = "pallets/flask\nhttps://github.com/pallets/click.git\n"
    assert read_repositories(written(tmp_path, text)) == ("pallets/flask", "pallets/click")


def test_file_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(InputError, match=r"no\.txt cannot be read"):
        read_pool(tmp_path / "no.txt")


def test_recipes_by_hand_are_known_by_their_repository(tmp_path):
    written(tmp_path, 'test = "pytest"\n', "pallets__flask.toml")
    assert read_hand_recipes(tmp_path) == {"pallets__flask": 'test = "pytest"\n'}


def test_pool_without_a_pull_request_is_refused(tmp_path):
    with pytest.raises(InputError, match="names no pull request"):
        read_pool(written(tmp_path, "# none yet\n"))


def test_mark_at_the_beginning_of_a_text_is_no_part_of_it(tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"\xef\xbb\xbfann/tool\r\n")
    assert read_repositories(tmp_path / "mine.txt") == ("ann/tool",)
