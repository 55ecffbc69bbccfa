import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest
from toy_month import build_month

from forge.build import stages
from forge.selection import Selection
from forge.settings import Settings
from forge.views import write_views

ONE = "say one SELECT, EXPLAIN or DESCRIBE statement"
WHERE = "SQL here reads the tables under data alone"


def test_tables_of_all_months_are_seen_with_their_month(month, forge_says):
    build_month(month, Selection("2026-02", sample=1.0))
    ended = forge_says("sql", "select month, count(*) as merges from merges group by 1 order by 1")
    assert ended == (0, "month    merges\n-------  ------\n2026-02       1\n2026-03       5\n", "")


@pytest.mark.usefixtures("month")
def test_rejected_rows_of_all_tables_are_one_view(forge_says):
    query = 'select "table", number, reasons, month from rejected order by number'
    assert forge_says("sql", query).out.splitlines() == [
        "table       number  reasons                    month",
        "----------  ------  -------------------------  -------",
        'candidates       2  ["has_tests"]              2026-03',
        'candidates       3  ["has_tests", "is_small"]  2026-03',
        'verdicts         4  ["has_fail_to_pass"]       2026-03',
    ]


def test_tables_that_were_never_built_are_empty_with_their_columns(forge_says):
    lines = forge_says("sql", "describe splits").out.splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [
        ["repository_id", "BIGINT"],
        ["number", "BIGINT"],
        ["split", "VARCHAR"],
        ["month", "VARCHAR"],
    ]
    assert forge_says("sql", "select * from rejected").code == 0


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("copy (select 1) to 'data/x.parquet'", f"COPY is not run here\n{ONE}"),
        ("attach 'data/x.db'", f"ATTACH is not run here\n{ONE}"),
        ("pragma version", f"PRAGMA is not run here\n{ONE}"),
        ("set threads = 1", f"SET is not run here\n{ONE}"),
        ("create table t as select 1", f"CREATE is not run here\n{ONE}"),
        ("install httpfs", f"LOAD is not run here\n{ONE}"),
        ("select 1; select 2", f"2 statements\n{ONE}"),
        ("-- nothing", f"0 statements\n{ONE}"),
        (
            "explain analyze copy (select 1) to 'data/x.parquet'",
            "EXPLAIN of anything but a SELECT is not run here",
        ),
        (
            "explain (analyze /* ) select 1 -- */) copy (select 1) to 'data/x.parquet'",
            "EXPLAIN of anything but a SELECT is not run here",
        ),
        (
            "select * from glob('/etc/*')",
            (
                'Permission Error: Cannot access file "/etc/*" - file system operations are '
                f"disabled by configuration\n{WHERE}"
            ),
        ),
        (
            "select * from read_csv('/etc/passwd')",
            (
                'Permission Error: Cannot access file "/etc/passwd" - file system operations are '
                f"disabled by configuration\n{WHERE}"
            ),
        ),
        (
            "select * from read_text('data/../secret')",
            (
                'Permission Error: Cannot access file "data/../secret" - file system operations '
                f"are disabled by configuration\n{WHERE}"
            ),
        ),
        (
            "select * from enable_logging(storage = 'file', storage_path = 'data/log')",
            (
                'Invalid Input Error: Cannot change configuration option ""enable_logging"" - the '
                "configuration has been locked\n`forge tables` lists tables and columns"
            ),
        ),
        (
            "select * from merge",
            (
                "Catalog Error: Table with name merge does not exist!\n"
                'Did you mean "merges"?\n'
                "`forge tables` lists tables and columns"
            ),
        ),
    ],
)
def test_what_does_not_only_read_the_tables_is_refused(month, forge_says, statement, message):
    (month / "secret").write_text("x")
    before = sorted(month.rglob("*"))
    assert forge_says("sql", "--", statement) == (2, "", f"forge: {message}\n")
    assert sorted(month.rglob("*")) == before


@pytest.mark.usefixtures("month")
def test_error_in_the_middle_of_an_answer_is_told_like_any_other(forge_says):
    query = "select cast(if(i = 2500000, 'z', '1') as int) as n from range(3000000) t(i)"
    ended = forge_says("sql", "--format", "csv", query)
    assert ended.code == 2
    assert "Could not convert string 'z' to INT32" in ended.err


@pytest.mark.usefixtures("month")
def test_csv_and_json_hold_what_the_data_holds(forge_says):
    query = "select number, title, [1, null] as list, sum(number) over () as total from merges"
    rows = [*csv.reader(forge_says("sql", "--format", "csv", query).out.splitlines())]
    assert rows[3] == ["3", "Red \x1b[31mtitle\u202e", "[1, null]", "17"]
    told = forge_says("sql", "--format", "json", query).out
    assert "\x1b" not in told
    assert json.loads(told)[2] == {
        "number": 3,
        "title": "Red \x1b[31mtitle\u202e",
        "list": [1, None],
        "total": 17,
    }


def test_markdown_escapes_what_would_break_a_row(forge_says):
    ended = forge_says("sql", "--format", "markdown", "select 'a|b' as x, chr(10) as y")
    assert ended.out == "| x | y |\n| --- | --- |\n| a\\|b | \\\\n |\n"


def test_parquet_goes_to_a_file_only(month, forge_says):
    query = "select number, number from merges order by 1"
    assert forge_says("sql", "--format", "parquet", query).err == (
        "forge: Parquet is no text\nname a file: -o rows.parquet\n"
    )
    assert forge_says("sql", query, "-o", "rows.parquet") == (0, "", "")
    rows = pl.read_parquet(month / "rows.parquet")
    assert rows.to_dict(as_series=False) == {
        "number": [1, 2, 3, 4, 7],
        "number_1": [1, 2, 3, 4, 7],
    }


def test_long_answers_are_cut_and_say_so(forge_says):
    ended = forge_says("sql", "select * from range(101)")
    assert len(ended.out.splitlines()) == 102
    assert ended.err == "the first 100 rows; all by --format csv, or -o FILE\n"


def test_statement_comes_from_a_file(home, forge_says):
    (home / "q.sql").write_text("-- one\nselect 1 as one")
    assert forge_says("sql", "-f", "q.sql").out == "one\n---\n  1\n"
    assert forge_says("sql", "-f", "no.sql").err.startswith(
        "forge: no.sql cannot be read: [Errno 2] No such file or directory"
    )


@pytest.mark.usefixtures("month")
def test_saved_queries_are_known_by_name(forge_says):
    assert forge_says("sql").err == (
        "forge: say one statement, or -f with a file or a saved query: coverage, coverage_by_hour, "
        "reasons, split_proof\n"
        'such as: forge sql "from merges"\n'
    )
    assert forge_says("sql", "-f", "reasons", "--format", "csv").out == (
        "month,table,fate,reason,rows\n"
        "2026-03,candidates,rejected,has_tests,2\n"
        "2026-03,candidates,rejected,is_small,1\n"
        "2026-03,verdicts,rejected,has_fail_to_pass,1\n"
    )


def test_message_that_quotes_an_escape_is_told_without_it(home, forge_says):
    (home / "\x1b[31m.sql").write_text("selct")
    ended = forge_says("sql", "-f", "\x1b[31m")
    assert "\x1b" not in ended.err


def test_file_of_views_serves_any_client_and_follows_new_months(month):
    write_views(Settings(root=month / "data"), stages())
    build_month(month, Selection("2026-02", sample=1.0))
    with duckdb.connect(str(month / "data/forge.duckdb"), read_only=True) as duck:
        months = duck.execute("select distinct month from tasks order by 1").fetchall()
        reasons = duck.execute("select reasons from rejected_verdicts").fetchall()
    assert months == [("2026-02",), ("2026-03",)]
    assert reasons == [(["has_fail_to_pass"],)]


def test_escapes_never_reach_a_terminal_raw(home):
    query = "select chr(27) || '[31mred' as x, chr(8238) as y"
    shown = {form: on_terminal(home, query, form) for form in ("csv", "table", "markdown", "json")}
    assert not [form for form, text in shown.items() if "\x1b" in text or "\u202e" in text]
    assert "\\x1b[31mred,\\u202e" in shown["csv"]


def on_terminal(home: Path, query: str, form: str) -> str:
    """What a pseudo-terminal shows."""
    code = f"import sys; sys.argv = ['forge', 'sql', '--format', {form!r}, {query!r}];"
    ours, theirs = pty.openpty()
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", f"{code} from forge.cli import main; main()"],
        cwd=home,
        stdout=theirs,
        check=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    os.close(theirs)
    return os.read(ours, 10_000).decode()


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_file_that_cannot_be_written_is_named_and_no_bug(forge_says, name):
    ended = forge_says("sql", "select 1 as one", "-o", f"nowhere/{name}")
    assert (ended.code, ended.err.splitlines()[-1]) == (3, "name another place")
    assert ended.err.startswith(f"forge: nowhere/{name} cannot be written: ")
