"""The root key, and which issuer it vouches for.

Imports crypto, policy and store. Provisioning pins the root key, which is kept offline and signs
nothing but new keys for the issuer, each in a higher epoch. So whoever steals the issuer's key has
it until the lock hears of the next one, and for no old statement of the root again.
"""

from ..crypto.p256 import InvalidPoint, PublicKey
from ..policy import reasons
from ..store.copies import Copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store.files import Files
    from ..store.seal import Seal

_EPOCH_BYTES = 4
_COORDINATE_BYTES = 32


class Root:
    """The root's PublicKey `key`, and `issuer`: at first the one that was provisioned, in epoch 0.

    Kept in two folders, sealed. `damaged`: some copy was not whole when it was read. If none was,
    nobody knows which issuer to believe: `issuer` is None until the root names the next one.
    """

    def __init__(
        self, key: PublicKey, issuer: PublicKey, folders: "tuple[Files, Files]", seal: "Seal"
    ) -> None:
        self.key = key
        self.issuer: "PublicKey | None" = issuer
        self.epoch = 0
        self._copies = Copies(folders, "issuer", seal)
        content = self._copies.read()
        self.damaged = self._copies.present > self._copies.whole
        if content is not None:
            self._copies.heal(content)
        if self._copies.present:
            self.issuer = None if content is None else self._decode(content)

    def name(self, epoch: int, issuer: PublicKey) -> int:
        """Believe this issuer from now on: `ALLOWED`, or OLD_EPOCH for one that was before."""
        known = self.issuer
        if known is not None and epoch <= self.epoch:
            same = epoch == self.epoch and (known.x, known.y) == (issuer.x, issuer.y)
            return reasons.ALLOWED if same else reasons.OLD_EPOCH
        self._copies.write(epoch.to_bytes(_EPOCH_BYTES, "big") + issuer.x + issuer.y)
        self.epoch = epoch
        self.issuer = issuer
        return reasons.ALLOWED

    def _decode(self, content: bytes) -> "PublicKey | None":
        self.epoch = int.from_bytes(content[:_EPOCH_BYTES], "big")
        x_end = _EPOCH_BYTES + _COORDINATE_BYTES
        try:
            return PublicKey(content[_EPOCH_BYTES:x_end], content[x_end:])
        except InvalidPoint:
            return None
