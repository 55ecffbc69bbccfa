import subprocess
import sys
from pathlib import Path

# What makes a command slow to start, and is not needed to explain it.
HEAVY = {"polars", "duckdb", "dataframely", "docker", "httpx", "pydantic", "rich", "pyarrow"} | {
    "openai",
    "instructor",
}
CODE = r"""
import sys
from click.testing import CliRunner
from forge.cli import forge
names = forge.list_commands(None)
for arguments in [[], *([name] for name in names)]:
    ended = CliRunner().invoke(forge, [*arguments, "--help"])
    assert ended.exit_code == 0, (arguments, ended.exception)
    assert "\\b" not in ended.output, arguments  # examples are lines of their own
    assert max(map(len, ended.output.splitlines())) <= 80, arguments
print(*names, *sorted(set(sys.modules) & {heavy}))
"""


def test_help_of_every_command_imports_nothing_heavy_and_fits_80_columns():
    ended = subprocess.run(
        [sys.executable, "-c", CODE.replace("{heavy}", repr(HEAVY))],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    told = ended.stdout.split()
    assert ended.returncode == 0, ended.stderr
    assert {"build", "clean", "export", "funnel", "grade", "limits", "sql", "status"} <= set(told)
    assert {"tables", "try", "why"} <= set(told)
    assert not HEAVY & set(told)
