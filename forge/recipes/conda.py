"""environment.yml: what of a conda environment an index of wheels has."""

import re

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, strings, table
from forge.recipes.requirement_lines import included
from forge.recipes.workflows import parsed

FILE = re.compile(r"(^|/)[^/]*(environment|conda)[^/]*\.ya?ml$|(^|/)ci/[^/]*\.ya?ml$")
MOST_FILES = 40
# What conda calls otherwise than the index of Python.
NAMES = {
    "pytorch": "torch",
    "pytables": "tables",
    "matplotlib-base": "matplotlib",
    "dask-core": "dask",
    "ruamel_yaml": "ruamel.yaml",
    "pyqt": "pyqt5",
    "python-graphviz": "graphviz",
    "tiledb-py": "tiledb",
    "seaborn-base": "seaborn",
    "opencv": "opencv-python-headless",
    "importlib_metadata": "importlib-metadata",
    "python-blosc": "blosc",
    "brotlipy": "brotli",
    "xorg-libxfixes": "",
}
# Programs and libraries that conda packs and the index does not: no wheel holds them.
NO_WHEEL = re.compile(
    r"^(python|pip|conda|mamba|anaconda.*|_.*|lib[\w-]+|.*-compilers?|compilers|gcc.*|gxx.*|gfortran.*"
    r"|clang.*|make|pkg-config|nodejs|pandoc|graphviz|openssl|zlib|hdf5|netcdf4?-c|gdal|geos|proj|mkl"
    r"|openmpi|mpich|openblas|blas|git|git-lfs|r-.*|cudatoolkit|cuda.*|cudnn|nccl|ffmpeg|eigen|boost.*"
    r"|sqlite|postgresql|redis-server|openjdk|go|rust|nomkl|pytorch-cuda|tk|curl|wget|xz|bzip2|zstd"
    r"|texlive.*|imagemagick|ghostscript|mesa.*|xorg-.*|icu|fftw|gsl|suitesparse|swig|perl|bash)$"
)
SPECIFIER = re.compile(r"^(?:[\w-]+::)?([A-Za-z0-9_.-]+?)\s*(\[.*\])?\s*([=<>!~ ].*)?$")


def read_conda(project: Project) -> Facts:
    """Each environment file, by its name."""
    needs, dropped, pythons = [], list[str](), list[str]()
    for path in sorted(filter(FILE.search, project.files))[:MOST_FILES]:
        lines, left, named = _of(project, path)
        section = path if _is_for_tests(path, lines) else f"{path} for development"
        needs += [Need("test", "conda", section, tuple(lines))] if lines else []
        dropped, pythons = dropped + left, pythons + named
    return Facts(needs=tuple(needs), dropped=tuple(dict.fromkeys(dropped)), pythons=tuple(pythons))


def lines_of_file(project: Project, path: str) -> list[str]:
    """What a file of an environment installs, as lines of a requirements file."""
    return _of(project, path)[0] if path in project.files else []


def pip_line(name: str, version: str) -> tuple[str, str]:
    """A conda package as a line for pip, or with the reason why there is none.

    >>> [pip_line(*p) for p in (("numpy", "=1.24"), ("pytorch", ">=2,<3"), ("gcc", ""))]
    [('numpy==1.24.*', ''), ('torch>=2,<3', ''), ('', 'gcc: conda package without a wheel')]
    """
    if NO_WHEEL.match(name.lower()) or NAMES.get(name.lower()) == "":
        dropped = "" if name in {"python", "pip"} else f"{name}: conda package without a wheel"
        return "", dropped
    wish = version.strip()
    if found := re.match(r"^=?\s*([\d.]+)(\.\*)?(=\S+)?$", wish):
        wish = f"=={found[1]}.*" if not wish.startswith("==") else f"=={found[1]}"
    elif exact := re.match(r"^(==[\w.]+)(=\S+)?$", wish):
        wish = exact[1]
    # Alternatives: the last, which mostly is the newest.
    wish = wish.rpartition("|")[2].replace(" ", "")
    return f"{NAMES.get(name.lower(), name)}{wish}", ""


def _of(project: Project, path: str) -> tuple[list[str], list[str], list[str]]:
    declared = table(parsed(project.files[path])).get("dependencies")
    lines: list[str] = []
    dropped: list[str] = []
    pythons: list[str] = []
    for one in declared if isinstance(declared, list) else []:
        if isinstance(one, dict):
            folder = path.rpartition("/")[0]
            lines += included(strings(one.get("pip")), project.files, folder)
        elif isinstance(one, str) and (found := SPECIFIER.match(one.strip())):
            kept, left = pip_line(found[1], found[3] or "")
            lines += [kept] if kept else []
            dropped += [left] if left else []
            minor = re.search(r"3\.\d+", found[3] or "")
            pythons += [minor[0]] if found[1] == "python" and minor and "<" not in one else []
    return lines, dropped, pythons


def _is_for_tests(path: str, lines: list[str]) -> bool:
    return "test" in path or not any(line.startswith("pytest") for line in lines)
