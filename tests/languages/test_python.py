import re

import polars as pl
import pytest

from forge.languages import languages
from forge.languages.python import PYTHON, targets

TESTS = [
    "tests/test_a.py",
    "tests/data/big.bin",
    "test/helper.py",
    "testing/code/test_source.py",
    "src/pkg/tests/fixtures/a.json",
    "src/pkg/tests.py",
    "conftest.py",
    "src/conftest.py",
    "pkg/test_a.py",
    "pkg/a_test.py",
    "unit_tests/a.txt",
    "src/__snapshots__/x.ambr",
]
NO_TESTS = [
    "src/latest.py",
    "contest/a.py",
    "attestation/sign.py",
    "src/pkg/testing/asserts.py",
    "src/testimony.py",
    "protest.py",
    "docs/tests.md",
    "src/greatest/x.py",
    "src/pkg/test_data.json",
]
MANIFESTS = [
    "pkg/__pkginfo__.py",
    "pyproject.toml",
    "libs/a/setup.py",
    "setup.cfg",
    "tox.ini",
    "pytest.ini",
    ".pytest.toml",
    "noxfile.py",
    ".python-version",
    "requirements.txt",
    "dev-requirements.in",
    "requirements/ci/test.txt",
    "deps/base.pip",
    ".github/workflows/ci.yml",
    ".github/actions/setup/action.yml",
    "Makefile",
    "Pipfile",
    "pixi.toml",
    "ci/environment-py310.yml",
    "scripts/install",
    ".gitmodules",
    ".gitattributes",
    "README.md",
]
NO_MANIFESTS = ["src/setup_tools.py", "docs/pyproject.toml.md", "a/README.md", "docs/index.txt"]


@pytest.mark.parametrize("path", TESTS)
def test_path_of_a_test_or_of_what_tests_read_is_a_test(path):
    assert re.search(PYTHON.tests, path)


@pytest.mark.parametrize("path", NO_TESTS)
def test_path_that_only_sounds_like_a_test_is_none(path):
    assert not re.search(PYTHON.tests, path)


@pytest.mark.parametrize("path", MANIFESTS)
def test_manifest_is_known_by_its_path(path):
    assert re.search(PYTHON.manifests, path)


@pytest.mark.parametrize("path", NO_MANIFESTS)
def test_other_files_are_no_manifests(path):
    assert not re.search(PYTHON.manifests, path)


@pytest.mark.parametrize("pattern", [PYTHON.source, PYTHON.tests, PYTHON.manifests])
def test_polars_and_python_agree_on_every_pattern(pattern):
    paths = [*TESTS, *NO_TESTS, *MANIFESTS, *NO_MANIFESTS]
    by_polars = pl.Series(paths).str.contains(pattern).to_list()
    assert by_polars == [bool(re.search(pattern, path)) for path in paths]


@pytest.mark.parametrize(
    ("touched", "chosen"),
    [
        (["tests/test_a.py"], ["tests/test_a.py"]),
        (["pkg/a_test.py", "pkg/tests.py"], ["pkg/a_test.py", "pkg/tests.py"]),
        (["tests/conftest.py"], ["tests"]),
        (["conftest.py", "tests/test_a.py"], []),
        (["tests/unit/__init__.py"], ["tests/unit"]),
        (["tests/data/deep/a.json"], ["tests"]),
        (["tests/integration/__snapshots__/a.ambr"], ["tests/integration"]),
        (["tests/data/gen.py"], ["tests"]),
        (["src/pkg/tests/fixtures/a.json"], ["src/pkg/tests"]),
        (["tests/data/a.json", "tests/unit/test_a.py"], ["tests"]),
        (["pkg/test_a.py", "tests/helpers.py"], ["pkg/test_a.py", "tests"]),
        ([], []),
    ],
)
def test_touched_paths_choose_test_files_and_the_suites_that_own_the_rest(touched, chosen):
    assert targets(touched) == chosen


def test_languages_are_found_by_name():
    assert languages()["python"] is PYTHON
