"""What every reader of results gives: a letter for each test.

The text of this file is embedded in every eval.sh, so it needs nothing but the standard library.
"""

from typing import List, NamedTuple


class Case(NamedTuple):
    """One test: its id, its letter, and how long it took."""

    id: str
    letter: str
    seconds: float


class Result(NamedTuple):
    """Every test that ran, and the files, folders and modules that could not be loaded."""

    tests: List[Case]
    broken_files: List[str]


class UnreadableError(Exception):
    """There is no whole result file of the reader's kind."""
