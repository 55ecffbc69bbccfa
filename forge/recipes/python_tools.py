"""Tables of Python's project tools in pyproject.toml: uv, PDM, Hatch."""

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, strings, table, text
from forge.recipes.requirement_lines import canonical


def read_uv(project: Project) -> Facts:
    """Development dependencies of uv, from before dependency groups."""
    uv = table(project.toml("pyproject.toml"), "tool", "uv")
    lines = strings(uv.get("dev-dependencies"))
    needs = (Need("test", "uv", "dev-dependencies", lines),) if lines else ()
    return Facts(needs=needs)


def read_pdm(project: Project) -> Facts:
    """PDM's development dependencies."""
    groups = table(project.toml("pyproject.toml"), "tool", "pdm", "dev-dependencies")
    needs = [Need("test", "pdm", f"dev-dependencies {n}", strings(v)) for n, v in groups.items()]
    return Facts(needs=tuple(needs), groups={canonical(n): strings(v) for n, v in groups.items()})


def read_hatch(project: Project) -> Facts:
    """The environments that Hatch tests in."""
    own = table(project.toml("pyproject.toml"), "tool", "hatch", "envs")
    environments = own | table(project.toml("hatch.toml"), "envs")
    needs = [
        Need("test", "hatch", f"environment {_label(name)}", _hatch_lines(table(environment)))
        for name, environment in environments.items()
    ]
    versions = [v for environment in environments.values() for v in _hatch_pythons(environment)]
    return Facts(needs=tuple(n for n in needs if n.requirements), pythons=tuple(versions))


def _label(name: str) -> str:
    # Hatch's default environment is where people develop.
    return "dev" if name == "default" else name


def _hatch_lines(environment: Table) -> tuple[str, ...]:
    keys = ("dependencies", "extra-dependencies")
    lines = [line for key in keys for line in strings(environment.get(key))]
    extras = [f".[{name}]" for name in strings(environment.get("features"))]
    groups = [f"group:{name}" for name in strings(environment.get("dependency-groups"))]
    return (*lines, *extras, *groups)


def _hatch_pythons(environment: object) -> list[str]:
    matrix = table(environment).get("matrix")
    rows = matrix if isinstance(matrix, list) else []
    return [text(v) for row in rows for v in strings(table(row).get("python"))]
