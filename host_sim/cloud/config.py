"""What the share service is told when it starts."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Config:
    """Where things are kept, and where the service is reached."""

    data: Path
    database: str = ""  # an SQLAlchemy URL; by default a SQLite file in `data`
    keys: Path | None = None  # by default a folder in `data`
    mail: str = ""  # folder:PATH, smtp:// or smtps://; by default a folder in `data`
    base_url: str = "http://127.0.0.1:8080"
    broker: str = ""  # mqtts://USER:PASSWORD@HOST:PORT; by default one of its own
    mqtt_port: int = 8883  # of that

    @property
    def database_url(self) -> str:
        """The database."""
        return self.database or f"sqlite:///{self.data / 'cloud.db'}"

    @property
    def keys_folder(self) -> Path:
        """Where the issuer's keys are."""
        return self.keys or self.data / "keys"

    @property
    def tls_folder(self) -> Path:
        """Where the certificates for locks are."""
        return self.data / "tls"

    @property
    def host(self) -> str:
        """The name under which the service is reached."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def broker_url(self) -> str:
        """Where locks find the broker, without a user."""
        if not self.broker:
            return f"mqtts://{self.host}:{self.mqtt_port}"
        parts = urlsplit(self.broker)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def mail_url(self) -> str:
        """Where mail goes."""
        return self.mail or f"folder:{self.data / 'mail'}"
