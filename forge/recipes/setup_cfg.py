"""setup.cfg: declarative metadata of setuptools (and pbr)."""

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project
from forge.recipes.pyproject import named_pythons
from forge.recipes.requirement_lines import canonical, included, joined


def read_setup_cfg(project: Project) -> Facts:
    """What `[metadata]`, `[options]` and `[options.extras_require]` say."""
    sections = project.ini("setup.cfg")
    metadata, options = (_underscored(sections.get(n, {})) for n in ("metadata", "options"))
    extras = {
        canonical(name): _lines(project, value)
        for name, value in sections.get("options.extras_require", {}).items()
    }
    return Facts(
        name=metadata.get("name") or None,
        is_installable="metadata" in sections or "options" in sections,
        python=tuple(filter(None, [options.get("python_requires", "").strip()])),
        pythons=named_pythons(tuple(metadata.get("classifiers", "").splitlines())),
        needs=(
            *_need(project, options, "install_requires", "run"),
            *_need(project, options, "tests_require", "test"),
            *_need(project, options, "setup_requires", "build"),
            *(Need("test", "setup_cfg", f"extra {n}", lines) for n, lines in extras.items()),
        ),
        extras=extras,
    )


def _underscored(section: dict[str, str]) -> dict[str, str]:
    # setuptools took dashes too, until 2025.
    return {key.replace("-", "_"): value for key, value in section.items()}


def _need(project: Project, options: dict[str, str], key: str, purpose: str) -> list[Need]:
    lines = _lines(project, options.get(key, ""))
    return [Need(purpose, "setup_cfg", key, lines)] if lines else []  # type: ignore[arg-type]


def _lines(project: Project, value: str) -> tuple[str, ...]:
    if value.strip().startswith("file:"):
        names = value.strip().removeprefix("file:").split(",")
        value = "\n".join(project.text(name.strip()) for name in names)
    return included(joined(value.replace(";\n", "\n")), project.files, project.root)
