"""Pull requests do to their tests what their stories say: the tests run here, without Docker."""

import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from forge.demo.history import Shas

FIXED = {
    ("harborlight/semaphore", 6): {"test_capitals_are_sent_as_small_letters"},
    ("lanternworks/tidytext", 12): {
        "test_three_spaces_become_one",
        "test_tabs_and_line_ends_become_a_space",
    },
    ("lanternworks/tidytext", 13): {"test_no_line_is_longer_than_the_width"},
    ("lanternworks/tidytext", 15): {
        "test_digits_stay",
        "test_an_apostrophe_does_not_split_a_word",
    },
    ("lanternworks/tidytext", 18): set(),
    ("mossgarden/colorpot", 21): {"test_three_digits_are_doubled"},
    ("mossgarden/colorpot", 22): set(),
    ("mossgarden/colorpot", 24): {
        "test_case_does_not_matter",
        "test_an_unknown_name_is_an_error",
    },
    ("papertrail/glyphs", 3): {"test_the_q_has_a_tail"},
    ("papertrail/glyphs", 4): {"test_letters_of_a_banner_do_not_touch"},
    ("papertrail/glyphs", 5): {
        "test_the_q_has_a_code",
        "test_small_letters_have_the_codes_of_capitals",
    },
}


def check_out(git_folder: Path, sha: str, folder: Path, *paths: str) -> None:
    command = ["git", "-C", str(git_folder), "archive", sha, "--", *paths]
    content = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")


def passed(folder: Path) -> set[str]:
    report = folder / "report.xml"
    options = ["--continue-on-collection-errors", f"--junitxml={report}"]
    command = [sys.executable, "-B", "-m", "pytest", *options, "tests"]
    path = os.pathsep.join([str(folder / "src"), str(folder)])
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": path,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - our own tests wrote it
    return {str(case.get("name")) for case in cases if len(case) == 0}


@pytest.mark.parametrize(("repo", "number"), FIXED)
def test_a_gold_patch_fixes_what_it_should(
    made: Path, shas: dict[str, dict[int, Shas]], tmp_path: Path, repo: str, number: int
) -> None:
    git_folder, found = made / "git" / f"{repo}.git", shas[repo][number]
    check_out(git_folder, found.before, tmp_path / "before")
    check_out(git_folder, found.merged, tmp_path / "before", "tests")
    check_out(git_folder, found.merged, tmp_path / "after")
    before, after = passed(tmp_path / "before"), passed(tmp_path / "after")
    assert after - before == FIXED[repo, number]
    assert before <= after
