"""Runners of tests in Python, and the files of each that decide what a result means."""

import re
from collections.abc import Sequence

from forge.languages import Runner

NOTHING = r"^$"
# What every start of Python imports.
STARTS = r"(^|/)(site|user)customize[./]"
# Scripts of a project's own that start its tests: like tests, they are the merge's.
SCRIPTS = r"(^|/)(run_?(unit_?)?tests?|manage)\.py$"
MODULES = r"(.*/)?({})(/|\.(py|pyc|([^/]*\.)?so)$)"
RECORD = ("record", "record_unittest", "record_doctest")


def targets_of_django(test_paths: Sequence[str]) -> list[str]:
    """Labels that Django's runtests.py takes: test modules, and the apps that own the rest.

    >>> targets_of_django(["tests/a/test_b.py", "tests/c/models.py", "tests/c/tests/test_d.py"])
    ['a.test_b', 'c']
    >>> targets_of_django(["tests/runtests.py"])
    []
    """
    labels = {_label(path) for path in test_paths if path.startswith("tests/")}
    if "" in labels or not labels:
        return []
    return sorted(a for a in labels if not any(a.startswith(f"{b}.") for b in labels))


def _label(path: str) -> str:
    parts = path.split("/")[1:]
    is_module = re.fullmatch(r"(test_.*|.*_tests?|tests?)\.py", parts[-1]) and len(parts) > 1
    app = 2 if parts[0] == "gis_tests" else 1
    own = parts if is_module else parts[: min(app, len(parts) - 1)]
    return ".".join(own).removesuffix(".py")


PYTEST = Runner(
    name="pytest",
    # Beside its settings: what every start of Python imports, what `python -m pytest` would take
    # for pytest from the folder it starts in, and what names plugins as installed packages do.
    files=(
        r"(^|/)\.?pytest\.(ini|toml)$"
        rf"|{STARTS}"
        r"|^(pytest|_pytest|pluggy|iniconfig)[./]"
        r"|(?i:\.(dist|egg)-info)(/|$)"
    ),
    modules=MODULES.format("pytest|_pytest|pluggy|iniconfig"),
    settings=r"(^|/)(tox\.ini|setup\.cfg|pyproject\.toml)$",
)
UNITTEST = Runner(
    name="unittest",
    files=f"{STARTS}|{SCRIPTS}",
    modules=MODULES.format("unittest|doctest"),
    settings=NOTHING,
    programs=RECORD,
)
NOSE = Runner(
    name="nose",
    files=rf"{STARTS}|(^|/)(unittest|nose2?)\.cfg$|(^|/)\.noserc$|(?i:\.(dist|egg)-info)(/|$)",
    modules=MODULES.format("unittest|doctest|nose2?"),
    settings=r"(^|/)(setup\.cfg|pyproject\.toml)$",
    programs=RECORD,
)
DJANGO = Runner(
    name="django",
    files=f"{STARTS}|{SCRIPTS}",
    modules=MODULES.format("unittest|doctest"),
    settings=NOTHING,
    programs=(*RECORD, "record_django"),
    targets=targets_of_django,
)
SYMPY = Runner(
    name="sympy",
    files=(
        rf"{STARTS}|^bin/(test|doctest|get_sympy\.py)$"
        r"|^sympy/(testing/|utilities/(runtests|pytest|randtest|tmpfiles|quality_unicode)\.py$)"
    ),
    modules=MODULES.format("unittest|doctest"),
    settings=NOTHING,
    programs=("record", "record_sympy"),
)
