"""Patches that solve nothing and pretend to: a task is worth something only where they all fail."""

import json
from collections.abc import Sequence

from forge.eval_script import END, START

# What pytest loads by itself, whatever it is told to run; where a project has the one, it is
# attacked by the other.
CARRIERS = (
    {"conftest.py": "{code}"},
    {"pytest.ini": "[pytest]\naddopts = -p forger\n", "forger.py": "{code}"},
    {"sitecustomize.py": "{code}"},
)
# To every descriptor, because pytest captures some.
PRINT_AND_EXIT = """\
import os

for descriptor in range(1, 64):
    try:
        os.write(descriptor, {report}.encode())
    except OSError:
        pass
os._exit(0)
"""


def patches_of(attack: str, gold_patch: str, ids: Sequence[str]) -> list[str]:
    """The patches that an attack may be carried out with; the first that applies is it."""
    return {
        "nothing": [""],
        "gold": [gold_patch],
        "print_and_exit": print_and_exit(ids),
    }[attack]


def print_and_exit(ids: Sequence[str]) -> list[str]:
    """Patches that print a perfect report and end the test run, one per way of being loaded."""
    lines = [START, *[f"--- PASS: {name} (0.00s)" for name in ids], END]
    code = PRINT_AND_EXIT.format(report=json.dumps("\n".join(lines) + "\n"))
    return ["".join(creation(p, t.format(code=code)) for p, t in c.items()) for c in CARRIERS]


def creation(path: str, content: str) -> str:
    r"""The diff that creates a text file.

    >>> print(creation("a.py", "x = 1\n"))
    diff --git a/a.py b/a.py
    new file mode 100644
    --- /dev/null
    +++ b/a.py
    @@ -0,0 +1,1 @@
    +x = 1
    <BLANKLINE>
    """
    lines = content.splitlines()
    added = "".join(f"+{line}\n" for line in lines)
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
    return f"{head}@@ -0,0 +1,{len(lines)} @@\n{added}"
