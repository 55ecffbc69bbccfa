"""Where forge reads, writes and asks: flags over `FORGE_*` over forge.toml over defaults."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """What a machine or a user sets once."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="FORGE_", toml_file="forge.toml", frozen=True, extra="ignore"
    )

    root: Path = Path("data")
    memo: Path | None = None
    archive_url: str = "https://data.gharchive.org"
    git_url: str = "https://github.com/{owner}/{repo}"
    recipes: Path = Path("recipes")
    build_network: str = "default"
    build_ca_bundle: Path | None = None
    disk: int = Field(default=50_000_000_000, ge=0)
    workers: int = Field(default=2, ge=1)

    @property
    def memo_folder(self) -> Path:
        """Where answers are remembered; several roots may share it."""
        return self.memo or self.root / "memo"

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
