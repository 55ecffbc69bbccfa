"""Recipes written by hand: `recipes/<owner>__<repo>.toml`, over what the search finds."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import BaseModel, ConfigDict, ValidationError

from forge.errors import InputError
from forge.recipes.drafts import Draft
from forge.texts import toml

READER = "hand_written"


class HandWritten(BaseModel):
    """What somebody knows better than the search."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image: str | None = None
    system_packages: list[str] | None = None
    environment: dict[str, str] = {}
    requirements: list[str] | None = None
    lock: str | None = None
    dependencies: str | None = None
    install: str | None = None
    rebuild: str | None = None
    probe: str | None = None
    test: str | None = None
    results: str | None = None

    def over(self, draft: Draft) -> Draft:
        """The draft with everything that is said here in its place."""
        said = self.model_dump(exclude_none=True, exclude={"environment", "requirements"})
        if self.test is not None and "$FORGE_RUNNER" not in self.test:
            said = {"runner": "", "results": "junit"} | said
        environment = {**draft.recipe.environment, **self.environment}
        recipe = draft.recipe.model_copy(
            update=said
            | {"environment": dict(sorted(environment.items()))}
            | {"system_packages": tuple(self.system_packages or draft.recipe.system_packages)}
        )
        return replace(draft, reader=READER, recipe=recipe, requirements=self._requirements(draft))

    def _requirements(self, draft: Draft) -> str | None:
        if self.lock is not None:
            return None
        if self.requirements is None:
            return draft.requirements
        names = {Requirement(line).name.lower() for line in self.requirements}
        lines = {*self.requirements, *({"pytest"} - names)}
        return "".join(f"{line}\n" for line in sorted(lines))


def read_hand_recipes(texts: Mapping[str, str]) -> dict[str, HandWritten]:
    """Recipes by `owner/name` in lower case; InputError names the file and the wrong key."""
    return {stem.lower().replace("__", "/", 1): _read(stem, text) for stem, text in texts.items()}


def _read(stem: str, text: str) -> HandWritten:
    file = f"recipes/{stem}.toml"
    if "__" not in stem:
        raise InputError(f"{file}: no repository has this name\ncall it <owner>__<repo>.toml")
    try:
        hand = HandWritten.model_validate(toml(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is not TOML: {error}\nmend that line") from None
    except ValidationError as error:
        raise InputError(f"{file}: {_wrong(error)}\nkeys are {_keys()}") from None
    for line in hand.requirements or []:
        _check(file, line)
    return hand


def _check(file: str, line: str) -> None:
    try:
        Requirement(line)
    except InvalidRequirement:
        message = f"{file}: requirements: {line!r} is not a requirement\nsay it as name>=1.0"
        raise InputError(message) from None


def _wrong(error: ValidationError) -> str:
    found = [(".".join(map(str, e["loc"])), e) for e in error.errors()]
    return "; ".join(
        f"no such key: {key}" if e["type"] == "extra_forbidden" else f"{key}: {e['msg']}"
        for key, e in found
    )


def _keys() -> str:
    return ", ".join(HandWritten.model_fields)
