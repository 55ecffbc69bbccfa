"""Where forge reads, writes and asks: flags over `FORGE_*` over forge.toml over defaults."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from forge.address import Address, read

Place = Annotated[Address, NoDecode, BeforeValidator(read)]
TOKEN = re.compile(r"[!-+\--~]+")
"""What a header takes as it is; commas part tokens."""


def tokens(value: Any) -> tuple[SecretStr, ...]:
    """Tokens that a text parts by commas or blanks, or a list holds; errors quote none of them.

    >>> tokens("ghp_a, ghp_b")
    (SecretStr('**********'), SecretStr('**********'))
    """
    texts = value.replace(",", " ").split() if isinstance(value, str) else value
    plain = [t.get_secret_value() if isinstance(t, SecretStr) else t for t in texts]
    if not all(isinstance(token, str) and TOKEN.fullmatch(token) for token in plain):
        raise ValueError("a token is letters, digits and signs, parted by commas or blanks")
    return tuple(SecretStr(token) for token in dict.fromkeys(plain))


Tokens = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(tokens)]


def key(value: Any) -> SecretStr | None:
    """The one token that a text is, or none where it is empty."""
    found = tokens(value or ())
    if len(found) > 1:
        raise ValueError("a key is one word")
    return next(iter(found), None)


Key = Annotated[SecretStr | None, NoDecode, BeforeValidator(key)]
Word = Annotated[str | None, BeforeValidator(lambda value: value or None)]


def unset(value: Any) -> Any:
    """None for what a shell gives of an empty variable."""
    return None if value == "" else value


Temperature = Annotated[float | None, Field(ge=0, allow_inf_nan=False), BeforeValidator(unset)]
"""None: what the model takes by itself, as some reasoning models insist."""
Url = Annotated[
    Address | None, NoDecode, BeforeValidator(lambda value: read(value) if value else None)
]


class Price(BaseModel, frozen=True, extra="forbid"):
    """What a model costs, in dollars for a million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0, allow_inf_nan=False)


def prices(value: Any) -> Any:
    """A price table, or the JSON of one; nothing where it is empty."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else {}
    except (ValueError, RecursionError):
        raise ValueError('no JSON, such as {"my-model": {"input": 1.5, "output": 6}}') from None


Prices = Annotated[dict[str, Price], NoDecode, BeforeValidator(prices)]


class Settings(BaseSettings):
    """What a machine or a user sets once."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="FORGE_", toml_file="forge.toml", frozen=True, extra="ignore"
    )

    root: Path = Path("data")
    memo: Path | None = None
    raw: Path | None = None
    archive_url: Place = Address("https://data.gharchive.org")
    git_url: Place = Address("https://github.com/{owner}/{repo}")
    github_url: Place = Address("https://api.github.com")
    github_tokens: Tokens = ()
    llm_base_url: Url = None
    llm_model: Word = None
    llm_api_key: Key = None
    openrouter_api_key: Key = Field(default=None, validation_alias="openrouter_api_key")
    openai_api_key: Key = Field(default=None, validation_alias="openai_api_key")
    llm_temperature: Temperature = 0
    llm_seed: Annotated[int | None, BeforeValidator(unset)] = None
    llm_output_tokens: int = Field(default=4_000, ge=16)
    llm_concurrency: int = Field(default=64, ge=1)
    llm_prices: Prices = Field(default_factory=dict)
    recipes: Path = Path("recipes")
    build_network: str = "default"
    build_ca_bundle: Path | None = None
    build_seconds: int = Field(default=1800, ge=1)
    container_memory_bytes: int = Field(default=8_000_000_000, ge=6_000_000)
    container_disk_bytes: int = Field(default=20_000_000_000, ge=1)
    disk: int = Field(default=50_000_000_000, ge=0)
    workers: int = Field(default=2, ge=1)
    downloads: int = Field(default=8, ge=1)

    @property
    def memo_folder(self) -> Path:
        """Where answers are remembered; several roots may share it."""
        return self.memo or self.root / "memo"

    @property
    def raw_folder(self) -> Path:
        """Where hourly files are read from; what is downloaded is kept there if `raw` is set."""
        return self.raw or self.root / "raw"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then forge.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
