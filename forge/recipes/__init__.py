"""How to build and test a candidate, from what its project says about itself."""

import hashlib

from pydantic import BaseModel, ConfigDict


class Recipe(BaseModel):
    """The whole of what an image depends on, so that the image is only a cache of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    repo: str
    base_commit: str
    image: str
    """A toolchain by its Docker Hub name, such as python:3.11-slim-bookworm."""
    system_packages: tuple[str, ...] = ()
    """Debian packages."""
    environment: dict[str, str] = {}
    """Variables for install, rebuild, probe and test; the dependencies do not see them."""
    lock: str = ""
    """Every dependency pinned, as its package manager writes it; empty where there is none."""
    lock_as_of: str = ""
    """The moment as of which the lock was resolved, in $FORGE_LOCK_AS_OF; empty without a lock."""
    dependencies: str = ""
    """Shell, as root, with network, without the project: installs what $FORGE_LOCK pins."""
    install: str = ""
    """Shell, as root in /testbed at the base commit, with network, after the dependencies."""
    rebuild: str = ""
    """Shell, offline, after every patch."""
    probe: str
    """Shell that lists the tests at the base, one id a line."""
    test: str
    """Shell (bash) that runs the targets "$@" (none: all), with its result in $FORGE_RESULT."""
    runner: str = ""
    """Name of what its tests run under; empty: its language's usual one."""
    results: str
    """Name of the module in forge.results that reads the result file."""
    touched: tuple[str, ...] = ()
    """Files of tests that the pull request changes: these at least have to be listed."""
    surroundings: tuple[str, ...] = ()
    """What the project's own machines have beside all this, as `services: postgres:16`."""

    @property
    def text(self) -> str:
        """Canonical JSON: equal recipes have equal texts.

        >>> required = dict(language="x", repo="a/b", base_commit="c", image="i", probe="p")
        >>> r = Recipe(**required, test="t", results="junit")
        >>> Recipe.model_validate_json(r.text) == r
        True
        """
        return self.model_dump_json()

    @property
    def sha(self) -> str:
        """Sha256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()
