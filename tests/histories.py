"""Small repositories with real history, written commit by commit."""

import os
import subprocess
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 10, 12)
EXECUTABLE = 0o755


class Repository:
    """A repository with a work tree; every commit is an hour after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.commits = folder, 0
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "uploadpack.allowFilter", "true")

    @property
    def template(self) -> str:
        """The address under which `owner/name` is found two folders up."""
        return f"file://{self.folder.parent.parent}/{{owner}}/{{repo}}"

    def git(self, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            input=stdin,
            env={**os.environ, **environment},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files, byte for byte; None removes one."""
        for name, content in files.items():
            path = self.folder / name
            if path.is_symlink() or content is None:
                path.unlink()
            if content is None and not any(path.parent.iterdir()):
                path.parent.rmdir()
            if content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(
        self, message: str, files: Mapping[str, str | bytes | None] | None = None, **who: str
    ) -> str:
        """Commit the work tree with these changes, and return the sha."""
        self.write(files or {})
        self.git("add", "--all", "--force")
        return self.commit_index("commit", "--quiet", "--allow-empty", "-m", message, **who)

    def merge(self, branch: str, message: str, **who: str) -> str:
        """A true merge of a branch into the present one."""
        return self.commit_index("merge", "--quiet", "--no-ff", "-m", message, branch, **who)

    def squash(self, branch: str, message: str, **who: str) -> str:
        """All changes of a branch as one commit."""
        self.git("merge", "--squash", branch)
        return self.commit_index("commit", "--quiet", "-m", message, **who)

    def rebase(self, *commits: str) -> str:
        """Copies of commits on top of the present branch, all committed at once."""
        self.commits += 1
        self.git("cherry-pick", *commits, GIT_COMMITTER_DATE=self.now)
        return self.head

    def branch(self, name: str, at: str = "main") -> None:
        """Switch to a new branch."""
        self.git("switch", "--quiet", "-c", name, at)

    def switch(self, name: str = "main") -> None:
        """Switch to a branch."""
        self.git("switch", "--quiet", name)

    def open(self, number: int, head: str = "HEAD") -> str:
        """Keep a head as GitHub does for a pull request, and return it."""
        self.git("update-ref", f"refs/pull/{number}/head", head)
        return self.sha(head)

    def sha(self, name: str) -> str:
        """The object that a name stands for."""
        return self.git("rev-parse", name)

    @property
    def head(self) -> str:
        """The present commit."""
        return self.sha("HEAD")

    @property
    def at(self) -> datetime:
        """When the last commit was made."""
        return START + timedelta(hours=self.commits)

    @property
    def now(self) -> str:
        """The same for git."""
        return f"{self.at.isoformat()}Z"

    def commit_index(self, *arguments: str, **who: str) -> str:
        """Run a command that commits, an hour after the last, and return the sha."""
        self.commits += 1
        dates = {"GIT_AUTHOR_DATE": self.now, "GIT_COMMITTER_DATE": self.now}
        names = {f"GIT_AUTHOR_{key.upper()}": value for key, value in who.items()}
        self.git(*arguments, **dates, **names)
        return self.head
