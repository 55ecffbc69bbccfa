import base64
import json
import shutil
import sys
from pathlib import Path

import pytest
from projects import archive_of

from forge.inside import restore
from forge.inside.base import MOST_BYTES, keep, put_back
from forge.languages.python import PYTHON

RULES = json.loads(PYTHON.rules())
PYTEST = "[tool:pytest]\naddopts = -q\n"
TOML = '[project]\nname = "a"\n\n[tool.pytest.ini_options]\naddopts = "-q"\n'


@pytest.fixture
def testbed(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "testbed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "restore", restore)
    return folder


def write(files: dict[str, str | None]) -> None:
    for path, content in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Path(path).unlink()
        else:
            Path(path).write_text(content, encoding="utf-8")


def after(
    base: dict[str, str],
    patch: dict[str, str | None],
    merge: dict[str, str] | None = None,
    removed: tuple[str, ...] = (),
) -> dict[str, str]:
    """The files of a repository whose image was made of `base`, patched and put back."""
    write(base)
    keep("../kept.tar.gz", RULES)
    write(patch)
    hidden = Path("../tests.tar.gz")
    hidden.write_bytes(base64.b64decode(archive_of(merge or {})))
    put_back("../kept.tar.gz", str(hidden), list(removed), RULES)
    return {str(p): p.read_text() for p in sorted(Path().rglob("*")) if p.is_file()}


@pytest.mark.usefixtures("testbed")
def test_code_is_the_patchs_and_tests_are_the_merges():
    base = {"sums.py": "old", "tests/test_a.py": "old", "tests/helper.py": "old"}
    patch = {"sums.py": "new", "more.py": "new", "tests/helper.py": "edited", "tests/b.py": "new"}
    found = after(base, patch, {"tests/test_a.py": "hidden"})
    assert found == {
        "more.py": "new",
        "sums.py": "new",
        "tests/helper.py": "old",
        "tests/test_a.py": "hidden",
    }


@pytest.mark.usefixtures("testbed")
def test_what_the_install_left_among_the_tests_stays():
    assert after({"tests/fast.so": "built"}, {"tests/fast.so": None}) == {"tests/fast.so": "built"}


@pytest.mark.usefixtures("testbed")
@pytest.mark.parametrize(
    "path",
    [
        *("conftest.py", "src/conftest.py", "pytest.ini", "sub/.pytest.ini", "pytest.toml"),
        *("sitecustomize.py", "sitecustomize.pyc", "src/usercustomize/__init__.py", "pytest.py"),
        *(
            "_pytest/config.py",
            "pluggy.so",
            "x.egg-info/entry_points.txt",
            "x-1.dist-info/METADATA",
            "x.EGG-INFO/entry_points.txt",
            "src/x.Dist-Info/METADATA",
        ),
    ],
)
def test_file_that_the_runner_loads_unasked_is_taken_away_or_put_back(path):
    assert after({}, {path: "planted"}) == {}
    assert after({path: "own"}, {path: "planted"}) == {path: "own"}
    assert after({path: "own"}, {path: None}) == {path: "own"}


@pytest.mark.usefixtures("testbed")
@pytest.mark.parametrize("path", ["src/pytest/a.py", "src/_pytest/a.py", "my_conftest.py", "a.ini"])
def test_file_of_a_like_name_is_the_patchs(path):
    assert after({path: "old"}, {path: "new"}) == {path: "new"}


@pytest.mark.usefixtures("testbed")
@pytest.mark.parametrize("path", ["sub/pytest.py", "lib/a/_pytest/b.py", "src/pluggy.abi3.so"])
def test_module_of_the_runners_name_is_no_patchs_where_the_base_has_none(path):
    assert after({"docs/pytest.rst": "", "sub/pytest/a.py": ""}, {path: "planted"}) == {
        "docs/pytest.rst": "",
        "sub/pytest/a.py": "",
    }
    assert path in after({}, {path: "planted"}, {path: "the merge's"})


@pytest.mark.usefixtures("testbed")
def test_new_file_of_the_runners_name_that_nothing_imports_is_the_patchs():
    patch = {"docs/pytest.rst": "", "requirements/pytest.txt": ""}
    assert after({}, patch) == patch


@pytest.mark.usefixtures("testbed")
def test_module_of_the_runners_name_is_the_patchs_where_the_base_has_it():
    patch = {"src/_pytest/a.py": None, "src/_pytest/new/b.py": "b", "x/pytest.py": "new"}
    base = {"src/_pytest/a.py": "a", "src/_pytest/c.py": "c", "x/pytest.py": "old"}
    assert after(base, patch) == {
        "src/_pytest/c.py": "c",
        "src/_pytest/new/b.py": "b",
        "x/pytest.py": "new",
    }


def test_link_to_a_folder_as_a_module_of_the_runners_name_is_taken_away(testbed):
    write({"sub/a.py": "", "evil/__init__.py": ""})
    keep("../kept.tar.gz", RULES)
    Path("sub/pytest").symlink_to("../evil")
    put_back("../kept.tar.gz", _empty(testbed), [], RULES)
    assert [p.name for p in Path("sub").iterdir()] == ["a.py"]


SETTINGS = [
    ("setup.cfg", "[metadata]\nname = a\n" + PYTEST, "[metadata]\nname = b\n" + PYTEST),
    ("setup.cfg", "[metadata]\nname = a\n", "[metadata]\nname = b\n"),
    ("tox.ini", "[tox]\nenvlist = a\n[pytest]\n", "[pytest]\n\n[tox]\nenvlist = b\n"),
    ("pyproject.toml", TOML, TOML.replace('"a"', '"b"')),
    ("pyproject.toml", TOML, 'tool.pytest.ini_options.addopts = "-q"\n[project]\nname = "b"\n'),
]


@pytest.mark.usefixtures("testbed")
@pytest.mark.parametrize(("path", "base", "patch"), SETTINGS)
def test_settings_that_tell_the_runner_the_same_are_the_patchs(path, base, patch):
    if path == "tox.ini":
        patch = patch.replace("[pytest]\n\n", "[pytest]\n")
    assert after({path: base}, {path: patch}) == {path: patch}


ADDED = "-p forger"
LONG = f"# {'x' * MOST_BYTES}\n"


@pytest.mark.usefixtures("testbed")
@pytest.mark.parametrize(
    ("path", "base", "patch"),
    [
        ("setup.cfg", PYTEST, PYTEST.replace("-q", ADDED)),
        ("setup.cfg", "[a]\n", f"[a]\n[tool:pytest]\naddopts = {ADDED}\n"),
        ("setup.cfg", PYTEST, f"{PYTEST}  [x]\naddopts = {ADDED}\n"),
        ("setup.cfg", PYTEST, f"{PYTEST}[x\naddopts = {ADDED}\n"),
        ("setup.cfg", PYTEST, f"{PYTEST}\x0b[x]y\naddopts = {ADDED}\n"),
        ("tox.ini", "[a]\n", f"[a]\r[pytest] # words\raddopts = {ADDED}\r"),
        ("pyproject.toml", TOML, TOML.replace("-q", ADDED)),
        ("pyproject.toml", "a = 1\n", f'a = 1\n[tool."py\\u0074est"]\naddopts = "{ADDED}"\n'),
        ("pyproject.toml", "a = 1\n", f'tool = {{pytest.ini_options.addopts = "{ADDED}"}}\n'),
        ("pyproject.toml", TOML, TOML + "\nno TOML"),
        ("pyproject.toml", TOML, "name = 1\n"),
        ("pyproject.toml", TOML, None),
        ("tox.ini", "[tox]\n", f"{LONG}[pytest]\naddopts = {ADDED}\n"),
        ("tox.ini", f"{LONG}[tox]\n", f"{LONG}[pytest]\naddopts = {ADDED}\n"),
    ],
    ids=range(14),
)
def test_settings_that_tell_the_runner_something_else_are_the_merges(path, base, patch):
    assert after({path: base}, {path: patch}) == {path: base}
    merge = f"{base}# words of the merge\n"
    assert after({path: base}, {path: patch}, {path: merge}) == {path: merge}


@pytest.mark.usefixtures("testbed")
def test_new_settings_are_the_patchs_unless_they_concern_the_runner():
    patch = {"tox.ini": "[tox]\n", "setup.cfg": PYTEST, "sub/pyproject.toml": "a = 1\n"}
    found = after({"a.py": ""}, patch)
    assert sorted(found) == ["a.py", "sub/pyproject.toml", "tox.ini"]


@pytest.mark.usefixtures("testbed")
def test_settings_that_only_the_merge_brings_come_where_they_concern_the_runner():
    merge = {"setup.cfg": PYTEST, "tox.ini": "[tox]\n", "pytest.ini": "[pytest]\n"}
    assert sorted(after({}, {}, merge)) == ["pytest.ini", "setup.cfg"]


@pytest.mark.usefixtures("testbed")
def test_settings_that_the_merge_takes_away_are_gone_where_they_concern_the_runner():
    base = {"setup.cfg": PYTEST, "tox.ini": "[tox]\n", "pytest.ini": "[pytest]\n"}
    assert sorted(after(base, {}, removed=tuple(base))) == ["tox.ini"]


@pytest.mark.usefixtures("testbed")
def test_python_without_a_reader_of_toml_trusts_no_settings_that_name_the_runner(monkeypatch):
    monkeypatch.setitem(sys.modules, "tomllib", None)
    path, changed = "pyproject.toml", TOML.replace('"a"', '"b"')
    assert after({path: TOML}, {path: changed}) == {path: TOML}
    assert after({path: "a = 1\n"}, {path: '["py\\u0074est"]\n'}) == {path: "a = 1\n"}
    assert after({path: "a = 1\n"}, {path: "a = 2\n"}) == {path: "a = 2\n"}


def test_link_in_place_of_a_folder_of_tests_is_not_followed(testbed):
    outside = testbed.parent / "outside"
    outside.mkdir()
    write({"tests/test_a.py": "own"})
    keep("../kept.tar.gz", RULES)
    Path("tests/test_a.py").unlink()
    Path("tests").rmdir()
    Path("tests").symlink_to(outside)
    put_back("../kept.tar.gz", _empty(testbed), [], RULES)
    assert (list(outside.iterdir()), Path("tests/test_a.py").read_text()) == ([], "own")


def test_link_in_place_of_settings_gives_way_whatever_it_tells(testbed):
    write({"setup.cfg": "[metadata]\n", "other.cfg": "[more]\n", "sub/e.ini": "[pytest]\n"})
    keep("../kept.tar.gz", RULES)
    Path("setup.cfg").unlink()
    Path("setup.cfg").symlink_to("other.cfg")
    Path("sub/tox.ini").symlink_to("/proc/self/cwd/e.ini")
    put_back("../kept.tar.gz", _empty(testbed), [], RULES)
    assert not Path("setup.cfg").is_symlink()
    assert Path("setup.cfg").read_text() == "[metadata]\n"
    assert [p.name for p in Path("sub").iterdir()] == ["e.ini"]


def test_link_that_the_base_has_in_place_of_settings_stays(testbed):
    write({"a/setup.cfg": "[metadata]\n"})
    Path("setup.cfg").symlink_to("a/setup.cfg")
    keep("../kept.tar.gz", RULES)
    put_back("../kept.tar.gz", _empty(testbed), [], RULES)
    assert Path("setup.cfg").readlink() == Path("a/setup.cfg")


def test_link_in_place_of_a_folder_whose_tests_the_merge_takes_away_is_the_patchs(testbed):
    write({"vend/tests/test_v.py": "", "other/a.py": "a"})
    keep("../kept.tar.gz", RULES)
    shutil.rmtree("vend")
    Path("vend").symlink_to("other")
    put_back("../kept.tar.gz", _empty(testbed), ["vend/tests/test_v.py"], RULES)
    assert Path("vend").readlink() == Path("other")


@pytest.mark.usefixtures("testbed")
def test_package_that_is_taken_away_with_its_tests_leaves_no_folder():
    package, tests = "compat/__init__.py", "compat/tests/test_c.py"
    after({package: "", tests: ""}, {package: None}, removed=(tests,))
    assert not Path("compat").exists()


def _empty(testbed: Path) -> str:
    path = testbed.parent / "empty.tar.gz"
    path.write_bytes(base64.b64decode(archive_of({})))
    return str(path)
