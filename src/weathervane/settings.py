"""What the operator sets, from the environment; read once, by doors only."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Environment variables with the prefix WEATHERVANE_, except DATABASE_URL, which platforms set by that name."""

    model_config = SettingsConfigDict(env_prefix="WEATHERVANE_", extra="ignore")

    state: Path = Path("state")
    tenant: str | None = None
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    port: int = 8787
