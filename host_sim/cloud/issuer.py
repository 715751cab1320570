"""The issuer: what it says as signed statements; docs/protocol.md shows the bytes."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from firmware.access import claims, statements
from firmware.access.intake import LARGEST_BATCH
from firmware.crypto import cbor, cose, cwt
from firmware.crypto.p256 import PublicKey
from firmware.policy.grant import Grant, fault
from firmware.policy.instant import Instant, from_unix, to_unix
from firmware.policy.schedule import NO_FIRST_DAY, NO_LAST_DAY, Rule
from firmware.store.settings import Settings
from firmware.store.settings import fault as settings_fault
from host_sim import words

from . import sign1
from .keys import PrivateKey, short

Change = tuple[int, bytes]  # a member of a batch: type and payload

MOST_CHANGES = 64  # in a batch: more fit only of the shortest revocations
PAGE_BYTES = LARGEST_BATCH - 256  # of grants; the rest of the page is what frames and signs them
_FRAME_BYTES = 7  # around each of them: a list, its type, and the length of its payload


class GrantRefused(Exception):
    """Terms that no lock accepts, found before they were signed; `reason` is the lock's number."""

    def __init__(self, reason: int):
        super().__init__(words.text(reason))
        self.reason = reason


def issue(
    grant: Grant, holder_key: PublicKey, issuer: PrivateKey, sequence: int | None = None
) -> bytes:
    """The grant as a token for one key of its holder. Raises GrantRefused.

    Sets `grant.key`; `grant.issued` must be set.
    """
    return sign(grant_change(grant, holder_key, sequence), issuer)


def grant_change(grant: Grant, holder_key: PublicKey, sequence: int | None = None) -> Change:
    """The same for a batch, or for `sign`."""
    grant.key = short(holder_key)
    reason = fault(grant)
    if reason:
        raise GrantRefused(reason)
    return statements.GRANT, cbor.encode(payload(grant, holder_key, sequence))


def revocation_change(
    lock: bytes,
    issued: Instant,
    share: bytes,
    version: int,
    key: bytes | None = None,
    sequence: int | None = None,
) -> Change:
    """The end of a share, or of one key (thumbprint, 16 bytes) of it up to a version."""
    terms = {
        statements.VERSION: version,
        claims.SEQUENCE: sequence,
        statements.KEY: key,
    }
    return _statement(statements.REVOCATION, lock, issued, terms, {cwt.CTI: share})


def batch(lock: bytes, issued: Instant, first: int, last: int, changes: list[Change]) -> Change:
    """Consecutive changes, in the order of their sequence numbers within first..last."""
    terms = {
        statements.FIRST: first,
        statements.LAST: last,
        statements.CHANGES: [[typ, _lean(content, lock, issued)] for typ, content in changes],
    }
    return _statement(statements.BATCH, lock, issued, terms)


def _lean(content: bytes, lock: bytes, issued: Instant) -> bytes:
    """The claims of a change without what the batch says for all, and its key by its id."""
    members = cbor.decode(content)
    for claim, of_all in ((cwt.AUD, lock.decode()), (cwt.IAT, to_unix(issued))):
        if members[claim] == of_all:
            del members[claim]
    if cwt.CNF in members:
        members[cwt.CNF] = sign1.confirmation_by_id(short(cwt.confirmation_key(members)))
    return cbor.encode(members)


class Batch(NamedTuple):
    """Changes up to a number, as they travel."""

    last: int
    token: bytes


def batches(lock: bytes, after: int, changes: list[Change], issuer: PrivateKey) -> Iterator[Batch]:
    """Numbered changes, the next ones after a number, in as few tokens as a lock takes them in.

    Each is issued when the newest change in it was. Numbers that are missing are passed over.
    """
    while changes:
        part = changes[:MOST_CHANGES]
        while True:
            members = [cbor.decode(content) for _, content in part]
            last = members[-1][claims.TERMS][claims.SEQUENCE]
            issued = from_unix(max(each[cwt.IAT] for each in members))
            token = sign(batch(lock, issued, after + 1, last, part), issuer)
            if len(token) <= LARGEST_BATCH:
                break
            part = part[: min(len(part) - 1, len(part) * LARGEST_BATCH // len(token))]
        yield Batch(last, token)
        after = last
        changes = changes[len(part) :]


def snapshot(
    lock: bytes,
    issued: Instant,
    sequence: int,
    epoch: int,
    grants: list[tuple[bytes, bytes]],
    issuer: PrivateKey,
) -> list[bytes]:
    """All grants of a lock, after which it has applied `sequence`, as a series of pages.

    Grants are (share, payload). Those of a share are on one page; a page tells all about a range
    of share ids.
    """
    whole = sha256()
    pages = list(_pages(lock, issued, grants))
    for page in pages:
        for _, content in page:
            whole.update(b"".join(content))
    tokens = []
    after = None
    for number, page in enumerate(pages, 1):
        through = page[-1][0] if number < len(pages) else None
        terms = {
            statements.SEQUENCE: sequence,
            statements.PAGE: number,
            statements.PAGES: len(pages),
            statements.DIGEST: whole.digest(),
            statements.GRANTS: [[statements.GRANT, each] for _, held in page for each in held],
            statements.AFTER: after,
            statements.THROUGH: through,
            statements.OF_EPOCH: epoch,
        }
        tokens.append(sign(_statement(statements.SNAPSHOT, lock, issued, terms), issuer))
        after = through
    return tokens


def _pages(
    lock: bytes, issued: Instant, grants: list[tuple[bytes, bytes]]
) -> Iterator[list[tuple[bytes, list[bytes]]]]:
    """Shares with their lean grants, in the order of their ids, as many as fit a page."""
    page: list[tuple[bytes, list[bytes]]] = []
    room = PAGE_BYTES
    for share, of_share in groupby(sorted(grants), key=itemgetter(0)):
        held = [_lean(content, lock, issued) for _, content in of_share]
        size = sum(len(content) + _FRAME_BYTES for content in held)
        if page and size > room:
            yield page
            page = []
            room = PAGE_BYTES
        room -= size
        page.append((share, held))
    yield page


def command(lock: bytes, issued: Instant, share: bytes, action: int, challenge: bytes) -> Change:
    """An action on behalf of a share, in answer to the lock's challenge (16 bytes)."""
    terms = {statements.ACTION: action, statements.CHALLENGE: challenge}
    return _statement(statements.COMMAND, lock, issued, terms, {cwt.CTI: share})


def time(lock: bytes, at: Instant, nonce: bytes | None = None) -> Change:
    """The time, in answer to a nonce of the lock or to none."""
    return _statement(statements.TIME, lock, at, {statements.NONCE: nonce})


def settings(lock: bytes, issued: Instant, what: Settings) -> Change:
    """Settings for a lock. Raises GrantRefused."""
    reason = settings_fault(what)
    if reason:
        raise GrantRefused(reason)
    terms = {
        statements.VERSION: what.version,
        statements.ZONE: what.zone,
        statements.NEXT_ZONE: what.next_zone,
        statements.NEXT_FROM: _unix(what.next_from),
        statements.AUTO_LOCK_S: what.auto_lock_s,
        statements.MODE: what.mode,
        statements.MOST_ERROR_S: what.most_error_s,
    }
    return _statement(statements.SETTINGS, lock, issued, terms)


def acknowledgement(lock: bytes, issued: Instant, sequence: int, link: bytes) -> Change:
    """The cloud has the log up to the entry with this number and link."""
    terms = {statements.SEQUENCE: sequence, statements.LINK: link}
    return _statement(statements.ACK, lock, issued, terms)


def next_issuer(issued: Instant, epoch: int, key: PublicKey) -> Change:
    """The root's word for the issuer of an epoch, for all its locks; signed by the root's key."""
    terms = {statements.EPOCH: epoch, statements.NEW_KEY: cose.key_map(key)}
    return statements.ISSUER, cbor.encode({cwt.IAT: to_unix(issued), claims.TERMS: terms})


def sign(statement: Change, issuer: PrivateKey) -> bytes:
    """A token of any of these."""
    typ, content = statement
    return sign1.sign(content, cose.key_id(issuer.public), issuer.sign, typ=typ)


def _statement(
    typ: int, lock: bytes, issued: Instant, terms: dict[int, Any], more: Any = None
) -> Change:
    members = {cwt.AUD: lock.decode(), cwt.IAT: to_unix(issued), claims.TERMS: _present(terms)}
    return typ, cbor.encode({**members, **(more or {})})


def payload(grant: Grant, holder_key: PublicKey, sequence: int | None = None) -> dict[int, Any]:
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
        claims.SEQUENCE: sequence,
    }
    members = {
        cwt.SUB: grant.holder.decode(),
        cwt.AUD: grant.lock.decode(),
        cwt.EXP: _unix(grant.lease),
        cwt.NBF: _unix(grant.start),
        cwt.IAT: _unix(grant.issued),
        cwt.CTI: grant.share,
        cwt.CNF: sign1.confirmation(holder_key),
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
