"""A certificate authority of one's own, and the broker's certificate: locks trust nobody else.

The authority's key is made once and stays in the folder; the certificate is made anew at each
start, so that it never runs out and fits the names that the service has now.
"""

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_FOUNDED = 1_735_689_600  # 2025: no clock that can be believed is before that
_AUTHORITY_DAYS = 50 * 365  # a lock on a door is not provisioned again
_SERVER_DAYS = 2 * 365
_EARLIER = timedelta(days=2)  # a lock's clock may be late

Key = ec.EllipticCurvePrivateKey


class Certificates:
    """The files of a folder: `ca.pem` for everybody, `ca.key`, `broker.pem` and `broker.key`."""

    def __init__(self, folder: Path):
        self.authority = folder / "ca.pem"
        self._authority_key = folder / "ca.key"
        self.broker = folder / "broker.pem"
        self.broker_key = folder / "broker.key"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.authority.exists():
            self._found()

    def issue(self, names: Sequence[str], now: int) -> None:
        """Make the broker's certificate for host names and addresses, from `now` (Unix s) on."""
        authority = x509.load_pem_x509_certificate(self.authority.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        signer = load_pem_private_key(self._authority_key.read_bytes(), password=None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        made = (
            _builder("Sharelock broker", key, now, _SERVER_DAYS)
            .issuer_name(authority.subject)
            .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(_by(signer), False)
            .sign(signer, SHA256())
        )
        _write(self.broker_key, _pem(key))
        _write(self.broker, made.public_bytes(Encoding.PEM))

    def _found(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            _builder("Sharelock locks", key, _FOUNDED, _AUTHORITY_DAYS)
            .issuer_name(_subject("Sharelock locks"))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
            .add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, SHA256())
        )
        _write(self._authority_key, _pem(key))
        _write(self.authority, made.public_bytes(Encoding.PEM))


def _builder(name: str, key: Key, now: int, days: int) -> x509.CertificateBuilder:
    start = datetime.fromtimestamp(now, UTC) - _EARLIER
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )


def _by(signer: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for its owner only."""
    partial = path.with_suffix(".part")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    partial.rename(path)
