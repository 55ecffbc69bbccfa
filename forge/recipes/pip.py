"""Recipes for Python projects: uv installs a lock and the project, pytest runs the tests."""

import re
import shlex
from dataclasses import asdict, replace
from datetime import datetime

from forge.effect import Failure
from forge.recipes import Recipe
from forge.recipes.conda import read_conda
from forge.recipes.drafts import Draft, Wanted
from forge.recipes.facts import Facts, Reader, read
from forge.recipes.github_actions import read_github_actions
from forge.recipes.native import COMPILER, Native, native
from forge.recipes.nox import read_nox
from forge.recipes.old_tools import DEPENDENCIES, or_as_before, or_unpinned
from forge.recipes.pipfile import read_pipfile
from forge.recipes.pixi import read_pixi
from forge.recipes.poetry import read_poetry
from forge.recipes.project import Project, table
from forge.recipes.pyproject import read_pyproject
from forge.recipes.pytest_config import read_pytest_config
from forge.recipes.python_tools import read_hatch, read_pdm, read_uv
from forge.recipes.pythons import choose_python, first_python, image_of, read_python_version
from forge.recipes.requirement_lines import canonical
from forge.recipes.requirement_sets import TOGETHER, Expanded, RequirementSet, requirement_sets
from forge.recipes.requirements_files import read_requirements
from forge.recipes.runners import called, running
from forge.recipes.setup_cfg import read_setup_cfg
from forge.recipes.setup_py import read_setup_py
from forge.recipes.siblings import read_siblings
from forge.recipes.surroundings import DISPLAY, fetching, read_surroundings, under_display
from forge.recipes.targets import read_readme, read_targets
from forge.recipes.tox import read_tox
from forge.recipes.versions import SILENT
from forge.recipes.versions import told as versions_told

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
    read_pipfile,
    read_pixi,
    read_conda,
    read_requirements,
    read_targets,
    read_readme,
    read_siblings,
    read_surroundings,
    read_python_version,
    read_pytest_config,
)

# setuptools 64.0 of August 2022 is the first that uv can ask for an editable install: what is
# older is built with it, and still runs with what its own day had.
EDITABLE_SINCE = datetime(2022, 9, 1)
CEILING = re.compile(r"[~=]=|<")


def draft_pip(project: Project, wanted: Wanted) -> list[Draft] | Failure:
    """Distinct drafts, best first; a failure where no Python is allowed that is available."""
    own = project.at(wanted.test_paths)
    said = read(own, READERS)
    facts = said | called(own, said)
    python = choose_python(facts, wanted.pythons, wanted.merged_at)
    if not (wanted.image or python):
        return Failure("data", "no_python", _no_python(facts, wanted))
    build = native(own, facts)
    return _distinct(
        [_draft(own, facts, wanted, found, build) for found in requirement_sets(facts)]
    )


def _no_python(facts: Facts, wanted: Wanted) -> str:
    allowed = ", ".join(dict.fromkeys(facts.python)) or "anything"
    return f"{allowed} of {', '.join(wanted.pythons)} on {wanted.merged_at:%Y-%m-%d}"


def _distinct(drafts: list[Draft]) -> list[Draft]:
    first: dict[tuple[str | None, str], Draft] = {}
    for draft in drafts:
        first.setdefault((draft.requirements, draft.recipe.sha), draft)
    return list(first.values())


def _draft(
    project: Project, facts: Facts, wanted: Wanted, found: RequirementSet, build: Native
) -> Draft:
    own = replace(
        facts,
        environment={**facts.environment, **found.place.environment},
        siblings={name: facts.siblings[name] for name in found.expanded.siblings},
    )
    recipe = _recipe(project, own, wanted, _image(facts, wanted, found))
    if found.place.has_display:
        shown = {name: under_display(getattr(recipe, name)) for name in ("probe", "test")}
        recipe = recipe.model_copy(update=shown)
    packages = {*build.packages, *_told(found), *(DISPLAY if found.place.has_display else ())}
    surroundings = dict.fromkeys((*found.place.surroundings, *facts.surroundings))
    update = {
        "system_packages": tuple(sorted(packages)),
        "environment": {**recipe.environment, **build.environment},
        "rebuild": recipe.rebuild and build.offline + recipe.rebuild,
        "surroundings": tuple(surroundings),
    }
    return Draft(
        reader=found.reader,
        recipe=recipe.model_copy(update=update),
        requirements=lines_of(found.expanded | Expanded(build.requirements)),
        own_name=canonical(facts.name) if facts.name and facts.is_installable else None,
        dropped=tuple(dict.fromkeys(facts.dropped + build.dropped + found.expanded.dropped)),
    )


def _told(found: RequirementSet) -> tuple[str, ...]:
    """System packages: dependencies without wheels are compiled where all else has failed."""
    return (*found.place.system_packages, *([COMPILER] if found.reader == TOGETHER else []))


def _image(facts: Facts, wanted: Wanted, found: RequirementSet) -> str:
    pins = sum("==" in line for line in found.expanded.requirements)
    is_old = (
        facts.is_compiled or found.reader == TOGETHER or pins > len(found.expanded.requirements) / 3
    )
    choose = first_python if is_old else choose_python
    named = [v for v in found.place.pythons if v in wanted.pythons] or facts.pythons
    python = choose(replace(facts, pythons=tuple(named)), wanted.pythons, wanted.merged_at)
    return wanted.image or image_of(str(python))


def lines_of(found: Expanded) -> str:
    """The text for the resolver: equal sets have equal texts."""
    return "".join(f"{line}\n" for line in sorted(found.requirements))


def _recipe(project: Project, facts: Facts, wanted: Wanted, image: str) -> Recipe:
    touched = tuple(path for path in wanted.test_paths if path.endswith(".py"))
    return Recipe(
        language="python",
        repo=wanted.repo,
        base_commit=wanted.base_commit,
        image=image,
        environment=_environment(project, facts, wanted),
        dependencies=DEPENDENCIES,
        install=_install(project, facts, wanted),
        rebuild=f"{_editable(project, facts, ' --offline')}\n" if facts.is_compiled else "",
        touched=touched,
        **asdict(running(project, facts, touched)),
    )


def _environment(project: Project, facts: Facts, wanted: Wanted) -> dict[str, str]:
    version = wanted.version or facts.fallback_version
    folder = f"/testbed/{project.root}".rstrip("/")
    path = {} if facts.is_installable else {"PYTHONPATH": f"{folder}:{folder}/src"}
    versions = versions_told(_build_tools(project, facts), version)
    return dict(sorted({**path, **facts.environment, **versions}.items()))


def _build_tools(project: Project, facts: Facts) -> set[str]:
    configured = {*project.ini("setup.cfg"), *table(project.toml("pyproject.toml"), "tool")}
    return {*_build_needs(facts)} | (configured & SILENT)


def _build_needs(facts: Facts) -> dict[str, str]:
    """By name: the requirements of building."""
    lines = [r for n in facts.needs if n.purpose == "build" for r in n.requirements]
    return {canonical(name): line for line in lines if (name := re.split(r"[^\w.-]", line)[0])}


def _install(project: Project, facts: Facts, wanted: Wanted) -> str:
    beside = "".join(_beside(project, name, one.folder) for name, one in facts.siblings.items())
    if not (facts.is_installable or beside):
        return fetching(facts)
    newest = stamp(max(wanted.merged_at, EDITABLE_SINCE))
    line = f"{_editable(project, facts)}\n" if facts.is_installable else ""
    if line and wanted.tag and _build_tools(project, facts) & SILENT:
        tag = shlex.quote(wanted.tag)
        line = f"git tag {tag}\n{line}git tag --delete {tag}\n"
    return f"{fetching(facts)}export UV_EXCLUDE_NEWER={newest}\n{beside}{line}"


def _beside(project: Project, name: str, folder: str) -> str:
    """Shell that installs a sibling as it stands in the repository; what cannot be, as released."""
    standing = _editable(replace(project, root=folder), Facts())
    return f"{standing} || uv pip install --no-deps {name}\n"


def _editable(project: Project, facts: Facts, options: str = "") -> str:
    isolation = " --no-build-isolation" if facts.is_compiled else ""
    folder = shlex.quote(project.root or ".")
    standard = f"uv pip install --no-deps{isolation} --editable {folder}{options}"
    if project.text("setup.py"):
        return or_as_before(standard, folder)
    needs = _build_needs(facts)
    is_pinned = CEILING.search(needs.pop("setuptools", ""))
    return or_unpinned(standard, needs.values()) if is_pinned and not isolation else standard


def stamp(moment: datetime) -> str:
    """A time as uv reads it.

    >>> stamp(datetime(2026, 3, 5, 12))
    '2026-03-05T12:00:00Z'
    """
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
