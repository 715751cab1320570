"""COSE_Sign1 with ES256 (RFC 9052 section 4, RFC 9053 section 2.1) and COSE_Key for P-256.

Imports CBOR, P-256 and `hashlib`. One profile, so that nothing is left to interpret:
- a message carries tag 18 and has all four parts; its payload is not detached;
- the protected header is a map with the algorithm (-7), the key id (8 bytes) and perhaps `typ`
  (RFC 9596) and `crit`; it holds all parameters: the unprotected header is empty;
- a key has kty, crv, both coordinates as 32 bytes, and perhaps its own key id;
- a key id is the first 8 bytes of the key's thumbprint (RFC 9679). It finds the key; what is
  proven is proven by the signature.
"""

from hashlib import sha256

from . import cbor, p256
from .slices import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generator

# What can be wrong.
MALFORMED = 1  # not deterministic CBOR of the right shape
HEADER = 2  # a header parameter that has no place here
ALGORITHM = 3  # missing or not ES256
CRITICAL = 4  # a parameter that must be understood and is not
KID = 5  # missing, of the wrong size, or not that of the key
KEY = 6  # a COSE_Key that is not one of our profile
POINT = 7  # a COSE_Key whose coordinates are not on the curve
SIGNATURE = 8  # does not verify

KID_BYTES = 8

SIGN1_TAG = 18
HEADER_ALG = 1
HEADER_CRIT = 2
HEADER_KID = 4
HEADER_TYP = 16
ES256 = -7
_KEY_KTY = 1
_KEY_KID = 2
_KEY_CRV = -1
_KEY_X = -2
_KEY_Y = -3
_KTY_EC2 = 2
_CRV_P256 = 1


class CoseError(Exception):
    """A message or key outside the profile; `code` is one of this module's constants."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class Sign1:
    """A parsed message, not yet verified; `protected`, `kid`, `payload`, `signature` are bytes.

    `typ` says what the payload is: an integer, a text, or None if the message does not say.
    """

    def __init__(
        self,
        protected: bytes,
        kid: bytes,
        typ: "int | str | None",
        payload: bytes,
        signature: bytes,
    ):
        self.protected = protected
        self.kid = kid
        self.typ = typ
        self.payload = payload
        self.signature = signature


def parse(token: bytes, max_bytes: int = cbor.MAX_BYTES) -> Sign1:
    """Take a COSE_Sign1 apart (RFC 9052 section 4.2); raises CoseError. Proves nothing yet."""
    parts = _decode(token, tag=SIGN1_TAG, max_bytes=max_bytes, max_depth=2, max_items=16)
    if not isinstance(parts, list) or len(parts) != 4:
        raise CoseError(MALFORMED)
    protected, unprotected, payload, signature = parts
    for part in (protected, payload, signature):
        if not isinstance(part, bytes):
            raise CoseError(MALFORMED)
    if not isinstance(unprotected, dict):
        raise CoseError(MALFORMED)
    kid, typ = _read_header(protected)
    if unprotected:
        raise CoseError(HEADER)
    return Sign1(protected, kid, typ, payload, signature)


def verify(message: Sign1, key: p256.PublicKey, external_aad: bytes = b"") -> bytes:
    """The payload, if `key` signed the message; raises CoseError with KID or SIGNATURE.

    It raises, instead of returning a truth value, because a forgotten `if` must not open a door.
    """
    verified: bytes = finish(verifying(message, key, external_aad))
    return verified


def verifying(
    message: Sign1, key: p256.PublicKey, external_aad: bytes = b""
) -> "Generator[None, None, bytes]":
    """The same in slices."""
    if key_id(key) != message.kid:
        raise CoseError(KID)
    signed = to_be_signed(message.protected, message.payload, external_aad)
    if not (yield from p256.verifying(sha256(signed).digest(), message.signature, key)):
        raise CoseError(SIGNATURE)
    return message.payload


def to_be_signed(protected: bytes, payload: bytes, external_aad: bytes = b"") -> bytes:
    """The bytes that a Sign1 signature covers: Sig_structure (RFC 9052 section 4.4)."""
    return cbor.encode(["Signature1", protected, external_aad, payload])


def key_from_map(parameters: "Any") -> p256.PublicKey:
    """The public key in a decoded COSE_Key (RFC 9053 section 7.1.1); raises CoseError.

    Its codes are KEY, POINT, and KID if the key names another id than its own.
    """
    if not isinstance(parameters, dict):
        raise CoseError(KEY)
    for label in parameters:
        if label not in (_KEY_KTY, _KEY_KID, _KEY_CRV, _KEY_X, _KEY_Y):
            raise CoseError(KEY)
    if not _is_integer(parameters.get(_KEY_KTY), _KTY_EC2):
        raise CoseError(KEY)
    if not _is_integer(parameters.get(_KEY_CRV), _CRV_P256):
        raise CoseError(KEY)
    x = _coordinate(parameters, _KEY_X)
    y = _coordinate(parameters, _KEY_Y)
    try:
        key = p256.PublicKey(x, y)
    except p256.InvalidPoint:
        raise CoseError(POINT)
    if _KEY_KID in parameters and parameters[_KEY_KID] != key_id(key):
        raise CoseError(KID)
    return key


def key_map(key: p256.PublicKey) -> dict:
    """The COSE_Key of a public key, for encoding."""
    return {_KEY_KTY: _KTY_EC2, _KEY_CRV: _CRV_P256, _KEY_X: key.x, _KEY_Y: key.y}


def decode_key(encoded: bytes) -> p256.PublicKey:
    """The public key in an encoded COSE_Key; raises CoseError."""
    return key_from_map(_decode(encoded, max_depth=2, max_items=16))


def encode_key(key: p256.PublicKey) -> bytes:
    """An encoded COSE_Key with exactly the parameters that the thumbprint covers."""
    return cbor.encode(key_map(key))


def thumbprint(key: p256.PublicKey) -> bytes:
    """The COSE key thumbprint, 32 bytes (RFC 9679 section 3; SHA-256)."""
    return sha256(encode_key(key)).digest()


def key_id(key: p256.PublicKey) -> bytes:
    """The id by which messages name a key, 8 bytes."""
    return thumbprint(key)[:KID_BYTES]


def _coordinate(parameters: dict, label: int) -> bytes:
    value = parameters.get(label)
    if not isinstance(value, bytes) or len(value) != p256.COORDINATE_BYTES:
        raise CoseError(KEY)
    return value


def _decode(data, **options):
    try:
        return cbor.decode(data, **options)
    except cbor.CborError:
        raise CoseError(MALFORMED)


def _read_header(protected):
    """Key id and type, once all of the header is found to be in order (RFC 9052 section 3.1)."""
    header = _decode(protected, max_depth=2, max_items=16)
    if not isinstance(header, dict):
        raise CoseError(MALFORMED)
    if HEADER_CRIT in header:
        _check_critical(header[HEADER_CRIT], header)
    if not _is_integer(header.get(HEADER_ALG), ES256):
        raise CoseError(ALGORITHM)
    kid = header.get(HEADER_KID)
    if not isinstance(kid, bytes) or len(kid) != KID_BYTES:
        raise CoseError(KID)
    for label in header:
        if label not in (HEADER_ALG, HEADER_CRIT, HEADER_KID, HEADER_TYP):
            raise CoseError(HEADER)
    typ = header.get(HEADER_TYP)
    # A null is not the same as no type: that would be a second way to say nothing.
    if HEADER_TYP in header and (isinstance(typ, bool) or not isinstance(typ, (int, str))):
        raise CoseError(HEADER)
    return kid, typ


def _check_critical(labels, header):
    if not isinstance(labels, list) or not labels:
        raise CoseError(MALFORMED)
    for label in labels:
        # A bool or None is no label, but CPython takes True for the label 1.
        if isinstance(label, bool) or not isinstance(label, (int, str)) or label not in header:
            raise CoseError(MALFORMED)
        if label not in (HEADER_ALG, HEADER_KID, HEADER_TYP):
            raise CoseError(CRITICAL)


def _is_integer(value, expected):
    """Equality that does not take True for 1, as CPython would."""
    return not isinstance(value, bool) and value == expected
