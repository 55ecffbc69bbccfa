from dataclasses import replace
from datetime import datetime

import pytest

from forge.errors import InputError
from forge.recipes.drafts import Wanted
from forge.recipes.hand_written import read_hand_recipes
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project

(FOUND,) = draft_pip(
    Project({}), Wanted("a/b", "c" * 40, datetime(2026, 3, 5), ("tests/test_a.py",), ("3.11",))
)


def over(text):
    (hand,) = read_hand_recipes({"a__b": text}).values()
    return hand.over(FOUND)


def test_empty_recipe_is_what_the_search_found_under_another_reader():
    draft = over("")
    assert (draft.reader, draft.recipe) == ("hand_written", FOUND.recipe)
    assert draft.requirements == "pytest\n"


def test_everything_that_is_said_takes_the_place_of_what_was_found():
    draft = over("""
        image = "python:3.12-slim-bookworm"
        system_packages = ["libxml2-dev"]
        requirements = ["attrs>=20"]
        test = "true"
        [environment]
        PYTHONPATH = "/testbed/lib"
    """)
    assert draft.requirements == "attrs>=20\npytest\n"
    assert draft.recipe.image == "python:3.12-slim-bookworm"
    assert draft.recipe.system_packages == ("libxml2-dev",)
    assert draft.recipe.environment == {"PYTHONPATH": "/testbed/lib"}
    assert (draft.recipe.test, draft.recipe.probe) == ("true", FOUND.recipe.probe)


@pytest.mark.parametrize(
    ("test", "runner", "results"),
    [
        ('python -m pytest --junitxml="$FORGE_RESULT"', "", "junit"),
        ('python "$FORGE_RUNNER" run . 0 -m unittest tests', "unittest", "record"),
    ],
)
def test_command_has_the_results_of_pytest_unless_it_is_the_record(test, runner, results):
    found = replace(
        FOUND,
        recipe=FOUND.recipe.model_copy(update={"runner": "unittest", "results": "record"}),
    )
    (hand,) = read_hand_recipes({"a__b": f"test = '{test}'"}).values()
    recipe = hand.over(found).recipe
    assert (recipe.runner, recipe.results) == (runner, results)


def test_lock_that_is_given_is_not_resolved():
    draft = over('lock = "pytest==9.0.2"')
    assert (draft.recipe.lock, draft.requirements) == ("pytest==9.0.2", None)


def test_repositories_compare_without_case():
    assert list(read_hand_recipes({"OldMill__Al__manac": ""})) == ["oldmill/al__manac"]


@pytest.mark.parametrize(
    ("stem", "text", "words"),
    [
        ("a__b", "imag = 'x'", "recipes/a__b.toml: no such key: imag"),
        ("a__b", "system_packages = 'x'", "recipes/a__b.toml: system_packages: "),
        ("a__b", "[environment]\nA = 1", "recipes/a__b.toml: environment.A: "),
        ("a__b", "image = ", "recipes/a__b.toml is not TOML: "),
        ("a__b", "requirements = ['-r x']", "recipes/a__b.toml: requirements: '-r x' is not"),
        ("almanac", "", "recipes/almanac.toml: no repository has this name"),
    ],
)
def test_slip_is_refused_by_file_and_key(stem, text, words):
    with pytest.raises(InputError) as error:
        read_hand_recipes({stem: text})
    assert str(error.value).startswith(words)
