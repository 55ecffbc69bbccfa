"""Tables of Python's project tools in pyproject.toml: uv, PDM, Hatch."""

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, strings, table, text
from forge.recipes.requirement_lines import canonical

TESTER = "hatch-test"
# What Hatch itself puts into the environment of `hatch test`, but for what shuffles tests.
UNASKED = ("coverage[toml]", "pytest", "pytest-mock", "pytest-rerunfailures", "pytest-xdist")


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
    environments = _hatch(project)
    needs = [
        Need("test", "hatch", f"environment {_label(name)}", hatch_lines(project, name))
        for name in environments
    ]
    versions = [v for environment in environments.values() for v in _hatch_pythons(environment)]
    return Facts(needs=tuple(n for n in needs if n.requirements), pythons=tuple(versions))


def hatch_lines(project: Project, name: str) -> tuple[str, ...]:
    """What one of Hatch's environments installs, what it inherits included."""
    environments = _hatch(project)
    own = table(environments.get(name))
    lines = _hatch_lines(own)
    if name == TESTER and not strings(own.get("dependencies")):
        lines = (*UNASKED, *lines)
    parent = text(own.get("template")) or ("default" if name != "default" else name)
    is_alone = parent == name or own.get("detached") is True
    return lines if is_alone else (*hatch_lines_once(environments, parent, own), *lines)


def hatch_lines_once(environments: Table, parent: str, own: Table) -> tuple[str, ...]:
    """What a template gives to an environment that does not say it itself."""
    given = {k: v for k, v in table(environments.get(parent)).items() if k not in own}
    return _hatch_lines(given)


def hatch_script(project: Project, name: str, script: str) -> str:
    """The commands of a script of an environment; empty where there is none of that name."""
    environments = _hatch(project)
    scripts = {**table(environments, "default", "scripts"), **table(environments, name, "scripts")}
    lines = list(strings(scripts.get(script))) or [text(scripts.get(script))]
    # A script may name another, and may add words to it.
    inner = [text(scripts.get(line.split()[0])) if line.split() else "" for line in lines]
    return "\n".join(other or line for line, other in zip(lines, inner, strict=True))


def _hatch(project: Project) -> Table:
    own = table(project.toml("pyproject.toml"), "tool", "hatch", "envs")
    return own | table(project.toml("hatch.toml"), "envs")


def _label(name: str) -> str:
    # Hatch's default environment is where people develop.
    return {"default": "dev", TESTER: "test"}.get(name, name)


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
