"""What is signed or encoded, as people read it. Imports the firmware's crypto and access.

Nothing here believes anything: signatures are not looked at, and whatever it is, it is shown.
"""

import json
from typing import Any

from firmware.access import claims, statements
from firmware.crypto import cbor, cose, cwt

_CLAIMS = {
    cwt.ISS: "iss",
    cwt.SUB: "sub",
    cwt.AUD: "aud",
    cwt.EXP: "exp",
    cwt.NBF: "nbf",
    cwt.IAT: "iat",
    cwt.CTI: "cti",
    cwt.CNF: "cnf",
    claims.TERMS: "terms",
}
KINDS: dict[Any, str] = {
    statements.GRANT: "grant",
    statements.REVOCATION: "revocation",
    statements.BATCH: "batch",
    statements.TIME: "time",
    statements.SETTINGS: "settings",
    statements.ACK: "acknowledgement",
    statements.ISSUER: "issuer",
    statements.COMMAND: "command",
    statements.SNAPSHOT: "snapshot",
}


def read_claims(payload: bytes) -> dict[str, str]:
    """The claims by their registered names, in CBOR's diagnostic notation (RFC 8949 section 8)."""
    try:
        decoded = cbor.decode(payload)
    except cbor.CborError as error:
        return {"?": f"{error}: h'{payload.hex()}'"}
    if not isinstance(decoded, dict):
        return {"?": notation(decoded)}
    return {_CLAIMS.get(key, notation(key)): notation(value) for key, value in decoded.items()}


def notation(value: Any) -> str:
    """A decoded value in CBOR's diagnostic notation."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{notation(k)}: {notation(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(notation(item) for item in value) + "]"
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    return json.dumps(value)  # no control character of a stranger's gets to the terminal


def read_statement(token: bytes) -> tuple[str, dict[str, str]] | None:
    """The kind of a signed statement and its claims; None if it is none."""
    try:
        statement = cose.parse(token)
    except cose.CoseError:
        return None
    kind = KINDS.get(statement.typ, notation(statement.typ))
    return kind, {"kid": statement.kid.hex(), **read_claims(statement.payload)}
