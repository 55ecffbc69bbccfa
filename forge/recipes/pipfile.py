"""Pipfile: what Pipenv installs, as the resolver reads it."""

from forge.recipes.facts import Facts, Need
from forge.recipes.poetry import lines_of_table
from forge.recipes.project import Project, table


def read_pipfile(project: Project) -> Facts:
    """Its packages, and those for development."""
    declared = project.toml("Pipfile")
    run = lines_of_table(table(declared, "packages"))
    dev = lines_of_table(table(declared, "dev-packages"))
    needs = [Need("run", "pipfile", "packages", run)] if run else []
    needs += [Need("test", "pipfile", "dev-packages", dev)] if dev else []
    return Facts(needs=tuple(needs), groups={"pipenv-dev": dev} if dev else {})
