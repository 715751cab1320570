"""What a lock only reads: signed messages (RFC 9052 section 4) and keys named in them (RFC 8747).

Imports the firmware's crypto, whose profile it keeps to. Runs on MicroPython, too.
"""

from firmware.crypto import cbor, cose, cwt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.crypto.p256 import PublicKey


def sign(
    payload: bytes,
    kid: bytes,
    signer: "Callable[[bytes], bytes]",
    external_aad: bytes = b"",
    typ: "int | str | None" = None,
) -> bytes:
    """A COSE_Sign1; `signer(message)` returns the 64-byte ES256 signature of `message`."""
    header = {cose.HEADER_ALG: cose.ES256, cose.HEADER_KID: kid}
    if typ is not None:
        header[cose.HEADER_TYP] = typ
    protected = cbor.encode(header)
    signature = signer(cose.to_be_signed(protected, payload, external_aad))
    return cbor.encode([protected, {}, payload, signature], tag=cose.SIGN1_TAG)


def confirmation(key: "PublicKey") -> dict:
    """The `cnf` claim that names a key by value."""
    return {cwt.CNF_COSE_KEY: cose.key_map(key)}


def confirmation_by_id(kid: bytes) -> dict:
    """The `cnf` claim that names a key by an id (RFC 8747 section 3.4)."""
    return {cwt.CNF_KID: kid}
