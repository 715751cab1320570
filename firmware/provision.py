"""Makes a lock of a board with an empty flash: once, at the prompt, before it hangs on a door.

Imports crypto, link, policy and store.
"""

import os
from binascii import hexlify, unhexlify

from .crypto import ecdh
from .crypto.p256 import PublicKey
from .link import credential
from .policy.grant import MOST_ID
from .policy.zone import Zone
from .store import identity, wipe
from .store.cloud import Cloud
from .store.cloud import write as write_cloud
from .store.flash import Flash
from .store.identity import KEY_BYTES, Identity
from .store.wifi import write as write_wifi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def provision(
    lock: str,
    issuer: str,
    root: "str | None" = None,
    folder: str = ".",
    random: "Callable[[int], bytes]" = os.urandom,
    cloud: "dict[str, str] | None" = None,
    wifi: "tuple[str, str] | None" = None,
    zone: str = "UTC0",
) -> str:
    """Tell the lock its id (1 to 16 bytes) and the issuer's public key (x and y, 128 hex digits).

    A `root`, a public key written alike, may name another issuer later. A `cloud` has the members
    of `store.cloud.Cloud`, `ca` and `secret` as hexadecimal digits; without one the lock is on its
    own. `wifi` is a name and a password; `zone`, a POSIX TZ string, counts until signed settings
    come. The lock makes its device key itself, from `random`; the answer is the public key by
    which phones know it, 128 digits. The identity is written last, so a cut leaves a lock that was
    not provisioned. Raises ValueError for an id that is none and on a lock that is one already, or
    a wrong zone or Wi-Fi, InvalidPoint for a key that is none; then it is not provisioned.
    """
    first = _key(issuer)
    vouching = None if root is None else _key(root)
    if not 1 <= len(lock.encode()) <= MOST_ID:
        raise ValueError("an id has 1 to 16 bytes")
    flash = Flash(folder)
    wipe.finish(folder)
    if identity.read(flash.pair) is not None:
        raise ValueError("this lock is provisioned; erase its flash to begin anew")
    Zone(zone)
    flash.settle_all()
    if wifi is not None:
        write_wifi(flash.pair, wifi[0], wifi[1])
    if cloud is not None:
        ca, secret = [unhexlify(cloud[name]) for name in ("ca", "secret")]
        known = Cloud(cloud["broker"], cloud["web"], cloud["plain"], ca, secret)
        write_cloud(flash.pair, known)
    device_key = random(KEY_BYTES)
    identity.write(flash.pair, Identity(lock.encode(), first, device_key, vouching, zone))
    return hexlify(_point(device_key, random)).decode()


def _point(device_key, random):
    steps = ecdh.public(credential.private_key(device_key), random)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _key(digits):
    key = unhexlify(digits)
    return PublicKey(key[: len(key) // 2], key[len(key) // 2 :])
