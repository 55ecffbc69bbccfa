"""`forge why`: the whole story of a pull request, stage by stage."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text

if TYPE_CHECKING:
    from forge.artifacts import Artifacts
    from forge.missed import Missed
    from forge.story import Chapter, Story

LONGEST = 72
IDS = 5
PATTERNS = 10
INDENT = " " * 4
BLANKS: tuple[tuple[str, Any], ...] = (("null", None), ("empty", []))
KNOWN = ("repository_id", "number")


@click.command("why", short_help="A pull request's whole story, and where it ends.")
@click.argument("pull_request")
@click.option("--month", help="Only the story in this month [all that hold it].")
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Tell what every table says of a pull request, and where and why its story ends.

    PULL_REQUEST is owner/name#12, its address, or its instance id.

    \b
    forge why lanternworks/tidytext#12
    """
    from forge.artifacts import Artifacts
    from forge.build import stages
    from forge.story import stories

    settings = _options.settings(flags["root"])
    found = stories(settings, stages(), flags["pull_request"], flags["month"])
    artifacts = Artifacts(settings.memo_folder / "artifacts")
    if flags["as_json"]:
        _text.echo(_text.to_json([_plain(story) for story in found]))
        return
    for story in found:
        _tell(story, artifacts)


def _tell(story: "Story", artifacts: "Artifacts") -> None:
    _text.echo(f"{story.repo}#{story.number} in {story.month} (repository {story.repository_id})")
    for chapter in story.chapters:
        if chapter.is_told:
            tell_chapter(chapter, chapter.rows, artifacts)
    _text.echo(f"\n{story.end}")


def tell_chapter(chapter: "Chapter", rows: list[dict[str, Any]], artifacts: "Artifacts") -> None:
    """Print what one table says, by these of its rows."""
    times = f", {len(rows)} rows" if len(rows) > 1 else ""
    _text.echo(f"\n{chapter.table:<16}{chapter.fate}{times}")
    ordered = sorted(rows, key=_order) if any(map(_is_attempt, rows)) else rows
    for line in [
        *_facts(chapter, ordered),
        *_letters(ordered),
        *_leaks(ordered),
        *_unmet(chapter),
        *_files(chapter, ordered, artifacts),
    ]:
        _text.echo(line)


def _facts(chapter: "Chapter", rows: list[dict[str, Any]]) -> list[str]:
    """What all rows share, then a table of what tells them apart."""
    hidden = {*KNOWN, *chapter.artifacts} | ({"tests"} if any(map(_is_attempt, rows)) else set())
    names = [name for name in (rows[0] if rows else {}) if name not in hidden]
    shared = [name for name in names if all(row[name] == rows[0][name] for row in rows)]
    apart = chapter.key + [n for n in names if n not in {*shared, *chapter.key}]
    lines = _wrapped_facts({name: rows[0][name] for name in shared}) if rows else []
    return lines + (_apart(apart, rows) if len(rows) > 1 else [])


def _wrapped_facts(row: dict[str, Any]) -> list[str]:
    blank = {
        word: [n for n, v in row.items() if v == empty and n != "unknown"] for word, empty in BLANKS
    }
    facts = [f"{n} {_brief(v)}" for n, v in row.items() if v is not None and v != []]
    facts += [f"{word}: {', '.join(names)}" for word, names in blank.items() if names]
    return _text.wrapped(facts, indent=INDENT, width=_text.terminal_width())


def _apart(names: list[str], rows: list[dict[str, Any]]) -> list[str]:
    cells = [[_short(row[name]) for name in names] for row in rows]
    width = _text.terminal_width() - len(INDENT)
    return [INDENT + line for line in _text.table(names, cells, width=width)]


def _short(value: Any) -> Any:
    return value if isinstance(value, int | float | None) else _brief(value)


def _brief(value: Any) -> str:
    """A value in a few words: texts of several lines and long lists by their size."""
    if isinstance(value, str) and "\n" in value:
        return f"({len(value.splitlines()):,} lines, {len(value):,} characters)"
    text = _text.shown(value.replace(microsecond=0) if isinstance(value, datetime) else value)
    if isinstance(value, list) and len(text) > LONGEST:
        return f"({len(value):,})"
    return _text.cut(text, LONGEST)


def _is_attempt(row: dict[str, Any]) -> bool:
    tests = row.get("tests")
    return isinstance(tests, list) and "side" in row and all("letter" in test for test in tests)


def _letters(rows: list[dict[str, Any]]) -> list[str]:
    """Tests by the letters that the attempts gave them, one line for those with the same ones."""
    attempts = [row for row in rows if _is_attempt(row)]
    sides = list(dict.fromkeys(row["side"] for row in attempts))
    given = [(row["side"], {t["id"]: t["letter"] for t in row["tests"]}) for row in attempts]
    groups: dict[str, list[str]] = {}
    for test in sorted({test for _, letters in given for test in letters}):
        told = "  ".join(f"{side} {_of(test, side, given)}" for side in sides)
        groups.setdefault(told, []).append(test)
    lines = [line for told in [*groups][:PATTERNS] for line in _group(told, groups[told])]
    left = [*groups.values()][PATTERNS:]
    more = f"{INDENT}{len(left):,} other patterns of {sum(map(len, left)):,} tests: --json"
    return [*lines, more] if left else lines


def _order(row: dict[str, Any]) -> tuple[bool, int]:
    return row["side"] != "before", row.get("attempt") or 0


def _of(test: str, side: str, given: list[tuple[str, dict[str, str]]]) -> str:
    return "".join(letters.get(test, "-") for where, letters in given if where == side)


def _group(told: str, tests: list[str]) -> list[str]:
    names = [f"{INDENT * 2}{_text.line(test)}" for test in tests[:IDS]]
    more = [f"{INDENT * 2}and {len(tests) - IDS:,} more"] if len(tests) > IDS else []
    noun = "test" if len(tests) == 1 else "tests"
    return [f"{INDENT}{told}  {len(tests):,} {noun}", *names, *more]


def _leaks(rows: list[dict[str, Any]]) -> list[str]:
    """What gives the fix away, each leak on lines of its own."""
    columns = [name for name in (rows[0] if rows else {}) if name.endswith("_leaks")]
    leaks = [leak for row in rows for name in columns for leak in row[name] or ()]
    told = [
        line
        for leak in leaks[:IDS]
        for line in (
            f"{INDENT}{_text.line(leak['kind'])} in {_text.line(leak['path'])}",
            f"{INDENT * 2}{_text.line(leak['evidence'])}",
        )
    ]
    return told + ([f"{INDENT}{len(leaks) - IDS:,} more leaks: --json"] if leaks[IDS:] else [])


def _unmet(chapter: "Chapter") -> list[str]:
    told = [line for missed in chapter.missed for line in _criterion(missed)]
    words = _text.block(chapter.detail or "").splitlines()
    return told + [f"{INDENT * 2}{word}" for word in words]


def _criterion(missed: "Missed") -> list[str]:
    values = [f"{name} is {_brief(value)}" for name, value in missed.values.items()]
    limits = [f"limit {n} = {_brief(f.value)} ({f.source})" for n, f in missed.limits.items()]
    wanted = [f"wanted {_text.line(missed.wanted)}"] if missed.wanted else []
    pieces = _text.wrapped(
        [*values, *wanted, *limits], indent=INDENT * 2, width=_text.terminal_width()
    )
    return [f"{INDENT}{_text.line(missed.criterion)}", *pieces]


def _files(chapter: "Chapter", rows: list[dict[str, Any]], artifacts: "Artifacts") -> list[str]:
    """Paths of the files, of several rows of one side those of the first."""
    firsts = {row[chapter.key[0]] if chapter.key else None: row for row in reversed(rows)}
    shown = [row for row in rows if any(row is first for first in firsts.values())]
    lines = [
        f"{INDENT}{_label(chapter, row, len(rows))}{column}: {_path(artifacts, row[column])}"
        for row in shown
        for column in chapter.artifacts
        if row[column]
    ]
    left = sum(1 for row in rows for column in chapter.artifacts if row[column]) - len(lines)
    return lines + ([f"{INDENT}{left:,} more files: --json"] if left else [])


def _label(chapter: "Chapter", row: dict[str, Any], rows: int) -> str:
    return f"{' '.join(_text.shown(row[name]) for name in chapter.key)} " if rows > 1 else ""


def _path(artifacts: "Artifacts", name: str) -> str:
    path = artifacts.path(name)
    return f"{path}{'' if path.exists() else ' (gone)'}"


def _plain(story: "Story") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(story) | {"end": story.end}
