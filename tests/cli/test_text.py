import json
import math
import sys
import unicodedata

import pytest
from hostile import HOSTILE, misaligned

from forge.cli import _text

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_no_character_that_controls_or_reorders_text_gets_through():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    told = _text.line(everything)
    left = {c for c in told if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"}}
    assert not left
    assert not set(BIDI) & set(told)
    visible = {c for c in told if unicodedata.category(c) == "Cf"}
    assert {unicodedata.name(c) for c in visible} <= ARABIC_AND_OTHER_SIGNS


ARABIC_AND_OTHER_SIGNS = {
    "ARABIC NUMBER SIGN", "ARABIC SIGN SANAH", "ARABIC FOOTNOTE MARKER", "ARABIC SIGN SAFHA",
    "ARABIC SIGN SAMVAT", "ARABIC NUMBER MARK ABOVE", "ARABIC END OF AYAH",
    "SYRIAC ABBREVIATION MARK", "ARABIC POUND MARK ABOVE", "ARABIC PIASTRE MARK ABOVE",
    "ARABIC DISPUTED END OF AYAH",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x1b[2J\x9b31m", "\\x1b[2J\\x9b31m"),
        ("a\rb\tc\nd", "a\\rb\\tc\\nd"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("lone \ud800", "lone \\ud800"),
        ("naïve 漢字 👩🔬", "naïve 漢字 👩🔬"),
        ("👩\u200d🔬 ❤\ufe0f 👍\U0001f3fd", "👩\\u200d🔬 ❤\\ufe0f 👍\\U0001f3fd"),
        ("ok\U000e0041\u115f", "ok\\U000e0041\\u115f"),
    ],
)
def test_line_shows_what_is_unsafe_as_an_escape(text, told):
    assert _text.line(text) == told


def test_json_stays_exact_and_shows_no_escape_raw():
    value = {"title": "\x1b[31m\u202e\ud800 é"}
    told = _text.to_json(value)
    assert told == '{\n "title": "\\u001b[31m\\u202e\\ud800 é"\n}'
    assert json.loads(told) == value


def test_table_is_no_wider_than_the_terminal():
    rows = [(1, "x" * 100, "漢" * 50), (22_000, "short", None)]
    lines = _text.table(["n", "text", "wide"], rows, width=40)
    assert lines == [
        "    n  text             wide",
        "-----  ---------------  ---------------",
        "    1  xxxxxxxxxxxxxx…  漢漢漢漢漢漢漢…",
        "22000  short            null",
    ]


def test_table_with_too_many_columns_has_a_line_for_each():
    lines = _text.table(["a", "bb", "c", "d", "e"], [(1, "x", None, True, [1])], width=40)
    assert lines == ["-- row 1", "a   1", "bb  x", "c   null", "d   true", "e   [1]"]


def test_json_has_null_for_what_it_has_no_number_for():
    value = {"a": [math.nan, (math.inf, 1.5)], "b": -math.inf}
    assert json.loads(_text.to_json(value), parse_constant=pytest.fail) == {
        "a": [None, [None, 1.5]],
        "b": None,
    }


def test_long_message_loses_its_middle_and_keeps_its_hint():
    told = _text.message("forge: " + "x" * 1_000_000 + "\nname another file")
    assert told.startswith("forge: xxx")
    assert told.endswith("xxx\nname another file")
    assert len(told) < 9_000


@pytest.mark.parametrize("text", HOSTILE)
def test_table_of_hostile_texts_is_aligned_by_every_terminals_measure(text):
    rows = [(1, text, "after"), (22, "plain", "after"), (333, text, text)]
    assert misaligned(_text.table(["n", "text", "last"], rows, width=60), width=60) == []


def test_records_of_wide_and_hostile_names_are_aligned():
    lines = _text.table(["漢字", "\x1b[31m", "c", "d"], [(1, 2, 3, "\u202e")], width=30)
    assert lines == ["-- row 1", "漢字      1", "\\x1b[31m  2", "c         3", "d         \\u202e"]
    [_, first, *_] = _text.table(["x" * 1_000, "b", "c", "d"], [("told", 2, 3, 4)], width=30)
    assert first == "xxxxxxxxxxxxxx…  told"
