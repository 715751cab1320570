"""CBOR Web Token claims (RFC 8392) and the key they confirm (RFC 8747).

Imports CBOR, COSE and P-256. Knows the registered claims that statements use; private ones are the
business of whoever gives them a meaning, and pass through untouched.
"""

from . import cbor, cose, p256

ISS = 1
SUB = 2
AUD = 3
EXP = 4
NBF = 5
IAT = 6
CTI = 7
CNF = 8

CNF_COSE_KEY = 1
CNF_KID = 3

# RFC 8392 section 3.1: text, NumericDate (whole seconds here), byte string; RFC 8747: a map.
_TYPES = {ISS: str, SUB: str, AUD: str, EXP: int, NBF: int, IAT: int, CTI: bytes, CNF: dict}


def decode_claims(payload: bytes, max_items: int = cbor.MAX_ITEMS) -> dict:
    """The claims of a verified payload; raises CoseError(MALFORMED).

    Registered claims have their registered types: dates are integers of at least 0 (Unix
    seconds), and an audience is one text, not a list.
    """
    try:
        claims = cbor.decode(payload, max_items=max_items)
    except cbor.CborError:
        raise cose.CoseError(cose.MALFORMED)
    if not isinstance(claims, dict):
        raise cose.CoseError(cose.MALFORMED)
    for label in claims:
        value = claims[label]
        expected = _TYPES.get(label)
        if expected is None:
            continue
        if isinstance(value, bool) or not isinstance(value, expected):
            raise cose.CoseError(cose.MALFORMED)
        if expected is int and claims[label] < 0:
            raise cose.CoseError(cose.MALFORMED)
    return claims


def confirmation_key(claims: dict) -> p256.PublicKey:
    """The key that the holder has to prove (RFC 8747 section 3.2); raises CoseError.

    Its code is KEY, POINT or KID.
    """
    method = claims.get(CNF)
    if not isinstance(method, dict) or len(method) != 1:
        raise cose.CoseError(cose.KEY)
    return cose.key_from_map(method.get(CNF_COSE_KEY))


def confirmation_id(claims: dict) -> "bytes | None":
    """The id that names this key (RFC 8747 section 3.4), None if it is not named by one."""
    method = claims.get(CNF)
    if not isinstance(method, dict) or len(method) != 1:
        return None
    kid = method.get(CNF_KID)
    return kid if isinstance(kid, bytes) else None
