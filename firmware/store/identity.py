"""Who a lock is: its id, whose statements it believes, and the key that it keeps to itself.

Imports crypto and its siblings. In two copies like all small records, but with a checksum for a
seal: the key for a seal is in here. Who can write the flash can make the lock somebody else's;
what the old one had sealed is then damaged.
"""

from ..crypto import cbor
from ..crypto.kdf import HASH_BYTES, hkdf_expand
from ..crypto.p256 import InvalidPoint, PublicKey
from .copies import Copies
from .seal import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files

KEY_BYTES = HASH_BYTES


class Identity:
    """`lock` is 1 to 16 bytes, `device_key` 32 random bytes, and `issuer` a PublicKey.

    `root` is the PublicKey that vouches for later issuers, None if there will be no other. `zone`
    is a POSIX TZ string, for as long as there are no settings.
    """

    def __init__(
        self,
        lock: bytes,
        issuer: PublicKey,
        device_key: bytes,
        root: "PublicKey | None" = None,
        zone: str = "UTC0",
    ) -> None:
        self.lock = lock
        self.issuer = issuer
        self.device_key = device_key
        self.root = root
        self.zone = zone

    def seal(self) -> Seal:
        """Under all other small records of this lock."""
        return Seal(hkdf_expand(self.device_key, b"state seal", HASH_BYTES))


def read(folders: "tuple[Files, Files]") -> "Identity | None":
    """What was written last; None if there is nothing, or nothing whole."""
    content = _copies(folders).recall()
    if content is None:
        return None
    try:
        lock, device_key, zone, *keys = cbor.decode(content)
        issuer, *root = [PublicKey(x, y) for x, y in keys]
        return Identity(lock, issuer, device_key, root[0] if root else None, zone)
    except (cbor.CborError, InvalidPoint, TypeError, ValueError):
        return None


def write(folders: "tuple[Files, Files]", who: Identity) -> None:
    """Make this the identity."""
    keys = [who.issuer, who.root] if who.root else [who.issuer]
    members = [who.lock, who.device_key, who.zone] + [[key.x, key.y] for key in keys]
    _copies(folders).write(cbor.encode(members))


def _copies(folders):
    return Copies(folders, "identity", Seal(bytes(KEY_BYTES)))
