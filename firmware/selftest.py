"""Known answers, asked at every start: a lock that cannot count must not decide about doors.

Imports policy and crypto. Takes about three signature verifications.
"""

from binascii import unhexlify
from hashlib import sha256

from .crypto import p256
from .policy.decision import Decision, Now, Request, State, decide
from .policy.grant import LOCAL, UNLOCK, Grant
from .policy.instant import Instant, day_number
from .policy.schedule import Rule
from .policy.zone import Wall, Zone

# RFC 6979 appendix A.2.5, with SHA-256 and the message "sample".
_KEY = unhexlify(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
_SIGNATURE = unhexlify(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)


def run() -> "str | None":
    """The name of the first part that gives a wrong answer, or None."""
    for name, right in (("signatures", _signatures), ("zones", _zones), ("decisions", _decisions)):
        if not right():
            return name
    return None


def _signatures():
    key = p256.PublicKey(_KEY[:32], _KEY[32:])
    other = bytes([_SIGNATURE[0] ^ 1]) + _SIGNATURE[1:]
    digest = sha256(b"sample").digest()
    return p256.verify(digest, _SIGNATURE, key) and not p256.verify(digest, other, key)


def _zones():
    zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
    wall = Wall()
    zone.local(Instant(day_number(2026, 3, 29), 3599), wall)
    winter = wall.second == 7199 and wall.steady_s == 1
    zone.local(Instant(day_number(2026, 3, 29), 3600), wall)
    return winter and wall.second == 3 * 3600


def _decisions():
    grant = Grant(b"share", b"lock", bytes(16))
    grant.rules = [Rule(16, 22 * 3600, 6 * 3600)]  # Friday night
    friday = Now(Instant(day_number(2026, 11, 20), 5 * 3600))
    saturday = Now(Instant(day_number(2026, 11, 21), 5 * 3600))
    asked = Request(grant.key, UNLOCK, LOCAL, True)
    decision = Decision()
    answers = []
    for now in (friday, saturday):
        decide(grant, asked, now, Zone("UTC0"), State(b"lock"), decision)
        answers.append(decision.allowed)
    return answers == [False, True]
