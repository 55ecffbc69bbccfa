"""What a table was made with: its stage's source and rules, SQL, limits and flags, as one hash."""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from forge.stage import Stage, StageLimits

# How things run says nothing about what a table holds: services answer through the memo, stages
# through their tables.
CORE = {
    "artifacts",
    "ask",
    "build",
    "cli",
    "commands",
    "discover",
    "effect",
    "errors",
    "fingerprint",
    "memo",
    "recall",
    "contract",
    "lock",
    "limits",
    "pools",
    "reader",
    "report",
    "freshness",
    "plan",
    "grading",
    "views",
    "run",
    "selection",
    "services",
    "settings",
    "stage",
    "stages",
    "store",
}

SHORT = 64


def fingerprint(stage: Stage, limits: StageLimits | None, flags: dict[str, Any]) -> str:
    """Sha256 over everything but the rows that decides what the stage makes."""
    return fingerprint_of(ingredients(stage, limits, flags))


def fingerprint_of(ingredients: dict[str, str]) -> str:
    """Sha256 over ingredients."""
    return _hash(_json(ingredients))


def ingredients(stage: Stage, limits: StageLimits | None, flags: dict[str, Any]) -> dict[str, str]:
    """What a fingerprint is taken of, by name; what is long as its hash."""
    found = {f"source {name}": _hash(source_of(name)) for name in sorted(rules_of(stage.module))}
    if has_sql(stage.name):
        found[f"sql {stage.name}"] = _hash(sql_text(stage.name))
    thresholds = limits.model_dump(mode="json") if limits else {}
    found |= {f"limit {name}": _json(value) for name, value in thresholds.items()}
    return found | {f"flag {name}": _short(_json(value)) for name, value in flags.items()}


def _json(value: Any) -> str:
    return msgspec.json.encode(value, order="deterministic", enc_hook=_plain).decode()


def _short(text: str) -> str:
    return text if len(text) <= SHORT else _hash(text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def rules_of(module: str) -> frozenset[str]:
    """The module and those it takes rules from, transitively; packages with all modules."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(name)
    return frozenset(found)


@functools.cache
def source_of(module: str) -> str:
    """A module's source without comments, docstrings and layout, equal under every Python."""
    tree = ast.parse(_path(module).read_text(encoding="utf-8"))
    return ast.unparse(_WithoutDocstrings().visit(tree))


def has_sql(name: str) -> bool:
    """Whether a stage is written in SQL."""
    return (sql_folder() / f"{name}.sql").is_file()


def sql_text(name: str) -> str:
    """The text of a stage's SQL."""
    return (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")


def sql_folder() -> Path:
    """Where the SQL lies: in a checkout beside the package, in a wheel within it."""
    installed = Path(__file__).parent / "sql"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "sql"


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | ast.Pass:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Pass() if is_text else node


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(_path(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("forge"):
            yield from _rules(node.module or "", [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            yield from (
                n for a in node.names if a.name.startswith("forge.") for n in _rules(a.name, [])
            )


def _rules(module: str, names: list[str]) -> Iterator[str]:
    if module == "forge":
        yield from (n for name in names for n in _rules(f"forge.{name}", []))
    elif module.split(".")[1] not in CORE:
        yield module
        yield from _submodules(module)


def _submodules(package: str) -> list[str]:
    path = _path(package)
    if path.name != "__init__.py":
        return []
    return [f"{package}.{p.stem}" for p in path.parent.glob("*.py") if p.stem != "__init__"]


@functools.cache
def _path(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin or "") if spec else Path()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)
