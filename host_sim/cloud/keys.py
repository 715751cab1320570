"""P-256 keys in PEM files, and signatures as COSE wants them."""

import os
import re
from base64 import b64decode
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from firmware.access.claims import KEY_BYTES
from firmware.crypto import cose
from firmware.crypto.p256 import PublicKey

# RFC 6979: the same statement is the same bytes.
_SIGNING = ec.ECDSA(SHA256(), deterministic_signing=True)


class KeyFileError(Exception):
    """A file that does not hold the key it should, or that is there already."""


class KeyTextError(Exception):
    """A text that is no P-256 public key in a form that is known."""


class PrivateKey:
    """A P-256 private key; `public` is its firmware.crypto PublicKey."""

    def __init__(self, key: ec.EllipticCurvePrivateKey):
        self._key = key
        self.public = _public(key.public_key())

    @classmethod
    def new(cls) -> "PrivateKey":
        """A fresh random key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_scalar(cls, scalar: int) -> "PrivateKey":
        """The key with this private scalar, for stories that are the same every time."""
        return cls(ec.derive_private_key(scalar, ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path) -> "PrivateKey":
        """From a PEM file. Raises KeyFileError, or OSError if it cannot be read."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFileError(f"{path} holds no private key in PEM without a password") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise KeyFileError(f"{path} holds a key of another kind than P-256")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write a PEM file that only its owner can read. Raises KeyFileError if there is one."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
        except FileExistsError:
            raise KeyFileError(f"{path} is there already; a key is never overwritten") from None

    def save_pair(self, path: Path, public_path: Path) -> None:
        """The same, with the public key in a file to hand out: both or none."""
        if public_path.exists():
            raise KeyFileError(f"{public_path} is there already; a key is never overwritten")
        self.save(path)
        try:
            with open(public_path, "xb") as file:
                file.write(self.public_pem())
        except OSError:
            os.unlink(path)
            raise

    def public_pem(self) -> bytes:
        """The public key in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """ES256 (RFC 9053 section 2.1): r and s, 32 bytes each."""
        r, s = decode_dss_signature(self._key.sign(message, _SIGNING))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def agree(self, other: PublicKey) -> bytes:
        """The x that both this and the other's private key lead to, 32 bytes (ECDH)."""
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(other.x, "big"), int.from_bytes(other.y, "big"), ec.SECP256R1()
        )
        return self._key.exchange(ec.ECDH(), numbers.public_key())


def load_public(path: Path) -> PublicKey:
    """The public key in a PEM file, even of a private key. Raises KeyFileError or OSError."""
    pem = path.read_bytes()
    if b"PRIVATE KEY" in pem:
        return PrivateKey.load(path).public
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} holds no key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise KeyFileError(f"{path} holds a key of another kind than P-256")
    return _public(key)


_PEM = re.compile(r"\s*-+BEGIN PUBLIC KEY-+(.*?)-+END PUBLIC KEY-+\s*", re.DOTALL)
_POINT_BYTES = (33, 65)


def read_public(text: str) -> PublicKey:
    """A public key from PEM, or from base64 of its DER or of a point (SEC 1 section 2.3.3).

    Line breaks and blanks may have been lost or added. Raises KeyTextError.
    """
    pem = _PEM.fullmatch(text)
    try:
        data = b64decode("".join((pem[1] if pem else text).split()), validate=True)
        if len(data) in _POINT_BYTES:
            return _public(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data))
        key = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyTextError("is no public key in PEM, or in base64 of DER or of a point") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise KeyTextError("is a key of another kind than P-256")
    return _public(key)


def der(signature: bytes) -> bytes:
    """A signature of `PrivateKey.sign` in DER (RFC 3279 section 2.2.3)."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return encode_dss_signature(r, s)


def short(key: PublicKey) -> bytes:
    """The 16 bytes by which a lock knows a key: the start of its COSE thumbprint (RFC 9679)."""
    return cose.thumbprint(key)[:KEY_BYTES]


def _public(key: ec.EllipticCurvePublicKey) -> PublicKey:
    numbers = key.public_numbers()
    return PublicKey(numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big"))
