"""pixi.toml and its guest in pyproject.toml: what of its environments an index of wheels has."""

from forge.recipes.conda import pip_line
from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, strings, table, text
from forge.recipes.requirement_lines import canonical

DEFAULT = "default"


def read_pixi(project: Project) -> Facts:
    """One need for each environment that pixi makes."""
    pixi = _declared(project)
    needs, dropped = [], list[str]()
    for name in {DEFAULT: None, **table(pixi, "environments")} if pixi else ():
        lines, left = _of(project, name)
        label = "dev" if name == DEFAULT else name
        needs += [Need("test", "pixi", f"environment {label}", tuple(lines))] if lines else []
        dropped += left
    return Facts(needs=tuple(needs), dropped=tuple(dict.fromkeys(dropped)))


def lines(project: Project, name: str) -> list[str]:
    """What one environment installs, as lines of a requirements file."""
    return _of(project, name or DEFAULT)[0] if _declared(project) else []


def task(project: Project, name: str) -> str:
    """The commands of a task, wherever it is defined."""
    pixi = _declared(project)
    features = [pixi, *map(table, table(pixi, "feature").values())]
    found = [value for place in features if (value := table(place, "tasks").get(name))]
    command = found[0] if found else ""
    return (
        text(command)
        or text(table(command).get("cmd"))
        or " ".join(strings(table(command).get("cmd")))
    )


def _declared(project: Project) -> Table:
    return project.toml("pixi.toml") or table(project.toml("pyproject.toml"), "tool", "pixi")


def _of(project: Project, name: str) -> tuple[list[str], list[str]]:
    pixi = _declared(project)
    environment = table(pixi, "environments").get(name, [])
    features = list(strings(environment)) or list(strings(table(environment).get("features")))
    if name == DEFAULT or table(environment).get("no-default-feature") != "true":
        features = [DEFAULT, *features]
    lines: list[str] = []
    dropped: list[str] = []
    for feature in features:
        place = pixi if feature == DEFAULT else table(pixi, "feature", feature)
        for package, wish in table(place, "dependencies").items():
            kept, left = pip_line(package, _version(wish))
            lines += [kept] if kept else []
            dropped += [left] if left else []
        lines += [_pypi(*pair) for pair in table(place, "pypi-dependencies").items()]
        # In pyproject.toml a feature takes the extra or the group of its name.
        guest = project.toml("pyproject.toml") if not project.text("pixi.toml") else {}
        if feature in table(guest, "dependency-groups"):
            lines.append(f"group:{feature}")
        if feature in table(guest, "project", "optional-dependencies"):
            lines.append(f".[{feature}]")
    return lines, dropped


def _version(wish: object) -> str:
    found = text(wish) or text(table(wish).get("version"))
    return "" if found == "*" else found


def _pypi(name: str, wish: object) -> str:
    extras = ",".join(strings(table(wish).get("extras")))
    if "path" in table(wish):
        return f".[{extras}]" if extras else "."
    if git := text(table(wish).get("git")):
        return f"{name} @ git+{git}"
    return f"{canonical(name)}{f'[{extras}]' if extras else ''}{_version(wish)}"
