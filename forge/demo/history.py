"""Git repositories with the history that the world tells, each made by one `git fast-import`."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from forge.demo.messages import branch_commits, merge_commits
from forge.demo.stream import Point, Stamp, Stream, Text, person
from forge.demo.world import PullRequest, Push, Repository, changed, first_tree

Step = tuple[datetime, Callable[[], None]]


class Shas(NamedTuple):
    """A pull request's head, and the branch when it was opened, before it was merged and after."""

    head: str
    base: str
    before: str
    merged: str


def git_environment() -> dict[str, str]:
    """An environment in which git behaves alike for every user."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return plain | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def write_repository(repository: Repository, folder: Path) -> dict[int, Shas]:
    """Make the bare repository, and return its pull requests' commits by number."""
    history, marks = _History(repository), (folder / "marks").absolute()
    _git("init", "--quiet", "--bare", "--template=", "-b", repository.branch, str(folder))
    # A pack, not loose objects: one file to write and to read.
    settings = ("-C", str(folder), "-c", "fastimport.unpackLimit=1")
    _git(
        *settings, "fast-import", "--quiet", f"--export-marks={marks}", stream=bytes(history.stream)
    )
    shas = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return {
        number: Shas(*(shas[f":{point.mark}"] for point in points))
        for number, points in history.pull_requests.items()
    }


class _History:
    """One repository's commits, as its timeline makes them."""

    def __init__(self, repository: Repository) -> None:
        self.stream = Stream()
        self.pull_requests: dict[int, tuple[Point, ...]] = {}
        self._repository = repository
        founder = Stamp(person(repository.founder), repository.started)
        text = Text("First version", founder, founder)
        self._tip = self.stream.commit(self._ref, first_tree(repository), text)
        for _, step in sorted(self._timeline(), key=lambda step: step[0]):
            step()

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self._repository.branch}"

    def _timeline(self) -> Iterator[Step]:
        for push in self._repository.commits:
            yield push.at, partial(self._push, push)
        for pull_request in self._repository.pull_requests:
            yield pull_request.opened, partial(self._open, pull_request)
            if pull_request.merged:
                yield pull_request.merged, partial(self._merge, pull_request)

    def _push(self, push: Push) -> None:
        stamp = Stamp(person(push.author), push.at)
        tree = changed(self._tip.tree, push.changes)
        text = Text(push.message, stamp, stamp)
        self._tip = self.stream.commit(self._ref, tree, text, parents=[self._tip])

    def _open(self, pull_request: PullRequest) -> None:
        ref, head = f"refs/pull/{pull_request.number}/head", self._tip
        for changes, text in branch_commits(pull_request):
            tree = changed(head.tree, changes)
            head = self.stream.commit(ref, tree, text, parents=[head])
        self.pull_requests[pull_request.number] = (head, self._tip, self._tip, self._tip)

    def _merge(self, pull_request: PullRequest) -> None:
        head, base, *_ = self.pull_requests[pull_request.number]
        before, heads = self._tip, [head] if pull_request.how in {"merge", "bors"} else []
        for changes, text in merge_commits(self._repository, pull_request):
            tree, parents = changed(self._tip.tree, changes), [self._tip, *heads]
            self._tip = self.stream.commit(self._ref, tree, text, parents=parents)
        self.pull_requests[pull_request.number] = (head, base, before, self._tip)


def _git(*arguments: str, stream: bytes = b"") -> None:
    subprocess.run(["git", *arguments], input=stream, env=git_environment(), check=True)
