import re

import pytest

from forge.cli._options import settings
from forge.errors import ForgeError, UsageError
from forge.settings import Price


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


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LLM_PRICES", "cheap", "llm_prices: Value error, no JSON, such as"),
        ("LLM_PRICES", '{"toy-1": 3}', "llm_prices.toy-1: Input should be"),
        ("LLM_PRICES", '{"toy-1": {"input": Infinity, "output": 1}}', "should be a finite number"),
        ("LLM_TEMPERATURE", "inf", "llm_temperature: Input should be a finite number"),
        ("LLM_SEED", "luck", "llm_seed: Input should be a valid integer"),
    ],
)
def test_variable_that_no_command_could_work_with_is_refused(monkeypatch, name, value, message):
    monkeypatch.setenv(f"FORGE_{name}", value)
    with pytest.raises(UsageError, match=re.escape(message)):
        settings()


def test_empty_variable_of_a_model_is_as_none(monkeypatch):
    for name in ("MODEL", "BASE_URL", "API_KEY", "PRICES", "SEED", "TEMPERATURE"):
        monkeypatch.setenv(f"FORGE_LLM_{name}", "")
    found = settings()
    assert (found.llm_model, found.llm_base_url, found.llm_api_key) == (None, None, None)
    assert (found.llm_prices, found.llm_seed, found.llm_temperature) == ({}, None, None)


def test_prices_are_the_same_from_a_variable_and_a_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGE_LLM_PRICES", '{"toy-1": {"input": 1, "output": 2}}')
    told = settings().llm_prices
    monkeypatch.delenv("FORGE_LLM_PRICES")
    (tmp_path / "forge.toml").write_text('[llm_prices."toy-1"]\ninput = 1\noutput = 2\n')
    assert settings().llm_prices == told == {"toy-1": Price(input=1, output=2)}
