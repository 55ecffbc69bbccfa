import json
import sys
import unicodedata

import pytest

from forge.cli import _text

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_no_character_that_controls_or_reorders_text_gets_through():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    told = _text.line(everything)
    joiners = {"\u200c", "\u200d"}  # emoji and Indic scripts need them; they hide nothing
    left = {c for c in told if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"}}
    assert not left
    assert not set(BIDI) & set(told)
    visible = {c for c in told if unicodedata.category(c) == "Cf"} - joiners
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
        ("naïve 漢字 👩\u200d🔬", "naïve 漢字 👩\u200d🔬"),
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
