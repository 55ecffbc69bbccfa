"""What a project's configuration of pytest takes for granted: its plugins."""

import itertools
import posixpath
import re
from collections.abc import Sequence
from typing import Any

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, strings, table, text

# Options and settings that pytest refuses without the plugin that knows them, as the plugins' own
# manuals list them.
OPTIONS = {
    "--cov": "pytest-cov",
    "--no-cov": "pytest-cov",
    "-n": "pytest-xdist",
    "--dist": "pytest-xdist",
    "--numprocesses": "pytest-xdist",
    "--maxprocesses": "pytest-xdist",
    "--timeout": "pytest-timeout",
    "--reruns": "pytest-rerunfailures",
    "--benchmark": "pytest-benchmark",
    "--ds": "pytest-django",
    "--reuse-db": "pytest-django",
    "--nomigrations": "pytest-django",
    "--no-migrations": "pytest-django",
    "--randomly": "pytest-randomly",
    "--random-order": "pytest-random-order",
    "--block-network": "pytest-recording",
    "--disable-socket": "pytest-socket",
    "--asyncio-mode": "pytest-asyncio",
    "--mypy": "pytest-mypy",
    "--flake8": "pytest-flake8",
    "--black": "pytest-black",
    "--ruff": "pytest-ruff",
    "--pylint": "pytest-pylint",
    "--html": "pytest-html",
    "--json-report": "pytest-json-report",
    "--snapshot": "syrupy",
    "--mpl": "pytest-mpl",
    "--doctest-plus": "pytest-doctestplus",
    "--doctest-rst": "pytest-doctestplus",
    "--remote-data": "pytest-remotedata",
    "--emoji": "pytest-emoji",
    "--instafail": "pytest-instafail",
    "--forked": "pytest-forked",
    "--no-flaky-report": "flaky",
    "--no-success-flaky-report": "flaky",
    "--picked": "pytest-picked",
    "--nbval": "nbval",
    "--nbmake": "nbmake",
    "--spec": "pytest-spec",
}
SETTINGS = {
    "asyncio_mode": "pytest-asyncio",
    "asyncio_default_fixture_loop_scope": "pytest-asyncio",
    "timeout": "pytest-timeout",
    "DJANGO_SETTINGS_MODULE": "pytest-django",
    "django_find_project": "pytest-django",
    "env": "pytest-env",
    "mock_use_standalone_module": "pytest-mock",
    "trio_mode": "pytest-trio",
    "doctest_plus": "pytest-doctestplus",
    "remote_data_strict": "pytest-remotedata",
    "qt_api": "pytest-qt",
}
# Options of a command that decide how its tests run.
CHOSEN = re.compile(
    r"--(doctest-(modules|plus|rst|ignore-import-errors|continue-on-failure)|no-?migrations)"
    r"|--(doctest-glob|asyncio-mode|ds|import-mode)[= ][\w.*/][\w.*:/-]*"
    r"|-p (?!no:(cacheprovider|junitxml|terminal)$)\w[\w.:-]*"
)
# Files of settings that a patch cannot change while it is tested.
CONFIGURATION = re.compile(
    r"-c ((.*/)?(\.?pytest\.(ini|toml)|tox\.ini|setup\.cfg|pyproject\.toml))"
)
# Tests in the same order each time, by the plugin's own options where the project uses them.
ORDERS = {
    "--randomly": ("no:randomly", ("--randomly-dont-reorganize", "--randomly-seed=1")),
    "--random-order": ("no:random_order", ("--random-order-bucket=none",)),
}
# Who never chose pytest may name files as unittest, Django or nose found them.
OTHER_FILES = ("-o", "python_files=test_*.py *_test.py *_tests.py tests.py")


def read_pytest_config(project: Project) -> Facts:
    """The plugins without which pytest would refuse the project's own configuration."""
    settings = _settings(project)
    words = _words(settings.get("addopts"))
    plugins = [*plugins_of(words)]
    plugins += [plugin for name, plugin in SETTINGS.items() if name in settings]
    plugins += _words(settings.get("required_plugins"))
    lines = tuple(dict.fromkeys(plugins))
    return Facts(
        needs=(Need("config", "pytest", "configuration", lines),) if lines else (),
        test_options=(*_order(words), *(() if "python_files" in settings else OTHER_FILES)),
    )


def options_of(project: Project, words: Sequence[str], folder: str) -> list[str]:
    """Of a command of pytest in a folder, the options that decide how its tests run.

    >>> options_of(Project({}), ["-n", "4", "--ds", "a.b", "-p", "no:cov", "-p", "tests"], "")
    ['--ds', 'a.b', '-p', 'no:cov', '-p', 'tests']
    """
    found: list[str] = []
    for word, after in itertools.zip_longest(words, words[1:], fillvalue=""):
        pair = f"{word} {after}"
        if CHOSEN.fullmatch(word):
            found.append(word)
        elif CHOSEN.fullmatch(pair):
            found += [word, after]
        elif named := CONFIGURATION.fullmatch(pair):
            path = posixpath.normpath(posixpath.join(folder, named[1]))
            found += ["-c", f"/testbed/{path}"] if path in project.files else []
    return found


def plugins_of(words: Sequence[str]) -> tuple[str, ...]:
    """The plugins that know the options among these words, or that are named.

    >>> plugins_of(["--asyncio-mode=auto", "-p", "pytest_cov", "-p", "pytest_of_our_own"])
    ('pytest-asyncio', 'pytest-cov')
    """
    flags = [re.sub(r"=.*$", "", word) for word in words if word.startswith("-")]
    named = [word.replace("_", "-") for flag, word in itertools.pairwise(words) if flag == "-p"]
    known = {*OPTIONS.values(), *SETTINGS.values()}
    plugins = [plugin for flag in flags if (plugin := _plugin(flag))]
    return tuple(dict.fromkeys([*plugins, *(name for name in named if name in known)]))


def _order(words: list[str]) -> list[str]:
    return [
        option
        for stem, (off, same) in ORDERS.items()
        for option in (same if any(w.startswith(stem) for w in words) else ("-p", off))
    ]


def _settings(project: Project) -> Table:
    """The first of the files that pytest itself would take, as it takes them."""
    return next(filter(None, map(_settings_in, project.outward)), {})


def _settings_in(project: Project) -> Table:
    pyproject = table(project.toml("pyproject.toml"), "tool", "pytest")
    candidates: list[Table] = [
        table(project.toml("pytest.toml"), "pytest"),
        table(project.toml(".pytest.toml"), "pytest"),
        dict(project.ini("pytest.ini").get("pytest", {})),
        dict(project.ini(".pytest.ini").get("pytest", {})),
        table(pyproject, "ini_options") or pyproject,
        dict(project.ini("tox.ini").get("pytest", {})),
        dict(project.ini("setup.cfg").get("tool:pytest", {})),
    ]
    return next((settings for settings in candidates if settings), {})


def _words(value: Any) -> list[str]:
    return list(strings(value)) or text(value).split()


def _plugin(flag: str) -> str | None:
    if re.match(r"-n\d|-nauto", flag):
        return OPTIONS["-n"]
    stem = next((o for o in OPTIONS if flag == o or flag.startswith(f"{o}-")), None)
    return OPTIONS.get(stem) if stem else None
