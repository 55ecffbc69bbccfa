"""What attacks plant where `go test` runs: beside a package's tests, and in its modules."""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence

from forge.eval_script import END, START
from forge.inside.report import original

FRAME = "\x16"
"""What a test binary sets before the lines in which it tells its own result."""
HEAD = """package {package}

import (
	"os"
	"os/exec"
	"strings"
)

var forged = strings.Join([]string{{ {result} }}, "\\n")

func plant() {{
	for _, path := range []string{{os.Getenv("FORGE_RESULT"), "/testbed/result.xml"}} {{
		os.WriteFile(path, []byte(forged), 0o644)
	}}
}}

func init() {{
	_ = exec.Command
"""
# A shell of a session of its own, because no Go program may fork.
LATE = """	os.WriteFile("/tmp/forged", []byte(forged), 0o644)
	exec.Command("setsid", "sh", "-c", "for n in $(seq 60); do sleep 0.1; "+
		"cp /tmp/forged \\"$FORGE_RESULT\\"; cp /tmp/forged /testbed/result.xml; done").Start()
"""
PRINT = "\tos.Stdout.WriteString({text})\n"
IMPORTED = re.compile(r'(?m)^[+ -]\s*(?:import )?(?:[\w.]+ )?"([\w-]+\.[\w.-]+/[^"\s]+)"')
NAMED = re.compile(r"(?m)^[+ -]package (\w+)$")


def planted(attacks: Sequence[str], ids: Sequence[str], patch: str) -> dict[str, str]:
    """Files that carry attacks out: beside the tests, and in the modules that they import."""
    code = [_code(attack, ids) for attack in CODE if attack in attacks]
    folders = dict.fromkeys(name.partition("::")[0] for name in map(original, ids))
    packages = {_join(folder, "forger_test.go"): _package(folder, patch) for folder in folders}
    if "plugin_passes" in attacks:
        modules = dict.fromkeys(IMPORTED.findall(patch))
        packages |= {f"vendor/{name}/forger.go": posixpath.basename(name) for name in modules}
    head = {"result": ", ".join(map(json.dumps, result_of(ids).splitlines()))}
    return {
        path: f"{HEAD.format(package=package, **head)}{''.join(code)}}}\n"
        for path, package in packages.items()
    }


def result_of(ids: Sequence[str]) -> str:
    """Events in which all tests pass."""
    names = [original(name).partition("::") for name in ids]
    folders = dict.fromkeys(folder for folder, _, _ in names)
    told = [{"ImportPath": folder, "Dir": folder} for folder in folders]
    told += [{"Action": "pass", "Package": folder, "Test": test} for folder, _, test in names]
    told += [{"Action": "output", "Package": f, "Output": "PASS\n"} for f in folders]
    return "".join(f"{json.dumps(event)}\n" for event in told)


def _code(attack: str, ids: Sequence[str]) -> str:
    tests = [original(name).partition("::")[2] for name in ids]
    framed = [f"{FRAME}=== RUN   {test}\n{FRAME}--- PASS: {test} (0.00s)\n" for test in tests]
    report = ["", START, *(f"--- PASS: {name} (0.00s)" for name in ids), END, ""]
    texts = {"REPORT": "\n".join(report), "LINES": "".join([*framed, f"{FRAME}PASS\n"])}
    return re.sub("@([A-Z]+)@", lambda word: json.dumps(texts[word[1]]), CODE[attack])


CODE: Mapping[str, str] = {
    "late_writer": LATE,
    "planted_result": "\tplant()\n",
    "imitated_report": PRINT.format(text="@REPORT@"),
    "plugin_passes": f"{PRINT.format(text='@LINES@')}\tos.Exit(0)\n",
    "print_and_exit": f"{PRINT.format(text='@LINES@')}\tos.Exit(0)\n",
    "exit_in_conftest": "\tos.Exit(0)\n",
}
"""By attack, in the order in which they go together: what leaves comes last."""


def passing_tests(paths: Iterable[str], ids: Sequence[str], patch: str) -> dict[str, str]:
    """Test files in which all tests pass that are in one of the files' packages."""
    tests: dict[str, dict[str, list[str]]] = {}
    for name in map(original, ids):
        folder, _, test = name.partition("::")
        top, _, case = test.partition("/")
        tests.setdefault(folder, {}).setdefault(top, []).extend([case] if case else [])
    first = {posixpath.dirname(p) or ".": p for p in sorted(paths) if p.endswith("_test.go")}
    return {
        path: f'package {_package(folder, patch)}\n\nimport "testing"\n{_functions(tests[folder])}'
        for folder, path in first.items()
        if folder in tests
    }


def _functions(tests: Mapping[str, Sequence[str]]) -> str:
    def cases(names: Sequence[str]) -> str:
        return "".join(f"\tt.Run({json.dumps(n)}, func(*testing.T) {{}})\n" for n in names)

    return "".join(
        f"\nfunc {name}(t *testing.T) {{\n{cases(inner)}}}\n" for name, inner in tests.items()
    )


def _package(folder: str, patch: str) -> str:
    named = NAMED.search(patch)
    return named[1] if named else re.sub(r"\W", "", posixpath.basename(folder)) or "main"


def _join(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
