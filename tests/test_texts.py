import tomllib
from pathlib import Path

import pytest

from forge import texts
from forge.errors import InputError
from forge.texts import read_text, toml


@pytest.mark.parametrize(
    "bomb",
    [
        "x" + ".x" * 100_000 + " = 1",
        '"="' + " . x" * 100_000 + " = 1",
        "[a" + ".a" * 100_000 + "]\n" + "b.c = 1\n" * 1_000,
        "x = " + "[" * 100_000,
        "x = " + "{a = " * 50_000,
        "x = 1" + "0" * 10_000,
        'x = "' + '\\"' * 400_000,
        "'" * 1_000_001,
        "a" * 1_000_000,
        "a. " * 60 + "a" * 900_000,
    ],
    ids=lambda bomb: bomb[:12],
)
def test_toml_that_is_made_to_exhaust_its_reader_is_refused(bomb):
    with pytest.raises(tomllib.TOMLDecodeError):
        toml(bomb)


def test_toml_with_many_dots_in_texts_is_read():
    text = f'version = "{"1." * 90}0"\nurls = {["a.b.c.d"] * 90}\n\r\n[tool.x.y]\n"a.b".c = 1.5\n'
    assert toml(text)["tool"] == {"x": {"y": {"a.b": {"c": 1.5}}}}


def test_file_without_end_is_refused_and_not_read():
    with pytest.raises(InputError, match="more than 20,000,000 bytes"):
        read_text(Path("/dev/zero"))


def test_file_of_the_most_bytes_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "MOST_BYTES", 4)
    (tmp_path / "four").write_text("four")
    assert read_text(tmp_path / "four") == "four"
