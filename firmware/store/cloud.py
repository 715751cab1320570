"""Where a lock's cloud is, and by what the two know each other.

Imports crypto and its siblings. In two copies like the identity, with a checksum for a seal.
"""

from binascii import hexlify

from ..crypto import cbor
from ..crypto.kdf import HASH_BYTES
from .copies import Copies
from .seal import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files

SECRET_BYTES = 32


class Cloud:
    """`broker`, `web` and `plain` are host:port: of MQTT and HTTP over TLS, and of plain HTTP.

    `plain` only answers what time it is, signed. `ca` is the certificate, in DER, of who signs the
    others'. `secret` is the lock's password, 32 bytes.
    """

    def __init__(self, broker: str, web: str, plain: str, ca: bytes, secret: bytes) -> None:
        self.broker = broker
        self.web = web
        self.plain = plain
        self.ca = ca
        self.secret = secret

    def secret_text(self) -> str:
        """The secret as it travels."""
        return hexlify(self.secret).decode()


def read(folders: "tuple[Files, Files]") -> "Cloud | None":
    """What was written last; None if there is nothing whole: then the lock is on its own."""
    content = _copies(folders).recall()
    if content is None:
        return None
    try:
        broker, web, plain, ca, secret = cbor.decode(content)
    except (cbor.CborError, TypeError, ValueError):
        return None
    return Cloud(broker, web, plain, ca, secret)


def write(folders: "tuple[Files, Files]", cloud: Cloud) -> None:
    """Make this the cloud."""
    members = [cloud.broker, cloud.web, cloud.plain, cloud.ca, cloud.secret]
    _copies(folders).write(cbor.encode(members))


def _copies(folders):
    return Copies(folders, "cloud", Seal(bytes(HASH_BYTES)))
