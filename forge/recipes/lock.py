"""A lock as uv resolves it: every dependency pinned, as of a moment, for one image."""

import re
import shlex

from packaging.requirements import InvalidRequirement, Requirement

from forge.effect import Failure
from forge.recipes.old_tools import younger
from forge.recipes.requirement_lines import canonical

MOST_WORDS = 4_000
# Virtual environments held setuptools until Python 3.12: what is as old imports pkg_resources
# unasked. What was released by then and taken back later was good then: pinned, uv takes it.
SCRIPT = """\
compile() {{
  uv pip compile --python "$(command -v python3)" --exclude-newer {exclude_newer} {younger} \\
    --no-header --no-annotate --color never --output-file lock.txt "$@" 2>&1
}}
yanked() {{
  grep -oE '[A-Za-z0-9._-]+(==|<=)[A-Za-z0-9._!+-]+ was yanked' refused
  for name in $(grep -oE 'all versions of [^ ]+ were yanked' refused | cut -d' ' -f4); do
    echo "$name>99999" >newest.in
    compile newest.in | grep -oE '[^ ]+<=[A-Za-z0-9._!+-]+ is available'
  done
}}
echo 'setuptools; python_version < "3.12"' >beside.in
: >yanked.txt
until compile --constraints yanked.txt requirements.in beside.in >refused; do
  yanked | sed -E 's/(==|<=)/ /; s/ (was|is) .*//' | sort -k1,1 -k2,2V |
    awk '{{ last[$1] = $2 }} END {{ for (name in last) print name "==" last[name] }}' |
    grep -vxFf yanked.txt >more || {{ cat refused; exit 1; }}
  cat more >>yanked.txt
done
"""
# uv's words for what has nothing to do with the project.
INDEX_DOWN = re.compile(
    r"(?i)error sending request|dns error|connection (refused|reset)|could not connect|tcp connect"
    r"|operation timed out|status (server|code)? ?error ?\(?5\d\d|(429|502|503) |no space left"
)


def script(exclude_newer: str) -> str:
    """Shell that resolves requirements.in into lock.txt."""
    return SCRIPT.format(exclude_newer=shlex.quote(exclude_newer), younger=younger(exclude_newer))


def failure_of(log: bytes) -> Failure:
    """What kind of failure uv's words report."""
    words = log.decode("utf-8", "replace").strip()[-MOST_WORDS:]
    if INDEX_DOWN.search(words):
        return Failure("infra", "index_unreachable", words)
    if "No solution found" in words:
        return Failure("environment", "lock_unsatisfiable", words)
    return Failure("environment", "lock_failed", words)


def without(lock: str, own_name: str | None) -> str:
    r"""The lock without the project itself, which is installed from its own files.

    >>> without("attrs==25.1\npytest==9.0\n", "attrs")
    'pytest==9.0\n'
    """
    lines = lock.splitlines(keepends=True)
    return "".join(line for line in lines if not own_name or _name(line) != own_name)


def _name(line: str) -> str:
    try:
        return canonical(Requirement(line.strip()).name)
    except InvalidRequirement:
        return ""
