"""Projects of one repository that need each other, in literal files."""

from datetime import datetime

from forge.recipes.drafts import Draft, Wanted
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project

BUILD = '[build-system]\nrequires = ["hatchling"]\n'
FILES = {
    "pyproject.toml": '[dependency-groups]\ndev = ["pytest", "tools"]\n',
    "core/pyproject.toml": '[project]\nname = "core"\ndependencies = ["base_lib==9", "attrs"]\n'
    + BUILD,
    "libs/base/pyproject.toml": '[project]\nname = "base-lib"\ndependencies = ["core", "six"]\n'
    + BUILD,
    "libs/fast/pyproject.toml": '[project]\nname = "fast"\n'
    + BUILD.replace("hatchling", "maturin"),
    "libs/tools/setup.py": "setup(name='tools')\n",
    "libs/unasked/pyproject.toml": '[project]\nname = "unasked"\n' + BUILD,
}


def first(files: dict[str, str]) -> Draft:
    wanted = Wanted("o/r", "c" * 40, datetime(2026, 3, 5), ("core/tests/test_a.py",), ("3.12",))
    drafts = draft_pip(Project(files), wanted)
    assert isinstance(drafts, list)
    return drafts[0]


def test_siblings_are_installed_as_they_stand_and_what_they_need_from_the_index():
    draft = first(FILES)
    assert draft.reader == "pyproject: group dev"
    assert (draft.requirements or "").split() == ["attrs", "pytest", "six"]
    base, tools, core = draft.recipe.install.splitlines()[1:]
    assert (
        base == "uv pip install --no-deps --editable libs/base || uv pip install --no-deps base-lib"
    )
    assert tools.startswith("uv pip install --no-deps --editable libs/tools || (cd libs/tools && ")
    assert tools.endswith(" || uv pip install --no-deps tools")
    assert core == "uv pip install --no-deps --editable core"


def test_folder_that_automation_installs_is_the_sibling_in_it():
    steps = "[{run: 'pip install ./libs/base -e core[more] pytest && pytest'}]"
    ci = f"on: push\njobs: {{test: {{steps: {steps}}}}}"
    more = '[project.optional-dependencies]\nmore = ["respx"]\n'
    files = {**FILES, "core/pyproject.toml": FILES["core/pyproject.toml"] + more}
    draft = first({**files, ".github/workflows/ci.yml": ci})
    assert draft.reader == "github_actions: test job test"
    assert (draft.requirements or "").split() == ["attrs", "pytest", "respx", "six"]
    assert "--editable libs/base" in draft.recipe.install


def test_compiled_sibling_is_asked_of_the_index_which_has_wheels():
    core = FILES["core/pyproject.toml"].replace("base_lib==9", "fast")
    draft = first({**FILES, "core/pyproject.toml": core, "pyproject.toml": ""})
    assert (draft.requirements or "").split() == ["attrs", "fast", "pytest"]
    assert "libs/fast" not in draft.recipe.install
