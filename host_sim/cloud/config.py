"""What the share service is told when it starts."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Where things are kept, and where the service is reached."""

    data: Path
    database: str = ""  # an SQLAlchemy URL; by default a SQLite file in `data`
    keys: Path | None = None  # by default a folder in `data`
    mail: str = ""  # folder:PATH, smtp:// or smtps://; by default a folder in `data`
    base_url: str = "http://127.0.0.1:8080"

    @property
    def database_url(self) -> str:
        """The database."""
        return self.database or f"sqlite:///{self.data / 'cloud.db'}"

    @property
    def keys_folder(self) -> Path:
        """Where the issuer's keys are."""
        return self.keys or self.data / "keys"

    @property
    def mail_url(self) -> str:
        """Where mail goes."""
        return self.mail or f"folder:{self.data / 'mail'}"
