"""A tiny task's exported row, its image, and two graders for it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dockers import opened_docker
from naive import naive_grade
from projects import Project, archive_of, make_project, patch_of

from forge.attacks import Target, patches_of
from forge.eval_script import render
from forge.grading import Report, graded
from forge.services.docker import Docker, Image
from forge.settings import Settings

SUMS = "def add(a, b):\n    return a - b\n"
TESTS = "tests/test_sums.py"
ZERO = "from sums import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n"
HIDDEN = f"{ZERO}\n\ndef test_add():\n    assert add(1, 1) == 2\n"
OLD = "def test_old(): ...\n"
BASE = {
    "sums.py": SUMS,
    TESTS: ZERO,
    "tests/test_old.py": OLD,
    "setup.cfg": "[metadata]\nname = sums\n",
}
GOLD = {"sums.py": "def add(a, b):\n    return a + b\n"}
FAIL_TO_PASS, PASS_TO_PASS = [f"{TESTS}::test_add"], [f"{TESTS}::test_zero"]
RED = {PASS_TO_PASS[0]: "PASS", FAIL_TO_PASS[0]: "FAIL"}
GREEN = dict.fromkeys(RED, "PASS")


class Judge:
    """A task's exported row, and two graders for it."""

    def __init__(self, docker: Docker, project: Project, runner: asyncio.Runner) -> None:
        self.docker, self.project, self.runner = docker, project, runner
        recipe = project.recipe()
        image = runner.run(docker.image(recipe))
        assert isinstance(image, Image), image
        self.row = {
            "instance_id": "ada__sums-1",
            "image": image.tag,
            "eval_script": render(
                recipe,
                test_archive=archive_of({TESTS: HIDDEN}),
                removed_test_paths=[],
                targets=[TESTS],
                seconds=60,
            ),
            "log_parser": "parse_log_gotest",
            "FAIL_TO_PASS": FAIL_TO_PASS,
            "PASS_TO_PASS": PASS_TO_PASS,
        }

    def patch(self, files: dict[str, str]) -> str:
        return patch_of(self.project, files) if files else ""

    def attack(self, *attacks: str) -> str:
        """The patch that carries out attacks on the task."""
        target = Target(self.patch(GOLD), self.patch({TESTS: HIDDEN}), FAIL_TO_PASS, PASS_TO_PASS)
        return patches_of(attacks, target)[0]

    def grade(
        self, patch: str | dict[str, str], by: Callable[..., object] = graded, **changes: object
    ) -> Report:
        text = patch if isinstance(patch, str) else self.patch(patch)
        return self.runner.run(by(self.docker, self.row | changes, text))

    def believed(self, patch: str | dict[str, str]) -> set[str]:
        """What a naive grader takes for a proof that the patch is a solution."""
        grade = naive_grade(
            self.docker,
            self.row["image"],
            patch=patch if isinstance(patch, str) else self.patch(patch),
            test=TESTS,
            hidden=HIDDEN,
            fail_to_pass=FAIL_TO_PASS,
        )
        return self.runner.run(grade)


@contextmanager
def judge_of_sums(folder: Path) -> Iterator[Judge]:
    """The judge of a task whose project lies in a new folder."""
    project = make_project(folder / "origin", BASE)
    settings = Settings(root=folder, git_url=project.git_url)
    with asyncio.Runner() as runner, opened_docker(settings, runner) as service:
        yield Judge(service, project, runner)
