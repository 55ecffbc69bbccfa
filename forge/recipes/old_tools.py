"""What it takes for uv to build projects that are older than the standards it builds by."""

import shlex
from collections.abc import Iterable

# What may be younger than the lock, up to these moments. Setuptools 40.8 is the first that uv can
# ask for a build at all, and without it no source distribution of before can be read. Pytest 3.10
# is the first that knows the options with which tests are listed; it brings others along. Of
# atomicwrites, which pytest needs from 3.6 to 5.2, its author left only the last release.
PYTEST = "2018-11-12T00:00:00Z"
YOUNGER = {
    "setuptools": "2019-03-01T00:00:00Z",
    **dict.fromkeys(("pytest", "pluggy", "py", "attrs", "more-itertools", "six"), PYTEST),
    "atomicwrites": "2022-07-09T00:00:00Z",
}
BUILDER = "/tmp/builder"  # noqa: S108 - in a container that builds one image
# Compiled as pip does: a warning of an old module's text would else be an error of each test.
DEPENDENCIES = f"""\
uv venv --quiet --python "$(command -v python3)" /opt/venv
younger=()
if [ -n "$FORGE_LOCK_AS_OF" ]; then
  export UV_EXCLUDE_NEWER="$FORGE_LOCK_AS_OF"
  for known in {" ".join(f"{name}={moment}" for name, moment in YOUNGER.items())}; do
    [[ "$FORGE_LOCK_AS_OF" > "${{known#*=}}" ]] || younger+=(--exclude-newer-package "$known")
  done
fi
uv pip install --no-deps "${{younger[@]}}" --requirements "$FORGE_LOCK"
/opt/venv/bin/python -m compileall -q /opt/venv/lib >/dev/null 2>&1 || true
"""


def younger(as_of: str) -> str:
    """Options that let a lock hold what is younger than itself, where nothing older will do.

    >>> younger("2019-01-01T00:00:00Z").split()[:2]
    ['--exclude-newer-package', 'setuptools=2019-03-01T00:00:00Z']
    >>> younger("2026-03-05T12:00:00Z")
    ''
    """
    known = (f"{name}={moment}" for name, moment in YOUNGER.items() if as_of < moment)
    return " ".join(f"--exclude-newer-package {one}" for one in known)


def or_as_before(standard: str, folder: str) -> str:
    """Shell that installs a project in place by the standard, else as its setup.py did before.

    What a younger setuptools refuses, such as `use_2to3`, and Python 3.6, for which none knows the
    standard, still have the one of the lock.

    >>> or_as_before("uv pip install -e .", ".")
    'uv pip install -e . || (cd . && python setup.py --quiet develop --no-deps)'
    """
    return f"{standard} || (cd {folder} && python setup.py --quiet develop --no-deps)"


def or_unpinned(standard: str, needs: Iterable[str]) -> str:
    """Shell that installs a project in place, else by a setuptools that the project pins away.

    Where there is no setup.py, a setuptools before 64.0 can install nothing in place; `needs` are
    the other packages that build the project.

    >>> or_unpinned("uv pip install -e .", ["wheel~=0.37.1"])
    "uv pip install -e . || (uv pip install --quiet --target /tmp/builder 'setuptools>=64' \
'wheel~=0.37.1' && PYTHONPATH=/tmp/builder uv pip install -e . --no-build-isolation)"
    """
    needed = shlex.join(["setuptools>=64", *needs])
    fetch = f"uv pip install --quiet --target {BUILDER} {needed}"
    return f"{standard} || ({fetch} && PYTHONPATH={BUILDER} {standard} --no-build-isolation)"
