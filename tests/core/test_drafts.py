import subprocess
import sys
from pathlib import Path

import pytest

from forge.artifacts import Artifacts
from forge.drafts import clear_drafts, draft_in

WRITE = """
import sys
from pathlib import Path
from forge.drafts import draft_in
draft_in(Path(sys.argv[1]), "draft-").touch()
"""


def left_by_the_dead(folder: Path) -> Path:
    subprocess.run([sys.executable, "-c", WRITE, str(folder)], check=True)
    return next(folder.glob("draft-*"))


def test_draft_of_a_dead_process_goes(tmp_path):
    left_by_the_dead(tmp_path)
    clear_drafts(tmp_path, "draft-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["draft-elsewhere@1~1~0~ab", "draft-71-ab", "part-ab"])
def test_what_may_be_a_living_process_s_stays(tmp_path, name):
    (tmp_path / name).touch()
    living = draft_in(tmp_path, "draft-")
    living.touch()
    clear_drafts(tmp_path, "draft-")
    assert {path.name for path in tmp_path.iterdir()} == {name, living.name}


def test_no_drafts_are_no_matter(tmp_path):
    Artifacts(tmp_path / "artifacts").clear_drafts()
    assert list(tmp_path.iterdir()) == []
