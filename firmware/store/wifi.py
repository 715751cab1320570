"""The Wi-Fi that the lock is to join, a name and a password, and what the lock is called there.

Imports crypto and its siblings. In two copies like the identity, with a checksum for a seal: who
can read the flash can read it.
"""

from ..crypto import cbor
from ..crypto.kdf import HASH_BYTES
from .copies import Copies
from .seal import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files

MOST_NAME = 32  # bytes, by IEEE 802.11
LEAST_PASSWORD = 8  # unless there is none: an open network
MOST_PASSWORD = 64
MOST_HOST = 32  # characters, by MicroPython
HOST = "sharelock"  # until somebody calls it otherwise


def read(folders: "tuple[Files, Files]") -> "tuple[str, str] | None":
    """Name and password, "" for an open network; None if nothing whole is there."""
    content = _copies(folders).recall()
    if content is None:
        return None
    try:
        name, password = cbor.decode(content)
    except (cbor.CborError, TypeError, ValueError):
        return None
    return name, password


def write(folders: "tuple[Files, Files]", name: str, password: str) -> None:
    """Join this one from the next start on. Raises ValueError for what no network can have."""
    if not 1 <= len(name.encode()) <= MOST_NAME:
        raise ValueError("the name of a Wi-Fi has 1 to 32 bytes")
    if password and not LEAST_PASSWORD <= len(password.encode()) <= MOST_PASSWORD:
        raise ValueError("the password of a Wi-Fi has 8 to 64 bytes")
    _copies(folders).write(cbor.encode([name, password]))


def read_host(folders: "tuple[Files, Files]") -> str:
    """What the lock is called in the network."""
    content = _copies(folders, "host").recall()
    return HOST if content is None else content.decode()


def write_host(folders: "tuple[Files, Files]", host: str) -> None:
    """Be called so. Raises ValueError for what is no name of a host (RFC 1123)."""
    if not 1 <= len(host) <= MOST_HOST or host[0] == "-" or host[-1] == "-":
        raise ValueError("a host's name has 1 to 32 characters, and no hyphen at an end")
    for character in host.lower():
        if not ("a" <= character <= "z" or "0" <= character <= "9" or character == "-"):
            raise ValueError("a host's name has letters, digits and hyphens")
    _copies(folders, "host").write(host.encode())


def _copies(folders, name="wifi"):
    return Copies(folders, name, Seal(bytes(HASH_BYTES)))
