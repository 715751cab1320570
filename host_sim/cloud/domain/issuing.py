"""What shares and settings become as statements: numbered, without a gap, one line for each lock.

A statement is kept as its payload, which is all that counts. What goes out is signed by the
issuer's key of today, old statements too: a lock that heard of a new key takes in nothing else,
and one that did not is told first. The key of the day on which a statement was made is kept beside
it; signatures are deterministic (RFC 6979), so that what went out then can be made again.
"""

from hashlib import sha256
from itertools import islice

from sqlalchemy import Select, func, select

from firmware.access import statements
from firmware.crypto.p256 import PublicKey
from firmware.policy.instant import from_unix
from firmware.store.settings import Settings

from .. import issuer
from ..issuer import Batch, Change
from . import locks, terms
from .context import Context
from .errors import Invalid
from .model import ACCEPTED, Device, Key, Share, Statement

MOST_BATCHES = 4  # at a time, as many as a lock is told at once
LATER = 1_000  # versions: more than a share had since any copy of the database


def number(share: Share) -> None:
    """Give a share its next version, past those that a lock may have from a database that is lost.

    In one version there is one set of terms, for all keys; a lock refuses anything else.
    """
    share.version += 1 if share.device.ahead is None else LATER


def issue(ctx: Context, share: Share) -> None:
    """Sign an accepted share, in its present version, for each key of its holder."""
    for key in _keys(ctx, share):
        _issue_for(ctx, share, key)


def issue_for(ctx: Context, share: Share, key: Key) -> None:
    """The same for one key: a phone was added."""
    if share.device.ahead is None:
        _issue_for(ctx, share, key)
        return
    number(share)
    issue(ctx, share)


def _issue_for(ctx: Context, share: Share, key: Key) -> None:
    sequence = _next(ctx, share.device)
    _keep(ctx, share.device, _grant(ctx, share, key, sequence), sequence, share, key)


def renew(ctx: Context, share: Share) -> None:
    """Sign the grants of a share with a lease again: the same terms, a later end, no number."""
    for key in _keys(ctx, share):
        _keep(ctx, share.device, _grant(ctx, share, key, None), None, share, key)


def newest(ctx: Context, share: Share, key: Key) -> Statement | None:
    """The newest grant of a share for a key, renewed first if half of its lease is over."""
    mine = select(Statement).where(
        Statement.share_id == share.id,
        Statement.key_id == key.id,
        Statement.kind == statements.GRANT,
    )
    latest = mine.order_by(Statement.id.desc()).limit(1)
    found = ctx.session.scalar(latest)
    if found and found.lease and share.lease_s and found.lease - ctx.now < share.lease_s / 2:
        renew(ctx, share)
        found = ctx.session.scalar(latest)
    return found


def revocations_after(
    ctx: Context, device: Device, sequence: int, most: int = 100
) -> list[Statement]:
    """What was revoked at a device after a change, the oldest first."""
    revoked = select(Statement).where(
        Statement.device_id == device.id,
        Statement.kind == statements.REVOCATION,
        Statement.sequence > sequence,
    )
    return list(ctx.session.scalars(revoked.order_by(Statement.sequence).limit(most)))


def withdraw(ctx: Context, share: Share, key: Key | None = None) -> None:
    """Revoke a share at the lock, or one key of it, if the lock can have heard of it."""
    told = select(Statement.id).where(Statement.share_id == share.id)
    if key is not None:
        told = told.where(Statement.key_id == key.id)
    if ctx.session.scalar(told.limit(1)) is None:
        return
    is_partial = key is not None and share.device.ahead is not None
    if is_partial:
        number(share)
    sequence = _next(ctx, share.device)
    change = issuer.revocation_change(
        share.device.lock_id.encode(),
        from_unix(ctx.now),
        bytes.fromhex(share.uid),
        share.version,
        key.thumbprint if key else None,
        sequence,
    )
    _keep(ctx, share.device, change, sequence, share, key)
    if is_partial:
        issue(ctx, share)


def configure(ctx: Context, device: Device) -> None:
    """Sign the zone and the settings of a device. Raises Invalid for what no lock takes."""
    wanted = Settings()
    for name, value in device.settings.items():
        setattr(wanted, name, value)
    wanted.version = device.settings_version
    wanted.zone = device.zone
    try:
        change = issuer.settings(device.lock_id.encode(), from_unix(ctx.now), wanted)
    except issuer.GrantRefused as refused:
        raise Invalid(str(refused), code="bad-settings") from None
    _keep(ctx, device, change, None)


def settings(ctx: Context, device: Device) -> Statement:
    """The newest settings of a device."""
    mine = select(Statement).where(
        Statement.device_id == device.id, Statement.kind == statements.SETTINGS
    )
    return ctx.session.scalars(mine.order_by(Statement.id.desc()).limit(1)).one()


def time(ctx: Context, device: Device, nonce: bytes | None = None) -> bytes:
    """The time for a device, in answer to its nonce or to none, as it travels."""
    return _signed(ctx, issuer.time(device.lock_id.encode(), from_unix(ctx.now), nonce))


def token(ctx: Context, statement: Statement, kid: bytes | None = None) -> bytes:
    """A statement of the database as it travels, or as it did under another key of the issuer."""
    key = ctx.issuers.key(kid or ctx.issuers.current)
    return issuer.sign((statement.kind, statement.payload), key)


def supersede(ctx: Context, device: Device) -> None:
    """Sign all shares of a device again, in versions that a lock can have heard nothing of."""
    live = select(Share).where(Share.device_id == device.id, Share.status == ACCEPTED)
    for share in ctx.session.scalars(live.order_by(Share.id)).all():
        share.version += LATER
        issue(ctx, share)


def changes_after(
    ctx: Context, device: Device, applied: int, most: int = MOST_BATCHES
) -> list[bytes]:
    """What a lock lacks that has applied the changes up to a number, as batches in their order."""
    return [batch.token for batch in batches_after(ctx, device, applied, most)]


def batches_after(
    ctx: Context, device: Device, applied: int, most: int = MOST_BATCHES
) -> list[Batch]:
    """The same, each with its last number."""
    rows = ctx.session.scalars(
        select(Statement)
        .where(Statement.device_id == device.id, Statement.sequence > applied)
        .order_by(Statement.sequence)
        .limit(most * issuer.MOST_CHANGES)
    )
    changes = [(row.kind, row.payload) for row in rows]
    key = ctx.issuers.key(ctx.issuers.current)
    return list(islice(issuer.batches(device.lock_id.encode(), applied, changes, key), most))


def renewals_after(ctx: Context, device: Device, after_id: int, most: int) -> list[Statement]:
    """The newest renewals of grants that are live, made after a statement, the oldest first."""
    newest = (
        _live_grants(device).having(func.max(Statement.id) > after_id).order_by("id").limit(most)
    ).subquery()
    renewed = select(Statement).join(newest, newest.c.id == Statement.id)
    found = ctx.session.scalars(renewed.where(Statement.sequence.is_(None)).order_by(Statement.id))
    return list(found)


def snapshot(ctx: Context, device: Device, epoch: int = 0) -> list[bytes]:
    """All that a lock should hold, in pages, for one that cannot be told by batches any more.

    `epoch` is that of the issuer whom the lock believes.
    """
    newest = _live_grants(device).subquery()
    rows = ctx.session.execute(
        select(Share.uid, Statement.payload)
        .join(newest, newest.c.id == Statement.id)
        .join(Share, Share.id == Statement.share_id)
    )
    grants = [(bytes.fromhex(uid), payload) for uid, payload in rows]
    lock, now = device.lock_id.encode(), from_unix(ctx.now)
    key = ctx.issuers.key(ctx.issuers.current)
    return issuer.snapshot(lock, now, device.sequence, epoch, grants, key)


def digest(ctx: Context, device: Device) -> bytes:
    """What a lock says of the grants that it holds once it has applied all changes.

    A sum over all of them, see docs/storage.md.
    """
    newest = _live_grants(device).subquery()
    rows = ctx.session.execute(
        select(Share.uid, Key.thumbprint, Share.version)
        .select_from(Statement)
        .join(newest, newest.c.id == Statement.id)
        .join(Share, Share.id == Statement.share_id)
        .join(Key, Key.id == Statement.key_id)
    )
    total = 0
    for uid, key, version in rows:
        share = bytes.fromhex(uid)
        held = bytes([len(share)]) + share + key + version.to_bytes(4, "big")
        total += int.from_bytes(sha256(held).digest(), "big")
    return (total % (1 << 256)).to_bytes(32, "big")


def _live_grants(device: Device) -> Select[int]:
    """The newest statement of each grant of a device that is in force, as `id`."""
    return (
        select(func.max(Statement.id).label("id"))
        .join(Share, Share.id == Statement.share_id)
        .join(Key, Key.id == Statement.key_id)
        .where(
            Statement.device_id == device.id,
            Statement.kind == statements.GRANT,
            Share.status == ACCEPTED,
            Key.removed_at.is_(None),
        )
        .group_by(Statement.share_id, Statement.key_id)
    )


def command(ctx: Context, device: Device, share: Share, action: int, challenge: bytes) -> bytes:
    """A command of a share for a lock, good once, as it travels."""
    lock, uid = device.lock_id.encode(), bytes.fromhex(share.uid)
    return _signed(ctx, issuer.command(lock, from_unix(ctx.now), uid, action, challenge))


def acknowledgement(ctx: Context, device: Device, sequence: int, link: bytes) -> bytes:
    """That the log has arrived up to an entry, as it travels."""
    lock = device.lock_id.encode()
    return _signed(ctx, issuer.acknowledgement(lock, from_unix(ctx.now), sequence, link))


def renew_leases(ctx: Context, most: int = 500) -> int:
    """Sign the grants again that have used up half of their lease; how many there were."""
    newest = (
        select(func.max(Statement.id).label("id"))
        .where(Statement.kind == statements.GRANT)
        .group_by(Statement.share_id, Statement.key_id)
        .subquery()
    )
    due = (
        select(Share, Key)
        .join(Statement, Statement.share_id == Share.id)
        .join(newest, newest.c.id == Statement.id)
        .join(Key, Key.id == Statement.key_id)
        .where(
            Share.status == ACCEPTED,
            Key.removed_at.is_(None),
            Statement.lease - ctx.now < Share.lease_s / 2,
        )
        .order_by(Statement.lease)
        .limit(most)
    )
    found = ctx.session.execute(due).all()
    for share, key in found:
        _keep(ctx, share.device, _grant(ctx, share, key, None), None, share, key)
    return len(found)


def _signed(ctx: Context, change: Change) -> bytes:
    return issuer.sign(change, ctx.issuers.key(ctx.issuers.current))


def _grant(ctx: Context, share: Share, key: Key, sequence: int | None) -> Change:
    grant = terms.grant(share)
    grant.issued = from_unix(ctx.now)
    if share.lease_s is not None:
        grant.lease = from_unix(ctx.now + share.lease_s)
    public = PublicKey(key.public[:32], key.public[32:])
    return issuer.grant_change(grant, public, sequence)


def _keys(ctx: Context, share: Share) -> list[Key]:
    if share.status != ACCEPTED:
        return []
    locks.hold_person(ctx, share.email_key)
    mine = select(Key).where(Key.person_id == share.person_id, Key.removed_at.is_(None))
    return list(ctx.session.scalars(mine.order_by(Key.id)))


def _next(ctx: Context, device: Device) -> int:
    """The next number of a device."""
    locks.hold(ctx, device)
    device.sequence += 1
    ctx.session.flush()
    return device.sequence


def _keep(
    ctx: Context,
    device: Device,
    change: Change,
    sequence: int | None,
    share: Share | None = None,
    key: Key | None = None,
) -> Statement:
    kind, payload = change
    lease_s = share.lease_s if share and kind == statements.GRANT else None
    statement = Statement(
        device_id=device.id,
        sequence=sequence,
        kind=kind,
        payload=payload,
        share_id=share.id if share else None,
        key_id=key.id if key else None,
        lease=None if lease_s is None else ctx.now + lease_s,
        issuer=ctx.issuers.current,
        issued_at=ctx.now,
    )
    ctx.session.add(statement)
    ctx.session.flush()
    ctx.touched.add(device.id)
    return statement
