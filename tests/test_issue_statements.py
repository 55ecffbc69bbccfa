"""Issues of the archive become problem statements, in both eras."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from archives import full, issue, packed, serve, trimmed
from git_builds import kept
from histories import Repository

from forge.build import Options, build, stages_to
from forge.demo.world import licence_text
from forge.selection import Selection
from forge.settings import Settings
from forge.stages.statements import statements

CODE = "def half(n):\n    return n // 2\n"
FIX = {"half.py": "def half(n):\n    return round(n / 2)\n", "tests/test_half.py": "import half\n"}
HOURS = (9 * 24 + 14, 9 * 24 + 15)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/kestrel/ledger")
    made.commit("Begin", {"half.py": CODE, "LICENSE": licence_text("MIT")})
    return made


def statement(root: Path, repository: Repository, *events: Any, keep: tuple[str, ...]) -> Any:
    """The only statement that a build over these events makes."""
    with serve({"2026-03-10-14": packed(*events)}) as archive:
        settings = Settings(root=root, archive_url=archive.url, git_url=repository.template)
        month = Selection("2026-03", window=HOURS, keep=keep)
        chosen, now = stages_to("statements"), datetime(2026, 4, 1)
        list(build(chosen, month, settings, Options(), now=now, progress=lambda *_: None))
    (row,) = kept(root, statements, "2026-03")
    return row["statement_source"], row["problem_statement"], row["issue_numbers"]


REPORTED = ("issue", "Halves vanish\n\n1.5 gives 1.", [3])


def test_issue_of_today_is_the_statement_of_the_squash_that_names_it(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Round half to even (#7)\n\nFixes #3", FIX)
    at = "2026-03-10T14:00:00Z"
    events = (trimmed(at=at), issue("closed", at=at), issue("opened", 4, at=at))
    assert statement(tmp_path, repository, *events, keep=("issues",)) == REPORTED
    squash = ("squash_message", "Round half to even\n\nFixes #3", [])
    assert statement(tmp_path / "other", repository, *events, keep=()) == squash


def test_issue_of_a_full_payload_is_the_statement_of_the_merge_whose_body_names_it(
    repository: Repository, tmp_path: Path
) -> None:
    repository.branch("topic")
    head = repository.commit("wip", FIX)
    repository.switch()
    merge = repository.merge("topic", "Merge pull request #7 from grace/topic\n\nRound half")
    merged = full(head_sha=head, at="2026-03-10T15:00:00Z")
    known = {"merged_at": "2026-03-10T15:00:00Z", "merge_commit_sha": merge}
    merged["payload"]["pull_request"] |= known
    events = (merged, issue("closed", at="2026-03-10T15:00:00Z"))
    assert statement(tmp_path, repository, *events, keep=("issues",)) == REPORTED
    own = ("pull_request", "Round half to even\n\nFixes #3.", [])
    assert statement(tmp_path / "other", repository, *events, keep=()) == own
