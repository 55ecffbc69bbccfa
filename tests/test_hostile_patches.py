"""Patches of strangers that would write where no patch may, given to a grade."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
from dockers import opened_docker
from projects import Project, make_project

from forge.attacks import creation
from forge.services.docker import EXACTLY, LENIENTLY, Bounds, Docker, EvalOutput, Image
from forge.services.docker_scripts import ATTRIBUTES
from forge.settings import Settings

SUMS = "def add(a, b):\n    return a - b\n"
FILES = {
    "sums.py": SUMS,
    "tests/data/a.txt": "x\n",
    ".gitattributes": "*.dos text eol=crlf\n*.txt ident\n",
    "unix.dos": "1\n2\n",
    "plain.txt": "$Id$\n",
}
SHIFTED = """\
diff --git a/sums.py b/sums.py
--- a/sums.py
+++ b/sums.py
@@ -1,2 +1,2 @@
 def add(a,b):
-    return a - b
+    return a + b
"""
NAIVELY = f"{EXACTLY} || unprivileged patch --batch --forward --fuzz=5 -p1 -i /forge/patch"
"""What harnesses do."""


def link(path: str, target: str) -> str:
    """The diff that creates a link."""
    made = creation(path, f"{target}\n").replace("mode 100644", "mode 120000")
    return f"{made}\\ No newline at end of file\n"


evil = partial(creation, content="evil\n")
MOVED = "diff --git a/sums.py b/{0}\nsimilarity index 100%\nrename from sums.py\nrename to {0}\n"
INTO_GIT = {
    "a hook": evil(".git/hooks/evil"),
    "beside a fix that needs fuzz": SHIFTED + evil(".git/evil"),
    "a git folder further down": evil("tests/.git/evil"),
    "in capitals": evil("tests/.GIT/evil"),
    "through a link": link("l", ".git") + evil("l/evil"),
    "by a move": MOVED.format(".git/evil"),
    "without a header": "--- /dev/null\n+++ b/.git/evil\n@@ -0,0 +1 @@\n+evil\n",
    "taken away": "--- a/.git/HEAD\n+++ /dev/null\n@@ -1 +0,0 @@\n-{head}\n",
}
OUTSIDE = {
    "above": evil("../tmp/evil"),
    "above, without a header": "--- /dev/null\n+++ b/../tmp/evil\n@@ -0,0 +1 @@\n+evil\n",
    "by a move": MOVED.format("../tmp/evil"),
    "through a link": link("l", "/home/forge") + evil("l/evil"),
    "through a link of links": link("k", "..") + link("l", "k/home/forge") + evil("l/evil"),
}
SHOW = "find / -xdev -name evil; [ -e /testbed/.git/HEAD ] || echo no HEAD"


class Bed:
    """A task's image, and patches applied in it."""

    def __init__(self, docker: Docker, project: Project, runner: asyncio.Runner) -> None:
        self.docker, self.project, self.runner = docker, project, runner
        recipe = project.recipe(install="true", lock="", system_packages=("patch",))
        built = runner.run(docker.image(recipe))
        assert isinstance(built, Image), built
        self.tag = built.tag

    def apply(self, patch: str, apply: str, script: str = SHOW) -> EvalOutput:
        text = patch.replace("{head}", self.project.base_commit)
        run = partial(self.docker.run_tests, self.tag, eval_script=script, bounds=Bounds(60))
        tested = self.runner.run(run(patch=text, apply=apply))
        assert isinstance(tested, EvalOutput), tested
        return tested


@pytest.fixture(scope="module")
def bed(docker_engine, tmp_path_factory) -> Iterator[Bed]:  # noqa: ARG001 - skips without it
    folder = tmp_path_factory.mktemp("hostile")
    project = make_project(folder / "origin", FILES)
    settings = Settings(root=folder, git_url=project.git_url)
    with asyncio.Runner() as runner, opened_docker(settings, runner) as service:
        yield Bed(service, project, runner)


@pytest.mark.parametrize("way", INTO_GIT)
def test_patch_into_a_git_folder_that_harnesses_let_in_is_not_applied(bed, way):
    naive, ours = (bed.apply(INTO_GIT[way], apply) for apply in (NAIVELY, LENIENTLY))

    assert naive.is_applied
    assert naive.report != b""
    assert (ours.is_applied, ours.report) == (False, b"")
    assert b"invalid path /testbed/" in ours.log


@pytest.mark.parametrize("way", OUTSIDE)
def test_patch_outside_the_repository_is_not_applied_and_writes_nothing_there(bed, way):
    tried = "cd /testbed; git apply /forge/patch; patch --batch -p1 -i /forge/patch"
    both = bed.apply(OUTSIDE[way], "true", f"{{ {tried}; }} >/dev/null 2>&1; {SHOW}")

    assert both.report == b""
    assert not bed.apply(OUTSIDE[way], LENIENTLY).is_applied


def test_patch_that_needs_fuzz_and_touches_no_git_folder_is_applied(bed):
    ended = bed.apply(SHIFTED, LENIENTLY, "cat /testbed/sums.py")
    assert (ended.is_applied, ended.report) == (True, b"def add(a, b):\n    return a + b\n")


def test_files_lie_in_the_image_byte_for_byte_as_git_holds_them(bed):
    script = "cd /testbed; cat unix.dos plain.txt .git/info/attributes; git status --porcelain"
    assert bed.apply("", EXACTLY, script).report.decode() == f"1\n2\n$Id$\n{ATTRIBUTES}\n"
