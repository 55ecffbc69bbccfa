"""What it takes for uv to build projects that are older than the standards it builds by."""

import shlex
from collections.abc import Iterable

# Setuptools 40.8 of February 2019 is the first that uv can ask for a build at all, and without it
# no source distribution of before can be read: it may be younger than the lock.
BUILDS_SINCE = "2019-03-01T00:00:00Z"
BUILDER = "/tmp/builder"  # noqa: S108 - in a container that builds one image
DEPENDENCIES = f"""\
uv venv --quiet --python "$(command -v python3)" /opt/venv
builder=()
if [ -n "$FORGE_LOCK_AS_OF" ]; then
  export UV_EXCLUDE_NEWER="$FORGE_LOCK_AS_OF"
  [[ "$FORGE_LOCK_AS_OF" > {BUILDS_SINCE} ]] ||
    builder=(--exclude-newer-package setuptools={BUILDS_SINCE})
fi
uv pip install --no-deps "${{builder[@]}}" --requirements "$FORGE_LOCK"
"""


def builder(as_of: str) -> str:
    """Options that let uv build what is older than its standards.

    >>> builder("2018-01-01T00:00:00Z"), builder("2026-03-05T12:00:00Z")
    ('--exclude-newer-package setuptools=2019-03-01T00:00:00Z', '')
    """
    is_old = as_of < BUILDS_SINCE
    return f"--exclude-newer-package setuptools={BUILDS_SINCE}" if is_old else ""


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
