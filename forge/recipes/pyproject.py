"""pyproject.toml: project metadata (PEP 621), dependency groups (PEP 735), the build system."""

import re

from packaging.requirements import InvalidRequirement, Requirement

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, strings, table, text
from forge.recipes.requirement_lines import canonical, included, joined

CLASSIFIER = "Programming Language :: Python :: 3."
COMPILERS = frozenset({
    "cython", "meson-python", "scikit-build", "scikit-build-core", "pybind11", "nanobind", "cffi",
    "maturin", "setuptools-rust", "py-build-cmake", "hatch-cython", "hatch-mypyc", "cmake", "swig",
})  # fmt: skip


def read_pyproject(project: Project) -> Facts:
    """What the tables that standards define say."""
    declared = project.toml("pyproject.toml")
    metadata = table(declared, "project")
    # Who installs a workspace's member has the groups of the whole workspace, too.
    outward = [_groups(place.toml("pyproject.toml")) for place in project.outward]
    groups = next(filter(None, outward), {})
    extras = _extras(project, declared)
    return Facts(
        name=text(metadata.get("name")) or None,
        is_installable=_is_installable(declared),
        is_compiled=_is_compiled(declared),
        fallback_version=_fallback_version(table(declared, "tool")),
        python=tuple(filter(None, [text(metadata.get("requires-python"))])),
        pythons=named_pythons(strings(metadata.get("classifiers"))),
        needs=(
            *_run(project, declared),
            *(Need("test", "pyproject", f"group {n}", rs) for n, rs in groups.items()),
            *(Need("test", "pyproject", f"extra {n}", rs) for n, rs in extras.items()),
            Need("build", "pyproject", "build-system", _build_requirements(declared)),
        ),
        extras=extras,
        groups={name: rs for found in reversed(outward) for name, rs in found.items()},
    )


def named_pythons(classifiers: tuple[str, ...]) -> tuple[str, ...]:
    """Python versions among the classifiers.

    >>> named_pythons(("Programming Language :: Python :: 3.11", "Topic :: Software Development"))
    ('3.11',)
    """
    return tuple(
        c.removeprefix("Programming Language :: Python :: ")
        for c in map(str.strip, classifiers)
        if c.startswith(CLASSIFIER)
    )


def _is_installable(declared: Table) -> bool:
    has_build = bool({"project", "build-system"} & set(declared))
    is_application = (
        table(declared, "tool", "uv").get("package") is False
        or table(declared, "tool", "poetry").get("package-mode") is False
    )
    return has_build and not is_application


def _is_compiled(declared: Table) -> bool:
    names = {_name(requirement) for requirement in _build_requirements(declared)}
    return bool(COMPILERS & names or table(declared, "tool", "setuptools").get("ext-modules"))


def _fallback_version(tools: Table) -> str | None:
    named = (
        table(tools, "setuptools_scm").get("fallback_version"),
        table(tools, "hatch", "version").get("fallback-version"),
        table(tools, "pdm", "version").get("fallback_version"),
    )
    return next((text(v) for v in named if re.fullmatch(r"[\w.+!-]+", text(v))), None)


def _build_requirements(declared: Table) -> tuple[str, ...]:
    return strings(table(declared, "build-system").get("requires"))


def _name(requirement: str) -> str:
    try:
        return canonical(Requirement(requirement).name)
    except InvalidRequirement:
        return ""


def _run(project: Project, declared: Table) -> list[Need]:
    metadata = table(declared, "project")
    if "dependencies" in metadata:
        return [Need("run", "pyproject", "dependencies", strings(metadata["dependencies"]))]
    if "dependencies" not in strings(metadata.get("dynamic")):
        return [Need("run", "pyproject", "dependencies", ())] if metadata else []
    dynamic = table(declared, "tool", "setuptools", "dynamic", "dependencies").get("file")
    hook = table(declared, "tool", "hatch", "metadata", "hooks", "requirements_txt").get("files")
    lines = _of_files(project, dynamic or hook)
    return [Need("run", "pyproject", "dynamic dependencies", lines)] if lines else []


def _of_files(project: Project, names: object) -> tuple[str, ...]:
    listed = [names] if isinstance(names, str) else list(strings(names))
    lines = [line for name in listed for line in joined(project.text(name))]
    return included(lines, project.files, project.root)


def _extras(project: Project, declared: Table) -> dict[str, tuple[str, ...]]:
    fixed = table(declared, "project", "optional-dependencies")
    dynamic = table(declared, "tool", "setuptools", "dynamic", "optional-dependencies")
    return {canonical(n): strings(rs) for n, rs in fixed.items()} | {
        canonical(n): _of_files(project, table(f).get("file")) for n, f in dynamic.items()
    }


def _groups(declared: Table) -> dict[str, tuple[str, ...]]:
    groups = table(declared, "dependency-groups")
    return {canonical(name): _members(value) for name, value in groups.items()}


def _members(value: object) -> tuple[str, ...]:
    members = value if isinstance(value, list) else []
    texts = [
        m if isinstance(m, str) else f"group:{table(m)['include-group']}"
        for m in members
        if isinstance(m, str) or text(table(m).get("include-group"))
    ]
    return tuple(texts)
