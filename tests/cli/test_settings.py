import pytest

from forge.cli._options import settings
from forge.errors import ForgeError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[candidates\n", "forge.toml is not TOML: "),
        (b'root = "\xff"\n', "forge.toml cannot be read: "),
        (b"workers = 0\n", "workers: Input should be greater than or equal to 1"),
        (b"disk = -1\n", "disk: Input should be greater than or equal to 0"),
    ],
)
def test_setting_that_no_command_could_work_with_is_refused(
    tmp_path, monkeypatch, content, message
):
    (tmp_path / "forge.toml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ForgeError) as error:
        settings()
    assert message in str(error.value)
