"""Recipes as columns: drafts from manifests, and drafts with their locks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from forge.effect import Failure
from forge.languages import languages
from forge.recipes import Recipe
from forge.recipes.drafts import Draft, Wanted
from forge.recipes.hand_written import HandWritten
from forge.recipes.lock import without
from forge.recipes.project import Project
from forge.recipes.ranking import SPARE

INPUTS = (
    "language",
    "repo",
    "base_commit",
    "merged_at",
    "test_paths",
    "manifests",
    "base_manifests",
    "tag",
    "version",
)
DRAFT = pl.Struct(
    {
        "rank": pl.Int64,
        "reader": pl.String,
        "image": pl.String,
        "draft": pl.String,
        "requirements": pl.String,
        "base_requirements": pl.String,
        "own_name": pl.String,
        "dropped": pl.List(pl.String),
        "surroundings": pl.List(pl.String),
        "given_source": pl.String,
        "undrafted_kind": pl.String,
        "undrafted": pl.String,
        "undrafted_detail": pl.String,
    }
)
RECIPE = pl.Struct({"recipe": pl.String, "recipe_sha": pl.String})
NOTHING: dict[str, Any] = dict.fromkeys(field.name for field in DRAFT.fields)


@dataclass(frozen=True)
class Drafting:
    """How drafts are written, whatever the candidate."""

    hand_written: Mapping[str, HandWritten]
    pythons: tuple[str, ...]
    images: tuple[str, ...]
    ranks: int

    @property
    def drafts(self) -> pl.Expr:
        """The drafts of a row's manifests, best first; null where there are no manifests."""
        return pl.struct(INPUTS).map_batches(
            self._of_rows, return_dtype=pl.List(DRAFT), is_elementwise=True
        )

    def _of_rows(self, rows: pl.Series) -> pl.Series:
        return pl.Series([self._of_row(row) for row in rows], dtype=pl.List(DRAFT))

    def _of_row(self, row: dict[str, Any]) -> list[dict[str, Any]] | None:
        if row["manifests"] is None or row["merged_at"] is None:
            return None
        drafts = self._drafts(row, row["manifests"])
        if isinstance(drafts, Failure):
            return [_undrafted(drafts)]
        base = self._drafts(row, row["base_manifests"]) if row["base_manifests"] else []
        earlier = {} if isinstance(base, Failure) else {d.reader: d.requirements for d in base}
        return [_row(n, draft, earlier) for n, draft in enumerate(drafts, 1)]

    def _drafts(self, row: dict[str, Any], manifests: str) -> list[Draft] | Failure:
        hand = self.hand_written.get(row["repo"].lower())
        wanted = self._wanted(row, hand.image if hand else None)
        found = languages()[row["language"]].draft(Project.parse(manifests), wanted)
        if isinstance(found, Failure):
            return found
        return [*([hand.over(found[0])] if hand else []), *found][: self.ranks + SPARE]

    def _wanted(self, row: dict[str, Any], image: str | None) -> Wanted:
        return Wanted(
            repo=row["repo"],
            base_commit=row["base_commit"],
            merged_at=row["merged_at"],
            tag=row["tag"],
            version=row["version"],
            test_paths=tuple(row["test_paths"]),
            pythons=self.pythons,
            images=self.images,
            image=image,
            base=Project.parse(row["base_manifests"]) if row["base_manifests"] else None,
        )


def _row(rank: int, draft: Draft, earlier: Mapping[str, str | None]) -> dict[str, Any]:
    before = earlier.get(draft.reader)
    return NOTHING | {
        "rank": rank,
        "reader": draft.reader,
        "image": draft.recipe.image,
        "draft": draft.recipe.text,
        "requirements": draft.requirements,
        "base_requirements": before if before != draft.requirements else None,
        "own_name": draft.own_name,
        "dropped": list(draft.dropped),
        "surroundings": list(draft.recipe.surroundings),
        "given_source": draft.lock_source,
    }


def _undrafted(failure: Failure) -> dict[str, Any]:
    return NOTHING | {
        "undrafted_kind": failure.kind,
        "undrafted": failure.reason,
        "undrafted_detail": failure.detail,
    }


def finished() -> pl.Expr:
    """The draft with its lock, as the recipe's text and sha; null where there is no draft."""
    return pl.struct("draft", "lock", "exclude_newer", "own_name").map_batches(
        _finished, return_dtype=RECIPE, is_elementwise=True
    )


def _finished(rows: pl.Series) -> pl.Series:
    return pl.Series([_recipe(**row) for row in rows], dtype=RECIPE)


def _recipe(
    draft: str | None, lock: str | None, exclude_newer: str, own_name: str | None
) -> dict[str, str] | None:
    if draft is None:
        return None
    recipe = Recipe.model_validate_json(draft)
    if lock is not None:
        recipe = recipe.model_copy(update={"lock": without(lock, own_name)})
    if recipe.lock:
        recipe = recipe.model_copy(update={"lock_as_of": exclude_newer})
    return {"recipe": recipe.text, "recipe_sha": recipe.sha}
