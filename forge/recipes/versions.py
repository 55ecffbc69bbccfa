"""Versions that a project takes from git's tags, which no image has."""

import re
from collections.abc import Iterable

from packaging.version import InvalidVersion, Version

ASKS_GIT = (
    r"(?i)scm|\bvcs|versioneer|\bpbr\b|dynamic.versioning|versioningit|dunamai|git.versioning"
)
UNKNOWN = "0.0.0+unknown"
# The tools' own ways to be told a version. Who has none finds a tag while it is installed.
VARIABLES = {
    "setuptools-scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "flit-scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
    "pbr": "PBR_VERSION",
}
SILENT = frozenset({"versioneer", "versioningit", "setuptools-git-versioning", "dunamai"})


def version_at(tag: str, commits: int) -> str | None:
    """The version so many commits after a tag, as setuptools-scm and pbr count; null: it has none.

    >>> [version_at("v1.2.3", n) for n in (0, 5)]
    ['1.2.3', '1.2.4.dev5']
    >>> [version_at(tag, 5) for tag in ("tool-2.0rc1", "9.2.0.dev0", "1.0.post1", "nightly-1x")]
    ['2.0rc2.dev5', '9.2.0.dev5', '1.0.post2.dev5', None]
    """
    version = _version(tag)
    if version is None or commits == 0:
        return version
    plain = re.sub(r"\.dev\d+$", "", version)
    after = plain if plain != version else re.sub(r"\d+$", lambda n: str(int(n[0]) + 1), plain)
    return f"{after}.dev{commits}"


def told(tools: Iterable[str], version: str | None) -> dict[str, str]:
    """Variables that tell the tools a version.

    >>> told(["hatch-vcs", "wheel"], "1.2")
    {'SETUPTOOLS_SCM_PRETEND_VERSION': '1.2'}
    >>> told(["pbr"], None)
    {'PBR_VERSION': '0.0.0'}
    """
    known = sorted(set(tools) & VARIABLES.keys())
    return {VARIABLES[tool]: version or _unknown(tool) for tool in known}


def _unknown(tool: str) -> str:
    return "0.0.0" if tool == "pbr" else UNKNOWN


def _version(tag: str) -> str | None:
    # From the left, so that `1.0-rc1` is a whole: a project's name before it is no version.
    starts = [m.end() for m in re.finditer(r"(?:^|[-_/=@])[vV]?(?=\d)", tag)]
    for start in starts:
        try:
            return str(Version(tag[start:].partition("+")[0]))
        except InvalidVersion:
            continue
    return None
