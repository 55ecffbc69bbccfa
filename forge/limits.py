"""Thresholds of the stages: from forge.toml and from the command line, typos refused."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forge.errors import UsageError
from forge.settings import Settings
from forge.stage import Stage
from forge.texts import read_text, toml

Limits = dict[str, dict[str, Any]]


def read_limits(stages: Iterable[Stage], file: Path, given: Iterable[str]) -> Limits:
    """The sections of forge.toml with `stage.name=value` texts over them."""
    known = {stage.name: stage for stage in stages if stage.limits}
    limits = _of_file(file, set(known))
    for text in given:
        stage, name, value = _parsed(text)
        limits.setdefault(stage, {})[name] = value
    for name, section in limits.items():
        _check(name, section, known)
    return limits


def _of_file(file: Path, stages: set[str]) -> Limits:
    if not file.exists():
        return {}
    try:
        content = toml(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not TOML: {error}\nmend that line") from None
    unknown = set(content) - stages - set(Settings.model_fields)
    if unknown:
        raise UsageError(
            f"{file}: no such setting or stage: {', '.join(sorted(unknown))}\n"
            f"settings: {_listed(Settings.model_fields)}; stages with limits: {_listed(stages)}"
        )
    return {name: section for name, section in content.items() if name in stages}


def _parsed(text: str) -> tuple[str, str, str]:
    where, equals, value = text.partition("=")
    stage, dot, name = where.partition(".")
    if not (equals and dot and name):
        raise UsageError(f"not a limit: {text!r}\nsay it as stage.name=value: candidates.stars=20")
    return stage, name, value


def _check(name: str, section: dict[str, Any], known: dict[str, Stage]) -> None:
    if name not in known:
        raise UsageError(f"no stage {name!r} has limits\nthose that have: {_listed(known)}")
    kind = known[name].limits
    try:
        if kind:
            kind(**section)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(
            f"limits of {name}: {wrong}\n`forge limits` lists them with their meaning"
        ) from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
