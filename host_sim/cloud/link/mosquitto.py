"""Files for mosquitto: who may come in, which topics are theirs, and where it listens.

Made anew whenever a lock was enrolled; mosquitto reads them again at a SIGHUP.
"""

from collections.abc import Iterable
from pathlib import Path
from secrets import token_urlsafe

from ..domain.credentials import hashed
from . import topics
from .certificates import Certificates

Login = tuple[str, str]  # name, and what is kept of the password


def password(folder: Path) -> str:
    """The service's own password, kept in the folder; made if there is none."""
    path = folder / "service-password"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, [token_urlsafe(32)])
    return path.read_text(encoding="ascii").strip()


def write(
    folder: Path, logins: Iterable[Login], certificates: Certificates, password: str, port: int
) -> None:
    """Write `mosquitto.conf`, `passwords` and `acl`; `password` is the service's own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [f"{name}:{kept}" for name, kept in ((topics.CLOUD, hashed(password)), *logins)]
    _write(folder / "passwords", lines)
    _write(folder / "acl", _acl())
    _write(folder / "mosquitto.conf", _conf(folder, certificates, port))


def _acl() -> list[str]:
    service = [f"user {topics.CLOUD}", "topic readwrite #", ""]
    reads = [f"pattern read {pattern}" for pattern in topics.READ]
    writes = [f"pattern write {pattern}" for pattern in topics.WRITE]
    return [*service, *reads, *writes]


def _conf(folder: Path, certificates: Certificates, port: int) -> list[str]:
    return [
        f"listener {port}",
        f"certfile {certificates.broker.resolve()}",
        f"keyfile {certificates.broker_key.resolve()}",
        "tls_version tlsv1.2",
        "allow_anonymous false",
        f"password_file {(folder / 'passwords').resolve()}",
        f"acl_file {(folder / 'acl').resolve()}",
        "use_username_as_clientid true",  # or one lock could take over another's session
        "max_packet_size 32768",
        "max_queued_messages 100",
        "max_inflight_messages 20",
        "persistent_client_expiration 7d",
    ]


def _write(path: Path, lines: list[str]) -> None:
    partial = path.with_suffix(".part")
    partial.touch(mode=0o600)
    partial.write_text("\n".join(lines) + "\n", encoding="ascii")
    partial.rename(path)
