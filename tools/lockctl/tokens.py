"""Tokens as they come: raw, in hexadecimal or in base64url, whole or broken."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from typing import BinaryIO, NamedTuple

from firmware.access import claims, intake
from firmware.crypto import cose
from firmware.policy import reasons
from firmware.policy.grant import Grant, fault
from host_sim import words

from .cli import BadInput

_HEX = re.compile(rb"[0-9A-Fa-f]+")
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+=*")


class Token(NamedTuple):
    """A token, as far as it can be read. The signature was not looked at.

    `reason` is the lock's for what keeps it from being taken in, `ALLOWED` if nothing does.
    """

    octets: bytes
    reason: int
    statement: cose.Sign1 | None = None
    grant: Grant | None = None


def octets(content: bytes) -> bytes:
    """The bytes of a token, from any of the forms.

    None is mistaken for another: a token begins with the bytes d2 84, so it begins with `d284` in
    hexadecimal, with `0oR` in base64url, and raw it is no ASCII.
    """
    text = b"".join(content.split())
    if _HEX.fullmatch(text) and len(text) % 2 == 0:
        return bytes.fromhex(text.decode())
    if _BASE64URL.fullmatch(text):
        digits = text.rstrip(b"=")
        try:
            return urlsafe_b64decode(digits + b"=" * (-len(digits) % 4))
        except Base64Error:
            return content
    return content


def read(content: bytes) -> Token:
    """A token from any of its forms. Raises nothing, whatever it is."""
    token = octets(content)
    if len(token) > intake.LARGEST:
        return Token(token, reasons.TOO_LARGE)
    statement = None
    try:
        statement = cose.parse(token)
        if statement.typ != claims.TYPE:
            return Token(token, reasons.UNKNOWN_KIND, statement)
        grant, _ = claims.read_numbered(statement.payload)
    except claims.ClaimsError as error:
        return Token(token, error.reason, statement)
    except cose.CoseError as error:
        return Token(token, intake.COSE_REASONS[error.code], statement)
    return Token(token, fault(grant), statement, grant)


def read_grant(file: BinaryIO) -> Grant:
    """The grant in a token, whoever signed it. Raises BadInput if no lock would take it in."""
    grant, reason = read_any_grant(file)
    if reason:
        raise _bad(file, reason)
    return grant


def read_any_grant(file: BinaryIO) -> tuple[Grant, int]:
    """The grant in a token, and why no lock would take it in. Raises BadInput if there is none."""
    token = read(file.read())
    if token.grant is None:
        raise _bad(file, token.reason)
    return token.grant, token.reason


def _bad(file: BinaryIO, reason: int) -> BadInput:
    name = getattr(file, "name", "<stdin>")
    told = f"{words.text(reason)} ({words.name(reason)}, {reason})"
    return BadInput(f"{name} holds no grant that a lock takes in: {told}")
