"""The story of one pull request: what every table says of it, and where and why it ends."""

import re
from dataclasses import dataclass, field
from typing import Any

import dataframely as dy
import polars as pl

from forge.columns import ARTIFACT, key_of, marked
from forge.errors import InputError
from forge.missed import Judge, Missed
from forge.pools import HOST, PULL_REQUEST
from forge.report import months, rejected_rows
from forge.settings import Settings
from forge.slices import bucket_of
from forge.stage import Stage
from forge.store import Store

KEY = ("repository_id", "number")
ABSENT = "absent"
NEVER = "never built"
STOPS = ("rejected", "open", "deferred")
LIKE = 0.75
INSTANCE = r"([A-Za-z0-9-]+)__([A-Za-z0-9._-]+)-([1-9][0-9]*)"


@dataclass(frozen=True)
class Chapter:
    """What one table says: its rows, or the fate of the row that it does not hold.

    `key` tells rows apart; `artifacts` are the columns that name files.
    """

    table: str
    fate: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    detail: str | None = None

    @property
    def is_told(self) -> bool:
        """Whether the table says anything."""
        return self.fate not in {ABSENT, NEVER}


@dataclass(frozen=True)
class Story:
    """One pull request in one month."""

    repo: str
    number: int
    repository_id: int
    month: str
    chapters: list[Chapter]

    @property
    def end(self) -> str:
        """Where the story ends, and why, in a sentence."""
        for chapter in self.chapters:
            if chapter.fate in STOPS:
                return f"{_ENDS[chapter.fate]} {chapter.table}: {_why(chapter)}"
        last = next(c for c in reversed(self.chapters) if c.fate == "kept")
        after = self.chapters[self.chapters.index(last) + 1 :]
        if not after:
            return f"went the whole way: it is in {last.table}"
        if after[0].fate == NEVER:
            return f"ends after {last.table}: {after[0].table} was not built for it yet"
        return f"ends after {last.table}: {after[0].table} holds no row of it"


_ENDS = {"rejected": "rejected by", "open": "open in", "deferred": "deferred by"}


def _why(chapter: Chapter) -> str:
    reasons = ", ".join(missed.criterion for missed in chapter.missed) or "no reason was given"
    return {
        "rejected": reasons,
        "open": f"{reasons}; the next build asks again",
        "deferred": f"beyond the bound {reasons}",
    }[chapter.fate]


def read_name(text: str) -> tuple[str, int]:
    """Repository and number of owner/name#12, its address, or its instance id."""
    name = HOST.sub("", text.strip()).split("?")[0].rstrip("/")
    if found := PULL_REQUEST.match(name):
        return found[1], int(found[2])
    if found := re.fullmatch(INSTANCE, name):
        return f"{found[1]}/{found[2]}", int(found[3])
    raise InputError(
        f"not a pull request: {text[:80]!r}\n"
        "say it as owner/name#12, its address or its instance id"
    )


def stories(settings: Settings, chosen: list[Stage], name: str, month: str | None) -> list[Story]:
    """The pull request's story in every month that holds it, or in the one that is named."""
    repo, number = read_name(name)
    found = []
    for held in [month] if month else months(settings.root):
        store = Store(settings.root, held)
        for repository_id in _repositories(store, chosen, repo, number):
            teller = Teller(settings, store, chosen, {})
            chapters = teller.chapters(repository_id, number)
            found.append(Story(repo, number, repository_id, held, chapters))
    if not found:
        raise InputError(_unknown(settings, chosen, repo, number, month))
    return found


def _named(stage: Stage) -> bool:
    return {"repo", *KEY} <= set(stage.schema.column_names())


def _repositories(store: Store, chosen: list[Stage], repo: str, number: int) -> list[int]:
    is_it = (pl.col("repo").str.to_lowercase() == repo.lower()) & (pl.col("number") == number)
    frames = [
        store.scan(stage.name, stage.schema).filter(is_it).select("repository_id")
        for stage in chosen
        if _named(stage)
    ]
    found = pl.concat(frames).unique().collect() if frames else pl.DataFrame({"repository_id": []})
    return sorted(found["repository_id"])


@dataclass(frozen=True)
class Teller:
    """Collects the chapters of one pull request; `known` grows by the keys that its rows name."""

    settings: Settings
    store: Store
    chosen: list[Stage]
    known: dict[str, set[Any]]

    def chapters(self, repository_id: int, number: int) -> list[Chapter]:
        """What every table says, those left out that could say nothing."""
        self.known.update({"repository_id": {repository_id}, "number": {number}})
        told: list[Chapter] = []
        for stage in self.chosen:
            chapter = self._chapter(stage, told)
            if chapter and (chapter.is_told or _is_due(stage, chapter, told)):
                told.append(chapter)
                self._learn(chapter)
        return told

    def _learn(self, chapter: Chapter) -> None:
        keys = {name for stage in self.chosen for name in key_of(stage.schema)} - set(KEY)
        for row in chapter.rows:
            for name in keys & set(row):
                self.known.setdefault(name, set()).add(row[name])

    def _chapter(self, stage: Stage, told: list[Chapter]) -> Chapter | None:
        on = [name for name in key_of(stage.schema) if name in self.known]
        if not on:
            return None
        rows = self._its_rows(self.store.scan(stage.name, stage.schema), on)
        if not rows.is_empty():
            key = [name for name in key_of(stage.schema) if name not in KEY]
            rows = rows.sort(key) if key else rows
            files = marked(stage.schema, ARTIFACT)
            return Chapter(stage.name, "kept", rows.to_dicts(), key=key, artifacts=files)
        return self._other_fate(stage, told)

    def _its_rows(self, rows: pl.LazyFrame, on: list[str]) -> pl.DataFrame:
        conditions = [pl.col(name).is_in(sorted(self.known[name])) for name in on]
        return rows.filter(pl.all_horizontal(conditions)).collect()

    def _other_fate(self, stage: Stage, told: list[Chapter]) -> Chapter:
        rejected = rejected_rows(self.store, stage.name)
        if rejected is not None:
            columns = rejected.collect_schema().names()
            rows = self._its_rows(rejected, [name for name in columns if name in self.known])
            if not rows.is_empty():
                row = rows.row(0, named=True)
                seen = {name: value for c in told for r in c.rows for name, value in r.items()}
                judge = Judge(self.settings, self.store, self._schemas, self.known, seen)
                why = judge.missed(stage, row["reasons"] or [])
                return Chapter(stage.name, row["fate"], missed=why, detail=row["detail"])
        return self._unmade(stage, told)

    def _unmade(self, stage: Stage, told: list[Chapter]) -> Chapter:
        manifest = self.store.manifest(stage.name)
        is_reached = stage.by != "bucket" or self._bucket() in manifest.parts
        if not is_reached and manifest.deferred and not _is_over(told):
            bounds = [Missed(name) for name in manifest.deferred]
            return Chapter(stage.name, "deferred", missed=bounds)
        return Chapter(stage.name, ABSENT if manifest.parts and is_reached else NEVER)

    @property
    def _schemas(self) -> dict[str, type[dy.Schema]]:
        return {stage.name: stage.schema for stage in self.chosen}

    def _bucket(self) -> str:
        (repository_id,) = self.known["repository_id"]
        return f"bucket-{pl.select(bucket_of(pl.lit(repository_id))).item():02}"


def _is_due(stage: Stage, chapter: Chapter, told: list[Chapter]) -> bool:
    """Whether a table that holds no row of it should hold one; most name no issue."""
    is_finer = set(key_of(stage.schema)) > set(KEY)
    may_lack = chapter.fate == ABSENT and is_finer and not stage.is_decided
    return not may_lack and not _is_over(told)


def _is_over(told: list[Chapter]) -> bool:
    return any(chapter.fate in STOPS for chapter in told)


def _unknown(
    settings: Settings, chosen: list[Stage], repo: str, number: int, month: str | None
) -> str:
    held = [month] if month else months(settings.root)
    where = f"{', '.join(held)} in {settings.root}" if held else f"{settings.root}, which is empty"
    near = _nearest(settings, chosen, held, repo, number)
    hint = f"the nearest are {', '.join(near)}" if near else "`forge status` says what there is"
    return f"no pull request {repo}#{number} in {where}\n{hint}"


def _nearest(
    settings: Settings, chosen: list[Stage], held: list[str], repo: str, number: int
) -> list[str]:
    frames = [
        Store(settings.root, name).scan(stage.name, stage.schema).select("repo", "number")
        for name in held
        for stage in chosen
        if _named(stage)
    ]
    if not frames:
        return []
    import duckdb

    with duckdb.connect() as duck:
        duck.register("named", pl.concat(frames).unique().collect().to_arrow())
        rows = duck.execute(NEAREST, {"repo": repo, "number": number, "like": LIKE}).fetchall()
    return [f"{row[0]}#{row[1]}" for row in rows]


NEAREST = """
    select repo, number from named
    where jaro_winkler_similarity(lower(repo), lower($repo)) >= $like
    order by jaro_winkler_similarity(lower(repo), lower($repo)) desc, abs(number - $number), repo
    limit 3
"""
