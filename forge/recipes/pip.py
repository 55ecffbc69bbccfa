"""Recipes for Python projects: uv installs a lock and the project, pytest runs the tests."""

import re
import shlex
from dataclasses import asdict
from datetime import datetime

from forge.effect import Failure
from forge.recipes import Recipe
from forge.recipes.drafts import Draft, Wanted
from forge.recipes.facts import Facts, Reader, read
from forge.recipes.github_actions import read_github_actions
from forge.recipes.nox import read_nox
from forge.recipes.poetry import read_poetry
from forge.recipes.project import Project
from forge.recipes.pyproject import read_pyproject
from forge.recipes.pytest_config import read_pytest_config
from forge.recipes.python_tools import read_hatch, read_pdm, read_uv
from forge.recipes.pythons import choose_python, image_of, read_python_version
from forge.recipes.requirement_lines import canonical
from forge.recipes.requirement_sets import Expanded, RequirementSet, requirement_sets
from forge.recipes.requirements_files import read_requirements
from forge.recipes.runners import running
from forge.recipes.setup_cfg import read_setup_cfg
from forge.recipes.setup_py import read_setup_py
from forge.recipes.tox import read_tox

READERS: tuple[Reader, ...] = (
    read_github_actions,
    read_pyproject,
    read_poetry,
    read_setup_cfg,
    read_setup_py,
    read_uv,
    read_pdm,
    read_hatch,
    read_tox,
    read_nox,
    read_requirements,
    read_python_version,
    read_pytest_config,
)

COMPILER = ("build-essential",)
# setuptools 64.0 of August 2022 is the first that uv can ask for an editable install: what is
# older is built with it, and still runs with what its own day had.
EDITABLE_SINCE = datetime(2022, 9, 1)
# An image's git holds one commit and no tag, so that nobody can ask it for the version. These are
# the tools' own ways to be told one; the true one is not known, and this one says so.
UNKNOWN_VERSION = "0.0.0+unknown"
VERSION_TOOLS = {
    "setuptools-scm": ("SETUPTOOLS_SCM_PRETEND_VERSION", UNKNOWN_VERSION),
    "hatch-vcs": ("SETUPTOOLS_SCM_PRETEND_VERSION", UNKNOWN_VERSION),
    "flit-scm": ("SETUPTOOLS_SCM_PRETEND_VERSION", UNKNOWN_VERSION),
    "pdm-backend": ("PDM_BUILD_SCM_VERSION", UNKNOWN_VERSION),
    "poetry-dynamic-versioning": ("POETRY_DYNAMIC_VERSIONING_BYPASS", UNKNOWN_VERSION),
    "uv-dynamic-versioning": ("UV_DYNAMIC_VERSIONING_BYPASS", UNKNOWN_VERSION),
    "pbr": ("PBR_VERSION", "0.0.0"),
}
DEPENDENCIES = """\
uv venv --quiet --python "$(command -v python3)" /opt/venv
[ -z "$FORGE_LOCK_AS_OF" ] || export UV_EXCLUDE_NEWER="$FORGE_LOCK_AS_OF"
uv pip install --no-deps --requirements "$FORGE_LOCK"
"""


def draft_pip(project: Project, wanted: Wanted) -> list[Draft] | Failure:
    """Distinct drafts, best first; a failure where no Python is allowed that is available."""
    own = project.at(wanted.test_paths)
    facts = read(own, READERS)
    python = choose_python(facts, wanted.pythons, wanted.merged_at)
    image = wanted.image or (image_of(python) if python else None)
    if image is None:
        return Failure("data", "no_python", _no_python(facts, wanted))
    sets = requirement_sets(facts)
    recipe = _recipe(own, facts, wanted, image)
    drafts = [_draft(facts, recipe, found, with_compiler=n == 1) for n, found in enumerate(sets)]
    return _distinct(drafts)


def _no_python(facts: Facts, wanted: Wanted) -> str:
    allowed = ", ".join(dict.fromkeys(facts.python)) or "anything"
    return f"{allowed} of {', '.join(wanted.pythons)} on {wanted.merged_at:%Y-%m-%d}"


def _distinct(drafts: list[Draft]) -> list[Draft]:
    first: dict[tuple[str | None, str], Draft] = {}
    for draft in drafts:
        first.setdefault((draft.requirements, draft.recipe.sha), draft)
    return list(first.values())


def _draft(facts: Facts, recipe: Recipe, found: RequirementSet, *, with_compiler: bool) -> Draft:
    # What a project installs for its tests has names that another release may not know.
    told = tuple(sorted(set(facts.system_packages))) if with_compiler else ()
    packages = (*COMPILER, *told) if with_compiler or facts.is_compiled else ()
    return Draft(
        reader=found.reader,
        recipe=recipe.model_copy(update={"system_packages": packages}),
        requirements=lines_of(found.expanded),
        own_name=canonical(facts.name) if facts.name and facts.is_installable else None,
        dropped=tuple(dict.fromkeys(facts.dropped + found.expanded.dropped)),
    )


def lines_of(found: Expanded) -> str:
    """The text for the resolver: equal sets have equal texts."""
    return "".join(f"{line}\n" for line in sorted(found.requirements))


def _recipe(project: Project, facts: Facts, wanted: Wanted, image: str) -> Recipe:
    return Recipe(
        language="python",
        repo=wanted.repo,
        base_commit=wanted.base_commit,
        image=image,
        environment=_environment(project, facts),
        dependencies=DEPENDENCIES,
        install=_install(project, facts, wanted.merged_at),
        rebuild=f"{_editable(project, facts)} --offline\n" if facts.is_compiled else "",
        **asdict(running(project, facts)),
    )


def _environment(project: Project, facts: Facts) -> dict[str, str]:
    names = {
        re.split(r"[^\w.-]", r)[0]
        for n in facts.needs
        if n.purpose == "build"
        for r in n.requirements
    }
    tools = {canonical(name) for name in names if name}
    versions = {
        variable: facts.fallback_version or unknown
        for variable, unknown in (VERSION_TOOLS[t] for t in sorted(tools & set(VERSION_TOOLS)))
    }
    folder = f"/testbed/{project.root}".rstrip("/")
    path = {} if facts.is_installable else {"PYTHONPATH": f"{folder}:{folder}/src"}
    return dict(sorted({**path, **facts.environment, **versions}.items()))


def _install(project: Project, facts: Facts, merged_at: datetime) -> str:
    if not facts.is_installable:
        return ""
    newest = stamp(max(merged_at, EDITABLE_SINCE))
    return f"export UV_EXCLUDE_NEWER={newest}\n{_editable(project, facts)}\n"


def _editable(project: Project, facts: Facts) -> str:
    isolation = " --no-build-isolation" if facts.is_compiled else ""
    return f"uv pip install --no-deps{isolation} --editable {shlex.quote(project.root or '.')}"


def stamp(moment: datetime) -> str:
    """A time as uv reads it.

    >>> stamp(datetime(2026, 3, 5, 12))
    '2026-03-05T12:00:00Z'
    """
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
