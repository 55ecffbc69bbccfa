import ast
import importlib
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import dataframely as dy
import pytest

import forge.errors
import forge.stages
from forge.cli import forge as command_line
from forge.columns import key_of
from forge.discover import values
from forge.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "forge").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
STAGES = values(forge.stages, Stage)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(*kinds: type[ast.AST], files: list[Path] = MODULES) -> Iterator[tuple[str, ast.AST]]:
    for path in files:
        for node in ast.walk(tree(path)):
            if isinstance(node, kinds):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node


def body_lines(node: ast.FunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1


def imports(path: Path) -> set[str]:
    found = {alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import)
             for alias in node.names}  # fmt: skip
    return found | {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def names(path: Path) -> set[str]:
    """Every attribute and bare name that a file uses."""
    used = (node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute | ast.Name))
    return {node.attr if isinstance(node, ast.Attribute) else node.id for node in used}


def defined(node: ast.AST) -> str | None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
            return name
    return None


# Size


def test_functions_are_short():
    lengths = {f"{where} {node.name}": body_lines(node) for where, node in nodes(*FUNCTION)}
    assert [where for where, lines in lengths.items() if lines > 50] == []
    assert sum(lines > 25 for lines in lengths.values()) <= len(lengths) / 50
    assert statistics.median(lengths.values()) <= 8


def test_files_are_short():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in MODULES + TESTS
    }
    assert [name for name, lines in lengths.items() if lines > 300] == []
    assert statistics.median(lengths[str(path.relative_to(ROOT))] for path in MODULES) <= 120


@pytest.mark.parametrize("name", ["utils", "util", "helpers", "common", "misc"])
def test_no_module_is_a_drawer_for_anything(name):
    assert [path for path in MODULES if path.stem == name] == []


# Who knows whom

CORE = {
    *("artifacts", "ask", "columns", "contract", "criteria", "discover", "effect", "errors"),
    *("fingerprint", "limits", "memo", "run", "selection", "settings", "slices", "stage", "store"),
}


def test_core_knows_no_service_stage_or_command():
    outer = ("forge.services", "forge.stages", "forge.cli", "forge.exporters", "forge.languages")
    core = [path for path in MODULES if path.parent.name == "forge" and path.stem in CORE]
    assert len(core) == len(CORE)
    assert {path.stem: {n for n in imports(path) if n.startswith(outer)} for path in core} == {
        name: set() for name in CORE
    }


@pytest.mark.parametrize(
    "package", ["services", "languages", "recipes", "results", "exporters", "inside"]
)
def test_what_stages_use_knows_no_stage(package):
    inside = [path for path in MODULES if path.is_relative_to(ROOT / "forge" / package)]
    assert [p for p in inside for name in imports(p) if name.startswith("forge.stages")] == []


def test_stages_take_nothing_but_schemas_from_each_other():
    taken = [
        (where, getattr(importlib.import_module(node.module), alias.name))
        for where, node in nodes(ast.ImportFrom, files=MODULES)
        if where.startswith("forge/stages") and (node.module or "").startswith("forge.stages.")
        for alias in node.names
    ]
    assert [w for w, it in taken if not (isinstance(it, type) and issubclass(it, dy.Schema))] == []


def test_only_the_edge_prints_and_by_one_function():
    # forge/inside runs in images, where its output is what a harness reads.
    said = {
        f"{where.partition(':')[0].removeprefix('forge/')} {ast.unparse(node)}"
        for where, node in nodes(ast.Name, ast.Attribute)
        if not where.startswith(("forge/cli/_text.py", "forge/inside"))
        and re.fullmatch(r"print|click\.s?echo|sys\.std(out|err)", ast.unparse(node))
    }
    streams = {"cli/__init__.py sys.stdout", "cli/__init__.py sys.stderr"}
    assert said == streams | {"cli/_progress.py sys.stderr", "cli/sql.py sys.stdout"}


def test_environment_is_read_by_settings_and_by_what_starts_tools():
    tools = {"docker_engine", "git_command", "history", "network", "proxies"}
    # What runs in images is told by their environment where to write.
    own = [path for path in MODULES if path.parent.name != "inside"]
    readers = {path.stem for path in own if {"environ", "getenv"} & names(path)}
    assert readers <= tools


# Stages


def stage_file(stage: Stage) -> Path:
    return ROOT / "forge" / "stages" / f"{stage.name}.py"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_stage_lies_in_a_file_of_its_name_with_a_schema_of_its_name(stage):
    module = importlib.import_module(stage.module)
    assert Path(str(module.__file__)) == stage_file(stage)
    assert module.__doc__
    assert stage.schema.__name__.lower() == stage.name.replace("_", "")
    assert stage.schema.__doc__
    assert key_of(stage.schema)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_column_says_what_it_means(stage):
    for name, column in stage.schema.columns().items():
        assert column.description, name
        assert not column.description.endswith("."), name


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_column_names_say_what_they_hold(stage):
    columns = stage.schema.columns().items()
    times = [name for name, column in columns if isinstance(column, dy.Datetime)]
    flags = [name for name, column in columns if isinstance(column, dy.Bool)]
    is_time = re.compile("^hour$|_at$|_as_of$").search
    assert [name for name in times if not is_time(name)] == []
    said = re.compile("^(is|has|touches|quotes|fails|was)_")
    assert [name for name in flags if not said.match(name)] == []


@pytest.mark.parametrize(
    "stage", [stage for stage in STAGES if not stage.runs], ids=lambda stage: stage.name
)
def test_pure_stage_is_expressions(stage):
    row_by_row = {"map_elements", "map_rows", "map_batches", "iter_rows", "apply", "to_dicts"}
    assert names(stage_file(stage)) & (row_by_row | {"collect"}) == set()


def test_every_query_lies_in_sql_and_every_file_there_is_used():
    asked = {
        node.args[0].value
        for _, node in nodes(ast.Call)
        if isinstance(node.func, ast.Attribute)
        and (node.func.attr == "sql" and isinstance(node.func.value, ast.Name))
        and (node.func.value.id == "run" and isinstance(node.args[0], ast.Constant))
    }
    assert asked == {path.stem for path in (ROOT / "sql").glob("*.sql")}


def test_values_reach_sql_as_parameters():
    # DuckDB takes no parameter where a name or a schema stands, which is all that views need.
    verbs = re.compile(r"\s*(select|with|insert|copy|create|attach|set)\s", re.IGNORECASE)
    built = [
        where
        for where, node in nodes(ast.JoinedStr)
        if isinstance(node.values[0], ast.Constant) and verbs.match(node.values[0].value)
        and len(node.values) > 1 and not where.startswith("forge/views.py")
    ]  # fmt: skip
    assert built == []


# Words

NOT_OURS = {"df", "df2", "blob", "f2p", "p2p", "udf", "dataset", "epoch", "pipeline"}
EMPTY = {"data", "tmp", "temp", "obj", "stuff"}


def test_names_are_words_of_the_glossary():
    kinds = (*FUNCTION, ast.ClassDef, ast.arg, ast.Name)
    found = {(where, name) for where, node in nodes(*kinds) if (name := defined(node))}
    assert [pair for pair in sorted(found) if set(pair[1].lower().split("_")) & NOT_OURS] == []
    assert [pair for pair in sorted(found) if pair[1] in EMPTY] == []


def test_every_ignored_lint_says_why():
    # A reason also stands for the same lint on the next line.
    ignored = re.compile(r"# noqa(?::\s*(?P<codes>[A-Z0-9, ]*[A-Z0-9]))?(?P<reason> - .+)?$")
    silent = [
        f"{path}: {line}"
        for path in MODULES + TESTS
        for above, line in pairwise(["", *path.read_text(encoding="utf-8").splitlines()])
        if (one := ignored.search(line)) and not one["reason"]
        and not ((up := ignored.search(above)) and up["reason"] and up["codes"] == one["codes"])
    ]  # fmt: skip
    assert silent == []


def test_files_name_no_machine_and_no_registry():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    places = re.compile(r"/work/(main|shared)|/tmp/w/|\b(docker|ghcr|quay|gcr)\.io\b")
    for name in set(listed.stdout.splitlines()) - {"tests/test_conventions.py"}:
        path = ROOT / name
        if path.is_file():
            assert not places.search(path.read_text(encoding="utf-8", errors="replace")), name


def test_tests_are_sentences_without_mocks():
    tests = [(where, node) for where, node in nodes(*FUNCTION, files=TESTS)
             if node.name.startswith("test_")]  # fmt: skip
    assert [where for where, node in tests if node.name.count("_") < 2] == []
    assert [where for where, node in tests if re.search(r"_\d+$", node.name)] == []
    assert [where for where, node in tests if ast.get_docstring(node)] == []
    assert [p for p in TESTS if {"Mock", "MagicMock", "patch"} & names(p) & imports(p)] == []
    assert [p for p in TESTS if any(n.startswith("unittest") for n in imports(p))] == []


# Command line


def test_every_error_has_an_exit_code_of_its_own():
    codes = [kind.exit_code for kind in vars(forge.errors).values() if isinstance(kind, type)]
    shared = codes.count(1)
    assert shared == 2, "ForgeError and ContractError: a bug, or a broken contract"
    assert len(set(codes)) == len(codes) - 1
    assert not {0, 130} & set(codes)


@pytest.mark.parametrize("name", ["", *command_line.list_commands(None)])
def test_help_answers_at_once_and_without_polars(name):
    program = (
        "import json, sys, time\n"
        "from forge.cli import exit_code\n"
        f"sys.argv = ['forge', *{name.split()!r}, '--help']\n"
        "code = exit_code()\n"
        "heavy = sorted({'polars', 'duckdb', 'docker', 'pydantic'} & set(sys.modules))\n"
        "print(json.dumps([code, heavy, time.process_time()]), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stderr)
        for _ in range(2)
    ]
    assert runs[0][:2] == [0, []]
    assert min(seconds for _, _, seconds in runs) < 0.2


def test_readme_names_only_what_is_there():
    named = re.findall(
        r"`((?:tests|benchmarks|forge|sql)/[^`*<]*)`", (ROOT / "README.md").read_text()
    )
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
