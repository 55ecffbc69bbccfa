from pathlib import Path

import pytest

from forge.cli._selection import read_selection
from forge.errors import UsageError

NOTHING = dict.fromkeys(
    ("month", "hours", "pool", "rows", "exclude", "repositories", "sample", "per_repository",
     "tasks", "address")
)  # fmt: skip


def read(**flags):
    return read_selection(NOTHING | {"source": "archive", "keep": (), "difficulty": ()} | flags)


@pytest.mark.parametrize("hours", ["5-3", "1-2-3", "-1", "0-", "", ",", "x", "²", "0-9999999999"])
def test_hours_that_are_no_hours_are_refused(hours):
    with pytest.raises(UsageError, match="not hours"):
        read(month="2026-03", hours=hours)


def test_hour_that_the_month_does_not_have_is_refused():
    assert read(month="2026-02", hours="0,671").window == (0, 671)
    with pytest.raises(UsageError) as error:
        read(month="2026-02", hours="0,672")
    assert str(error.value) == "2026-02 has no hour 672\nsay hours from 0 to 671"


def test_pool_is_named_for_its_file(tmp_path):
    pool = tmp_path / "my pool.v2.txt"
    pool.write_text("a/b#1\n")
    assert read(pool=pool).month == "pool-my pool.v2"


@pytest.mark.parametrize("name", ["a=b.txt", "a*.txt", "[a].txt", "a\nb.txt", "a{b}.txt"])
def test_name_that_would_hide_a_table_from_its_readers_names_no_pool(name):
    with pytest.raises(UsageError, match="cannot name a pool"):
        read(pool=Path(name))
