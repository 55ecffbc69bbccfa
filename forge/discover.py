"""Values that a package's modules define: a new stage or language is one new file."""

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def values(package: ModuleType, kind: type[T]) -> list[T]:
    """Every module-level value of `kind` in a package, in the order of its modules' names."""
    found: list[T] = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        members = vars(importlib.import_module(module.name)).values()
        found += [m for m in members if isinstance(m, kind) and m not in found]
    return found
