"""The issuer: grants as signed statements; docs/protocol.md shows the bytes."""

from typing import Any

from firmware.access import claims
from firmware.crypto import cbor, cose, cwt
from firmware.crypto.p256 import PublicKey
from firmware.policy import reasons
from firmware.policy.grant import Grant, fault
from firmware.policy.instant import to_unix
from firmware.policy.schedule import NO_FIRST_DAY, NO_LAST_DAY, Rule

from .keys import PrivateKey, short


class GrantRefused(Exception):
    """Terms that no lock accepts, found before they were signed; `reason` is the lock's number."""

    def __init__(self, reason: int):
        super().__init__(reasons.text(reason))
        self.reason = reason


def issue(grant: Grant, holder_key: PublicKey, issuer: PrivateKey) -> bytes:
    """The grant as a token for one key of its holder. Raises GrantRefused.

    Sets `grant.key`; `grant.issued` must be set.
    """
    grant.key = short(holder_key)
    reason = fault(grant)
    if reason:
        raise GrantRefused(reason)
    content = cbor.encode(payload(grant, holder_key))
    return cose.sign(content, cose.key_id(issuer.public), issuer.sign, typ=claims.TYPE)


def payload(grant: Grant, holder_key: PublicKey) -> dict[int, Any]:
    """The claims of a grant, as `firmware.access.claims` reads them."""
    terms = {
        claims.VERSION: grant.version,
        claims.LEVEL: grant.level,
        claims.RIGHTS: grant.rights,
        claims.CHANNELS: grant.channels,
        claims.UNTIL: _unix(grant.until),
        claims.RULES: [_rule(rule) for rule in grant.rules] or None,
        claims.USES: grant.uses,
        claims.AFTER_FIRST_USE_S: grant.after_first_use_s,
        claims.DURESS: grant.duress or None,
        claims.PARENT: grant.parent,
    }
    members = {
        cwt.SUB: grant.holder.decode(),
        cwt.AUD: grant.lock.decode(),
        cwt.EXP: _unix(grant.lease),
        cwt.NBF: _unix(grant.start),
        cwt.IAT: _unix(grant.issued),
        cwt.CTI: grant.share,
        cwt.CNF: cwt.confirmation(holder_key),
        claims.TERMS: _present(terms),
    }
    return _present(members)


def _present(members: dict[int, Any]) -> dict[int, Any]:
    return {key: value for key, value in members.items() if value is not None}


def _unix(instant: Any) -> int | None:
    return None if instant is None else to_unix(instant)


def _rule(rule: Rule) -> list[int | None]:
    flags = (0 if rule.allow else claims.DENY) | (claims.UTC if rule.utc else 0)
    members: list[int | None] = [flags, rule.weekdays, rule.start_s, rule.end_s]
    first = None if rule.first_day == NO_FIRST_DAY else rule.first_day
    last = None if rule.last_day == NO_LAST_DAY else rule.last_day
    return members if first is None and last is None else [*members, first, last]
