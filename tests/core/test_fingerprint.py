from pathlib import Path
from uuid import uuid4

import pytest
from toys import Limits, doubles

from forge.fingerprint import fingerprint, rules_of, source_of


def write(folder: Path, text: str) -> str:
    """The name of a new module."""
    name = f"rules_{uuid4().hex}"
    (folder / f"{name}.py").write_text(text)
    return name


@pytest.fixture(autouse=True)
def importable(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)


def test_comments_docstrings_and_layout_do_not_make_stale(tmp_path):
    plain = source_of(write(tmp_path, "def f(x):\n    return x\n"))
    told = source_of(write(tmp_path, 'def f(x):\n    """Say."""\n    # why\n    return (x)\n'))
    assert told.replace("    pass\n", "") == plain


def test_a_changed_expression_makes_stale(tmp_path):
    one = source_of(write(tmp_path, "LEAST = 1\n"))
    assert source_of(write(tmp_path, "LEAST = 2\n")) != one


def test_limits_make_stale():
    assert fingerprint(doubles, Limits(least=1), {}) != fingerprint(doubles, Limits(least=2), {})


def test_flags_make_stale():
    exclude_one = {"exclude": frozenset({"a/b"})}
    assert fingerprint(doubles, None, exclude_one) != fingerprint(
        doubles, None, {"exclude": frozenset()}
    )


def test_order_within_a_set_does_not_make_stale():
    there = {"exclude": frozenset({"a/b", "c/d"})}
    back = {"exclude": frozenset({"c/d", "a/b"})}
    assert fingerprint(doubles, None, there) == fingerprint(doubles, None, back)


def test_rules_are_followed_and_the_core_is_not():
    rules = rules_of("forge.criteria")
    assert rules == {"forge.criteria"}
    assert "forge.languages" in rules_of("forge.languages")
