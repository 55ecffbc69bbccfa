"""The three tiers that images are made in, and their names.

A toolchain is everybody's. Dependencies stand on it and hold nothing of a project, so that whoever
locks the same shares them. A task stands on its dependencies.
"""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forge.fingerprint import source_of
from forge.languages import languages
from forge.recipes import Recipe
from forge.services import docker_scripts as scripts

KEEPER = "forge.inside.base"
PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Work:
    """What becomes an image: a shell script, its files, and what the image says of itself."""

    tag: str
    kind: str
    base: str
    script: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    archives: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def toolchain(base: str) -> Work:
    """An image that others made, with our tools in it."""
    tag = f"sweforge/toolchain:{_short(base, scripts.TOOLCHAIN)}"
    return Work(tag, "toolchain", base, scripts.TOOLCHAIN)


def dependencies(recipe: Recipe, base: str) -> Work:
    """What a recipe needs beside its project."""
    files = {
        "packages": " ".join(_packages(recipe)).encode(),
        "lock": recipe.lock.encode(),
        "dependencies.sh": recipe.dependencies.encode(),
        "environment.sh": scripts.tier_script(recipe).encode(),
    }
    return Work(dependencies_tag(recipe), "dependencies", base, scripts.DEPENDENCIES, files)


def task(recipe: Recipe, base: str, commit: Path) -> Work:
    """The project at its base commit, installed."""
    files = {
        "install.sh": recipe.install.encode(),
        "environment.sh": scripts.environment_script(recipe).encode(),
        "base.py": source_of(KEEPER).encode(),
        "rules": languages()[recipe.language].rules(recipe.runner).encode(),
    }
    archives, environment = {"/testbed": commit}, scripts.variables(recipe)
    return Work(tag_of(recipe), "task", base, scripts.TASK, files, archives, environment)


def dependencies_tag(recipe: Recipe) -> str:
    """The name of a recipe's dependencies: the same for all that share them."""
    told = (recipe.image, *_packages(recipe), "", recipe.lock, recipe.lock_as_of)
    ours = (recipe.dependencies, platform_name(), scripts.TOOLCHAIN, scripts.DEPENDENCIES)
    return f"sweforge/dependencies:{_short(*told, *ours)}"


def tag_of(recipe: Recipe) -> str:
    """The name of a recipe's image: the same on every machine.

    >>> values = {"language": "python", "base_commit": "c", "image": "i", "probe": "p"}
    >>> recipe = Recipe(repo="Ada/Lace_.kit", test="t", results="junit", **values)
    >>> tag_of(recipe).partition(":")[0]
    'sweforge/ada__lace-kit'
    """
    owner, _, name = (
        re.sub(r"[^a-z0-9]+", "-", part).strip("-") for part in recipe.repo.lower().partition("/")
    )
    rules = languages()[recipe.language].rules(recipe.runner)
    ours = (scripts.TOOLCHAIN, scripts.DEPENDENCIES, scripts.TASK, source_of(KEEPER), rules)
    return f"sweforge/{owner}__{name or 'repository'}:{_short(recipe.text, *ours)}"


def platform_name() -> str:
    """Operating system and processor, as Docker names them."""
    machine = platform.machine()
    return f"linux/{PROCESSORS.get(machine, machine)}"


def _packages(recipe: Recipe) -> list[str]:
    return sorted(set(recipe.system_packages))


def _short(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
