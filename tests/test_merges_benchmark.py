import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from histories import Repository

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "clones/ann/fix")
    made.commit("Begin", {"a.py": "one = 1\n"})
    return made


def measured(repository: Repository, *flags: str, code: int = 0) -> str:
    folder = repository.folder.parent.parent
    command = [sys.executable, "-m", "benchmarks.merges", str(folder), *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def everything(repository: Repository, code: int = 0) -> dict[str, Any]:
    return json.loads(measured(repository, "--json", code=code))


def propose(repository: Repository, number: int, *names: str) -> list[str]:
    repository.branch(f"topic-{number}", "main")
    own = [repository.commit(f"Add {name}", {name: f"{name}\n" * 9}) for name in names]
    repository.open(number)
    repository.switch()
    return own


def forget(repository: Repository, number: int) -> None:
    repository.git("branch", "-D", f"topic-{number}")


def test_each_way_to_merge_is_proved_named_and_cut(repository: Repository) -> None:
    for number in (1, 2, 3, 4):
        own = propose(repository, number, f"b{number}.py", f"tests/test_{number}.py")
        repository.commit(f"Meanwhile {number}", {"a.py": f"one = {number}\n"})
        match number:
            case 1:
                repository.merge("topic-1", "Merge pull request #1 from ann/topic-1")
            case 2:
                repository.squash("topic-2", "Add two (#2)")
            case 3:
                repository.rebase(*own)
        forget(repository, number)

    found = everything(repository)

    assert [(truth["number"], truth["methods"], truth["proof"]) for truth in found["proven"]] == [
        (1, ["merge"], "second parent"),
        (2, ["squash"], "same tree"),
        (3, ["rebase"], "patch by patch"),
    ]
    assert {(named["told"], named["outcome"]) for named in found["named"]} == {
        (told, "equal") for told in ("number", "head", "event", "commit")
    }
    assert [cut["outcome"] for cut in found["cuts"]] == ["exact"] * 3
    assert [(named["told"], named["outcome"]) for named in found["doubtful"]] == [
        ("no trace", "null: merge_not_found")
    ]


def test_what_a_walk_skips_is_counted_by_its_reason(repository: Repository) -> None:
    own = propose(repository, 3, "b.py", "c.py")
    repository.commit("Meanwhile", {"a.py": "one = 2\n"})
    repository.rebase(*own)
    forget(repository, 3)

    walked = everything(repository)["walked"]

    assert [(named["number"], named["outcome"]) for named in walked] == [
        *[(0, "skipped: names no number")] * 4,
        (3, "skipped: rebase that names no number"),
    ]


def test_a_change_that_nothing_proves_is_no_truth(repository: Repository) -> None:
    propose(repository, 5, "b.py")
    repository.commit("Another change (#5)", {"c.py": "three = 3\n"})

    found = everything(repository)

    assert found["proven"] == []
    assert found["unproven"] == {"named by a commit of another change or of none": 1}


def test_tables_count_what_was_proved_and_named(repository: Repository) -> None:
    propose(repository, 2, "b.py")
    repository.squash("topic-2", "Add two (#2)")

    said = measured(repository)

    assert "| proven | unproven | asked | number | head | event | commit | wrong |" in said
    assert "| ann/fix | Python | 1 | 0 | 1 | 1 | 1 | 1 | 1 | 0 | 1 | 0 |" in said
    assert "| squash or rebase: same tree | 1 |" in said
