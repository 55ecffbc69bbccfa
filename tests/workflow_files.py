"""Literal workflows, and what a project with them tells about its tests."""

import textwrap

from forge.recipes.facts import Facts, Place
from forge.recipes.github_actions import read_github_actions
from forge.recipes.project import Project

HEAD = "on: [push]\njobs:\n"


def facts(files: dict[str, str], **workflows: str) -> Facts:
    told = {
        f".github/workflows/{name}.yml": HEAD + textwrap.indent(textwrap.dedent(text), " ")
        for name, text in workflows.items()
    }
    return read_github_actions(Project({**told, **files}))


def first(found: Facts) -> tuple[str, ...]:
    return found.needs[0].requirements


def place(found: Facts) -> Place:
    return found.needs[0].place or Place()
