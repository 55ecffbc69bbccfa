"""A small project with a real history, and the recipe that tests it."""

import base64
import gzip
import io
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forge.recipes import Recipe

IMAGE = "python:3.11-slim-bookworm"
DEPENDENCIES = """
uv venv -q --python "$(command -v python3)" /opt/venv
uv pip install -q --no-deps -r "$FORGE_LOCK"
"""
PYTEST = (
    "python -m pytest --rootdir=/testbed -o junit_family=xunit1 --continue-on-collection-errors"
)
LOCK = "iniconfig==2.1.0\npackaging==25.0\npluggy==1.6.0\npygments==2.19.2\npytest==8.4.2\n"


@dataclass(frozen=True)
class Project:
    """A repository, its one commit, and where Settings.git_url finds it."""

    folder: Path
    base_commit: str
    git_url: str
    repo: str = "ada/sums"

    def recipe(self, **changes: object) -> Recipe:
        """A recipe that installs pytest alone, or what a test says."""
        values = {
            "language": "python",
            "repo": self.repo,
            "base_commit": self.base_commit,
            "image": IMAGE,
            "environment": {"PYTHONPATH": "/testbed"},
            "lock": LOCK,
            "dependencies": "" if "install" in changes else DEPENDENCIES,
            "probe": f"{PYTEST} --collect-only -q | grep ::",
            "test": f'{PYTEST} --junitxml="$FORGE_RESULT" "$@"',
            "results": "junit",
        }
        return Recipe.model_validate(values | changes)


def make_project(folder: Path, files: Mapping[str, str]) -> Project:
    """A repository of these files in one commit."""
    repository = folder / "ada" / "sums"
    for path, content in files.items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(content, encoding="utf-8")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add up")
    head = git(repository, "rev-parse", "HEAD").strip()
    return Project(repository, head, f"{folder}/{{owner}}/{{repo}}")


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def patch_of(project: Project, files: Mapping[str, str]) -> str:
    """The diff that writes these files over the project's."""
    for path, content in files.items():
        (project.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / path).write_text(content, encoding="utf-8")
    git(project.folder, "add", ".")
    patch = git(project.folder, "diff", "--cached", "--binary")
    git(project.folder, "reset", "-q", "--hard")
    return patch


def archive_of(files: Mapping[str, str]) -> str:
    """A test archive: base64 of a tar.gz."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content.encode()), 0o644
            tar.addfile(member, io.BytesIO(content.encode()))
    return base64.b64encode(gzip.compress(packed.getvalue(), mtime=0)).decode()
