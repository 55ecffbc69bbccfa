"""The tiers that images are made in, each on the one before, and their names.

A toolchain is everybody's, system packages are for all who name the same. Dependencies hold nothing
of a project either, so that whoever locks the same shares them. A task stands on its dependencies.
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
    """What becomes an image: a shell script, its files, and what the image says of itself.

    It stands on other work of ours, or on an image that others made.
    """

    tag: str
    kind: str
    base: "Work | str"
    script: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    archives: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def base_tag(self) -> str:
        """The name of what it stands on."""
        return self.base if isinstance(self.base, str) else self.base.tag


def toolchain(image: str) -> Work:
    """An image that others made, with our tools in it."""
    tag = f"sweforge/toolchain:{_short(image, scripts.TOOLCHAIN)}"
    return Work(tag, "toolchain", image, scripts.TOOLCHAIN)


def system_packages(recipe: Recipe) -> Work:
    """What a recipe has of its distribution, on its toolchain."""
    base, packages = toolchain(recipe.image), " ".join(sorted(set(recipe.system_packages)))
    if not packages:
        return base
    tag = (
        f"sweforge/packages:{_short(base.tag, packages, platform_name(), scripts.SYSTEM_PACKAGES)}"
    )
    files = {"packages": packages.encode()}
    return Work(tag, "packages", base, scripts.SYSTEM_PACKAGES, files)


def dependencies(recipe: Recipe) -> Work:
    """What a recipe needs beside its project: the same for all that lock the same."""
    base = system_packages(recipe)
    told = (base.tag, recipe.lock, recipe.lock_as_of, recipe.dependencies)
    tag = f"sweforge/dependencies:{_short(*told, platform_name(), scripts.DEPENDENCIES)}"
    files = {
        "lock": recipe.lock.encode(),
        "dependencies.sh": recipe.dependencies.encode(),
        "environment.sh": scripts.tier_script(recipe).encode(),
    }
    return Work(tag, "dependencies", base, scripts.DEPENDENCIES, files)


def task(recipe: Recipe, commit: Path) -> Work:
    """The project at its base commit, installed."""
    files = {
        "install.sh": recipe.install.encode(),
        "environment.sh": scripts.environment_script(recipe).encode(),
        "base.py": source_of(KEEPER).encode(),
        "rules": languages()[recipe.language].rules(recipe.runner).encode(),
    }
    archives, environment = {"/testbed": commit}, scripts.variables(recipe)
    base = dependencies(recipe)
    return Work(tag_of(recipe), "task", base, scripts.TASK, files, archives, environment)


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
    ours = (dependencies(recipe).tag, scripts.TASK, source_of(KEEPER), rules)
    return f"sweforge/{owner}__{name or 'repository'}:{_short(recipe.text, *ours)}"


def platform_name() -> str:
    """Operating system and processor, as Docker names them."""
    machine = platform.machine()
    return f"linux/{PROCESSORS.get(machine, machine)}"


def _short(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
