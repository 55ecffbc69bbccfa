"""The other projects of a repository, which one of them may need as they stand beside it."""

from dataclasses import replace

from forge.recipes.facts import Facts, Sibling, read
from forge.recipes.poetry import read_poetry
from forge.recipes.project import Project
from forge.recipes.pyproject import read_pyproject
from forge.recipes.requirement_lines import canonical
from forge.recipes.setup_cfg import read_setup_cfg
from forge.recipes.setup_py import read_setup_py

READERS = (read_pyproject, read_poetry, read_setup_cfg, read_setup_py)
MOST = 60


def read_siblings(project: Project) -> Facts:
    """Every other project by its name, but those that must be compiled: the index has wheels."""
    folders = [folder for folder in project.projects if folder != project.root][:MOST]
    told = {folder: read(replace(project, root=folder), READERS) for folder in folders}
    return Facts(
        siblings={
            canonical(facts.name): Sibling(folder, facts.runtime)
            for folder, facts in told.items()
            if facts.name and facts.is_installable and not facts.is_compiled
        }
    )
