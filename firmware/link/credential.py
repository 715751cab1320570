"""The names by which phone and lock know each other in a handshake.

Imports crypto and store's identity. A credential is a CWT claims set (RFC 8392) that holds a key
and nothing else, `{8: {1: COSE_Key}}`, the key with its own id: 89 bytes.
"""

from ..crypto import cbor, cose, cwt, ecdh, edhoc
from ..crypto.kdf import hkdf_expand
from ..crypto.p256 import PublicKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY_KID = 2


def private_key(device_key: bytes) -> int:
    """The lock's scalar for handshakes."""
    return ecdh.scalar_of(hkdf_expand(device_key, b"edhoc", ecdh.SEED_BYTES))


def claims(key: PublicKey) -> dict:
    """The claims set of a key, to be encoded."""
    parameters = cose.key_map(key)
    parameters[_KEY_KID] = cose.key_id(key)
    return {cwt.CNF: {cwt.CNF_COSE_KEY: parameters}}


def key_of_point(point: bytes) -> PublicKey:
    """The key with these 64 bytes of coordinates. Raises InvalidPoint."""
    return PublicKey(point[:32], point[32:])


def by_value(id_cred: dict) -> "tuple[bytes, PublicKey] | None":
    """The credential in ID_CRED, encoded, and its key; None if there is none of this form."""
    shown: "Any" = id_cred.get(edhoc.HEADER_KCCS)
    if len(id_cred) != 1 or type(shown) is not dict or len(shown) != 1:
        return None
    try:
        return cbor.encode(shown), cwt.confirmation_key(shown)
    except cose.CoseError:
        return None
