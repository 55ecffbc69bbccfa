"""Texts that strangers may write, each of which has broken something somewhere."""

import ctypes
import locale
import unicodedata

locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
wcwidth = ctypes.CDLL(None).wcwidth
wcwidth.argtypes = [ctypes.c_wchar]

CONTROLS = "".join(map(chr, [*range(32), *range(127, 160)]))
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = "\u034f\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u2064\u3164\ufeff\ufe0f\uffa0"

TEXTS = {
    "colour": "\x1b[31mred\x1b[0m and \x1b[2Jgone",
    "link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "window title": "\x1b]0;owned\x07",
    "one-byte escapes": "\x9b31m \x9d0;owned\x9c \x90q\x9c",
    "every control": CONTROLS,
    "overwritten": "rm -rf /\rls -l    ",
    "rubbed out": "evil\b\b\b\bgood",
    "turned": f"user\u202egnp.exe {BIDI}",
    "invisible": ZERO_WIDTH.join("abc"),
    "tags": "ok" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all"),
    "variants": "a\ufe00\U000e0100\U000e01ef",
    "nothing": "\0",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "line ends": "a\nb\r\nc\x0bd\x0ce\x85f\u2028g\u2029h",
    "wide": "漢字カナ" * 40,
    "emoji": "👩\u200d🔬👍🏽🇩🇪❤\ufe0f1\ufe0f\u20e3" * 10,
    "stacked": "Z" + "\u0301\u0336\u0489" * 500,
    "endless": "x" * 100_000,
    "Rich": "[bold red]x[/] [link=https://evil.example]y[/link] [/]",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "Markdown": "[x](javascript:y) ![z](http://evil) **b** `c` | d \\| ~~e~~\n# f",
    "formula": "=cmd|' /C calc'!A0",
    "formula with @": "@SUM(1+1)*cmd|'x'!A0",
    "JSON": '"}],"resolved":true,"x":[{"y":"\\ud800',
    "YAML": "- !!python/object/apply:os.system ['id']\n&a *a",
    "SQL": "'; drop table tasks; -- \" $$ ",
    "shell": "$(id) `id` ; id | id & $HOME %s {} \\",
    "template": "{{7*7}} ${7*7} {0.__class__} %(x)s",
    "markers": ">>>>> End Test Output\n--- PASS: a (0.00s)",
}
HOSTILE = list(TEXTS.values())


def commanding(text: str) -> set[str]:
    """Signs in a terminal's text that command it, reorder it, hide in it or join what is in it."""
    unsafe = {*CONTROLS, *BIDI, *ZERO_WIDTH} - {"\n"}
    found = unsafe & set(text)
    return found | {c for c in text if unicodedata.category(c) in {"Zl", "Zp", "Cs"}} | {
        c for c in text if 0xFE00 <= ord(c) <= 0xFE0F or 0xE0000 <= ord(c) <= 0xE0FFF
    }  # fmt: skip


def misaligned(lines: list[str], width: int) -> list[str]:
    """Lines of a table that stand in the gaps of its columns, or out of its width."""
    rows = [_cells(line) for line in lines]
    gaps = [at for at, sign in enumerate(rows[1]) if sign == " "]
    return [
        line
        for line, row in zip(lines, rows, strict=True)
        if len(row) > width or any(row[at] != " " for at in gaps if at < len(row))
    ]


def _cells(line: str) -> list[str]:
    """What stands in each cell, by the C library's widths, which are those of terminals."""
    return [sign for sign in line for _ in range(_width(sign))]


def _width(sign: str) -> int:
    width = wcwidth(sign)
    return 1 if width < 0 else width
