"""One pull request tried alone: its recipe, its environment and one attempt on each side.

It is built in a root of its own, from its rows in the real one, by the very stages of a build; the
memo is shared, so that a build later knows what a trial found out.
"""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from forge.ask import Progress
from forge.build import Limits, Options, build, limits_of, stages_to
from forge.errors import InputError
from forge.freshness import blank
from forge.pools import read_hand_recipes
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Stage
from forge.store import PART, Store, digest_of
from forge.story import KEY, Story, stories

LAST, NEEDED = "attempts", "statements"
ONCE = {"survivors": 1, "would_be_tasks": 1, "dependences": False}


@dataclass(frozen=True)
class Trial:
    """A trial that is over: its story, and the rows that a shell needs."""

    story: Story
    image: str | None
    test_command: str | None
    patches: dict[str, Any]


@dataclass(frozen=True)
class Told:
    """When the trial began, and who hears of its progress."""

    now: datetime
    progress: Progress


def tried(settings: Settings, name: str, month: str | None, limits: Limits, told: Told) -> Trial:
    """What building the pull request of that name, and it alone, shows."""
    chosen = stages_to(LAST)
    story = _candidate(settings, chosen, name, month)
    with tempfile.TemporaryDirectory(prefix="forge-try-") as folder:
        alone = settings.model_copy(update={"root": Path(folder), "memo": settings.memo_folder})
        _share_mirrors(settings.root, alone.root)
        selection = Selection(story.month, hand_recipes=read_hand_recipes(settings.recipes))
        options = Options(limits=limits | {LAST: limits.get(LAST, {}) | ONCE})
        _give_rows(Store(settings.root, story.month), alone, chosen, (story, selection, options))
        for _ in build(chosen, selection, alone, options, now=told.now, progress=told.progress):
            pass
        return _trial(alone, chosen, name)


def _candidate(settings: Settings, chosen: list[Stage], name: str, month: str | None) -> Story:
    found = stories(settings, chosen, name, month)
    for story in reversed(found):
        if any(c.table == NEEDED and c.fate == "kept" for c in story.chapters):
            return story
    last = found[-1]
    raise InputError(
        f"{last.repo}#{last.number} cannot be tried: {last.end}\n"
        f"a trial needs its {NEEDED}: forge build --month {last.month} --to {NEEDED}"
    )


def _share_mirrors(root: Path, alone: Path) -> None:
    (root / "mirrors").mkdir(parents=True, exist_ok=True)
    (alone / "mirrors").symlink_to((root / "mirrors").absolute())


def _give_rows(
    store: Store, alone: Settings, chosen: list[Stage], of: tuple[Story, Selection, Options]
) -> None:
    """The pull request's rows of every whole table, committed as if they were built now."""
    story, selection, options = of
    there = Store(alone.root, story.month)
    for stage in chosen:
        if stage.by != "bucket":
            rows = _its_rows(store.scan(stage.name, stage.schema), story)
            flags = {name: selection.flag(name) for name in stage.flags}
            record = blank(there, stage, PART, limits_of(stage, options.limits), flags)
            path = there.folder(stage.name) / f"{PART}.parquet"
            path.parent.mkdir(parents=True)
            rows.collect().write_parquet(path)
            stat, manifest = path.stat(), there.manifest(stage.name)
            record.digest, record.bytes = digest_of(path), stat.st_size
            record.written_ns = stat.st_mtime_ns
            manifest.parts[PART] = record
            there.write_manifest(stage.name, manifest)


def _its_rows(rows: pl.LazyFrame, story: Story) -> pl.LazyFrame:
    key = dict(zip(KEY, (story.repository_id, story.number), strict=True))
    its = [pl.col(name) == key[name] for name in rows.collect_schema().names() if name in key]
    return rows.filter(its) if its else rows.head(0)


def _trial(alone: Settings, chosen: list[Stage], name: str) -> Trial:
    (story,) = stories(alone, chosen, name, None)
    rows = {chapter.table: chapter.rows for chapter in story.chapters}
    tested = [row.get("recipe_sha") for row in rows.get(LAST, [])]
    built = [row for row in rows.get("environments", []) if row["is_built"]]
    used = min(built, key=lambda row: row["recipe_sha"] not in tested, default={})
    return Trial(
        story=story,
        image=used.get("image"),
        test_command=_test_command(rows, used.get("recipe_sha")),
        patches=rows["patches"][0] if rows.get("patches") else {},
    )


def _test_command(rows: dict[str, list[dict[str, Any]]], sha: str | None) -> str | None:
    from forge.recipes import Recipe

    texts = [row["recipe"] for row in rows.get("recipes", []) if row["recipe_sha"] == sha]
    return Recipe.model_validate_json(texts[0]).test if texts else None
