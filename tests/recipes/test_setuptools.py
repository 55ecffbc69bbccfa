"""What is read of a literal setup.cfg and setup.py, none of which is ever run."""

import pytest

from forge.recipes.facts import Facts
from forge.recipes.project import Project
from forge.recipes.setup_cfg import read_setup_cfg
from forge.recipes.setup_py import read_setup_py


def needs(facts: Facts) -> dict[str, tuple[str, ...]]:
    return {f"{n.purpose} {n.section}": n.requirements for n in facts.needs if n.requirements}


def test_setup_cfg_tells_options_extras_and_python():
    content = """
[metadata]
name = timetable
classifiers =
    Programming Language :: Python :: 3.8
[options]
python-requires = >=3.7
install_requires =
    attrs
    click>=8  # commands
[options.extras_require]
testing = pytest; python_version > "3"
"""
    facts = read_setup_cfg(Project({"setup.cfg": content}))
    assert (facts.name, facts.python, facts.pythons) == ("timetable", (">=3.7",), ("3.8",))
    assert needs(facts) == {
        "run install_requires": ("attrs", "click>=8"),
        "test extra testing": ('pytest; python_version > "3"',),
    }


def test_setup_py_is_read_by_its_syntax_alone(tmp_path):
    content = f"""
from setuptools import setup
open({str(tmp_path / "ran")!r}, "w")
tests = ["pytest"]
extras = {{"test": tests, "docs": read("docs.txt")}}
extras["dev"] = tests + ["ruff"]
setup(name="a", install_requires=["attrs>=20"], extras_require=extras, version=read("VERSION"))
"""
    facts = read_setup_py(Project({"setup.py": content}))
    assert not (tmp_path / "ran").exists()
    assert facts.is_installable
    assert needs(facts) == {
        "run install_requires": ("attrs>=20",),
        "test extra test": ("pytest",),
        "test extra dev": ("pytest", "ruff"),
    }


def test_setup_py_that_computes_everything_is_still_installable():
    facts = read_setup_py(Project({"setup.py": "setup(**load())"}))
    assert (facts.is_installable, facts.needs) == (True, ())


@pytest.mark.parametrize(
    ("source", "install", "dropped"),
    [
        (
            "def main():\n    needs = ['requests']\n    setup(install_requires=needs)\n",
            ("requests",),
            (),
        ),
        (
            "needs = ['six']\nif a:\n    needs += ['attrs']\n    setup(install_requires=needs)\n",
            ("six", "attrs"),
            (),
        ),
        ("setup(**dict(name='a', install_requires=['attrs']))", ("attrs",), ()),
        ("V = '0.19'\nsetup(install_requires=['mpmath>=%s' % V])", ("mpmath>=0.19",), ()),
        ("setup(install_requires=['numpy>=' + a.b])", ("numpy",), ()),
        (
            "setup(install_requires=['pyyaml'] + (['colorama'] if win else []))",
            ("pyyaml",),
            ("setup.py install_requires: computed",),
        ),
        ("setup(install_requires=load())", (), ("setup.py install_requires: computed",)),
        ("def f():\n    needs = ['a']\nsetup(version=read())", (), ()),
        (
            "all = {}\nall.update(install_requires=['a'])\nsetup(**all)",
            (),
            ("setup.py install_requires: computed",),
        ),
        (
            "def f():\n    a = dict(install_requires=['numpy>={}'.format(V)], **b)\n    setup(**a)",
            ("numpy",),
            (),
        ),
        (
            """setup(
                version=read("version.txt"),
                tests_require=open("test-requirements.txt").readlines(),
                install_requires=open("requirements.txt").readlines(),
            )""",
            ("attrs", "six"),
            ("setup.py tests_require: computed",),
        ),
    ],
)
def test_requirements_are_read_where_setup_is_called_and_what_is_computed_is_told(
    source, install, dropped
):
    lists = {"requirements.txt": "attrs # all\nsix\n", "test-requirements.txt": "mock\n"}
    facts = read_setup_py(Project({"setup.py": source, "version.txt": "1\n", **lists}))
    assert needs(facts).get("run install_requires", ()) == install
    assert facts.dropped == dropped


@pytest.mark.parametrize(
    "source",
    [
        """
exec(compile(open("pkg/__pkginfo__.py").read(), "", "exec"), locals())
setup(install_requires=install_requires, extras_require=extras_require)
""",
        """
about = load()
def install(**given):
    given["install_requires"] = about["install_requires"]
    return setup(extras_require=about.get("extras_require"), **given)
""",
    ],
)
def test_setup_py_is_told_by_the_pkginfo_beside_it(source):
    told = "install_requires = ['astroid>=2.3,<2.4']\nextras_require = {':win': ['colorama']}\n"
    facts = read_setup_py(Project({"setup.py": source, "pkg/__pkginfo__.py": told}))
    assert needs(facts)["run install_requires"] == ("astroid>=2.3,<2.4",)
    assert facts.dropped == ()
