import re

import pytest
from toys import STAGES

from forge.errors import UsageError
from forge.limits import read_limits


def read(folder, text="", *given):
    file = folder / "forge.toml"
    file.write_text(text)
    return read_limits(STAGES, file, given)


def test_command_line_outranks_the_file(tmp_path):
    assert read(tmp_path, "[doubles]\nleast = 3\n", "doubles.least=5") == {
        "doubles": {"least": "5"}
    }


def test_settings_stand_beside_limits(tmp_path):
    assert read(tmp_path, 'root = "elsewhere"\n[doubles]\nleast = 3\n') == {"doubles": {"least": 3}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("doubles", "not a limit: 'doubles'\nsay it as stage.name=value: candidates.stars=20"),
        ("doublets.least=1", "no stage 'doublets' has limits\nthose that have: doubles"),
        (
            "doubles.leest=1",
            "limits of doubles: leest: Extra inputs are not permitted",
        ),
        (
            "doubles.least=few",
            "limits of doubles: least: Input should be a valid integer",
        ),
    ],
)
def test_slip_in_a_limit_is_refused(tmp_path, given, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        read(tmp_path, "", given)


def test_slip_in_the_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such setting or stage: doublets"):
        read(tmp_path, "[doublets]\nleast = 3\n")
    with pytest.raises(UsageError, match=r"forge\.toml is not TOML"):
        read(tmp_path, "least: 3\n")
