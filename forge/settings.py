"""Where forge reads, writes and asks: flags over `FORGE_*` over forge.toml over defaults."""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SecretStr
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
