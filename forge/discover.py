"""Values that a package's modules define: one new file is all that a new stage or language needs."""

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def values(package: ModuleType, kind: type[T]) -> list[T]:
    """Every module-level value of `kind` that a module of `package` itself defines, in order of module names."""
    found: list[T] = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        members = vars(importlib.import_module(module.name)).values()
        found += [m for m in members if isinstance(m, kind) and m not in found]
    return found
