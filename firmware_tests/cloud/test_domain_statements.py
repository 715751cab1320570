"""What the cloud signs is what locks take in, and both come to the same decisions."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from firmware.access import statements
from firmware.access.intake import LARGEST_BATCH
from firmware.policy import reasons
from firmware.policy.decision import ACTIONS, Decision, Now, Request, decide
from firmware.policy.grant import GUEST, GUEST_RIGHTS, LOCAL, OWNER, REMOTE, UNLOCK, Grant
from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Zone
from firmware_tests import soak
from firmware_tests.cloud.realm import NOW, Lock, Realm, write
from firmware_tests.unit.given_grants import grants
from host_sim.cloud import issuer
from host_sim.cloud.domain import devices, issuing, operations, permissions, phones, sharing, terms
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device, Key, Share, Statement
from host_sim.cloud.domain.terms import Write
from host_sim.cloud.issuers import Issuers

INSTANTS = soak.count(10_000, 100)  # for each random share
SHARES = soak.count(200, 20)
DAY_S = 86_400
# The clocks go forward and back in Berlin in 2026.
CHANGES = (1_774_746_000, 1_792_890_000)


@pytest.fixture
def realm(tmp_path):
    made = Realm(tmp_path)
    yield made
    made.close()


def decided(lock: Lock, device: Device, key: Key, action: int, channel: int, at: int) -> int:
    """The reason that the lock gives, with its own store and its own checks."""
    grant = lock.grants.find(key.thumbprint)
    asked = Request(key.thumbprint, action, channel, True)
    state = lock.grants.state_at(grant, 0)
    decision = Decision()
    decide(grant, asked, Now(from_unix(at)), Zone(device.zone), state, decision)
    return decision.reason


def terms_of(like: Grant, level: int, rights: int, channels: int) -> Write:
    """What gives a share the terms of a random grant."""

    def change(grant: Grant) -> None:
        grant.level, grant.rights, grant.channels = level, rights, channels
        grant.start, grant.until, grant.rules = like.start, like.until, like.rules
        grant.uses, grant.duress = like.uses, like.duress
        grant.after_first_use_s = like.after_first_use_s

    return change


def moments(source: Random, *made: Grant) -> list[int]:
    """Instants near everything that may change the answer, and some anywhere."""
    edges = [NOW, *CHANGES]
    for grant in made:
        edges += [to_unix(at) for at in (grant.start, grant.until) if at is not None]
        for rule in grant.rules:
            for day in range(8):
                shown = NOW - NOW % DAY_S + day * DAY_S + source.choice((rule.start_s, rule.end_s))
                edges += [shown, shown - 2 * 3600]  # in UTC, and in Berlin's summer
    found = []
    for _ in range(INSTANTS):
        spread = source.choice((1, 1, 1, 3 * 3600, 10 * DAY_S, 300 * DAY_S))
        found.append(max(1, source.choice(edges) + source.randint(-spread, spread)))
    return found


# A failure names the instant; to look for a smaller one would take minutes.
@settings(
    max_examples=SHARES,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(like=grants(), whole=grants(), passed_on=st.booleans(), seed=st.integers(0, 1 << 30))
def test_cloud_and_lock_decide_alike(tmp_path_factory, like, whole, passed_on, seed):
    realm = Realm(tmp_path_factory.mktemp("realm"))
    try:
        _decide_alike(realm, like, whole, passed_on, Random(seed))
    finally:
        realm.close()


def _decide_alike(
    realm: Realm, like: Grant, whole: Grant, passed_on: bool, source: Random
) -> None:
    ctx = realm.context
    anna, bob, cy = realm.person("Anna"), realm.person("Bob", phones_=1), realm.person("Cy")
    device = realm.device(anna)
    lock = Lock(realm, device)
    level = GUEST if like.level == OWNER or passed_on else like.level
    rights = like.rights if level == like.level else like.rights & GUEST_RIGHTS or UNLOCK
    change = terms_of(like, level, rights, like.channels)
    if passed_on:
        wide = terms_of(whole, GUEST, GUEST_RIGHTS, LOCAL | REMOTE)
        parent = sharing.create(ctx, anna, device, cy.email, wide, may_pass_on=True)
        realm.phone(cy)
        # Whoever passes on has to be active; that is not what this test is about.
        ctx.now = _some_active(realm, parent)
        if not ctx.now:
            return
        share = sharing.pass_on(ctx, cy, parent, bob.email, change)
    else:
        share = sharing.create(ctx, anna, device, bob.email, change)
    assert set(lock.catch_up()) == {reasons.ALLOWED}
    (key,) = phones.of(ctx, bob)
    kept = terms.grant(share)
    may = next(action for action in ACTIONS if action & kept.rights)
    channel = LOCAL if kept.channels & LOCAL else REMOTE
    for at in moments(source, like, whole):
        ctx.now = at
        action = source.choice((may, *ACTIONS))
        far = decided(lock, device, key, action, REMOTE, at)
        assert operations.verdict(ctx, share, action) == far, at
        near = decided(lock, device, key, may, channel, at)
        assert permissions.is_active(ctx, share) == (near == reasons.ALLOWED), at


def _some_active(realm: Realm, share: Share) -> int:
    """An instant at which a share is active, 0 if none was found."""
    ctx = realm.context
    edges = [NOW, *(NOW + hours * 3600 for hours in range(1, 24 * 8))]
    for edge in edges:
        ctx.now = edge
        if permissions.is_active(ctx, share):
            return edge
    return 0


@pytest.mark.parametrize("utc", [True, False])
def test_utc_and_local_hours_are_told_apart(realm, utc):
    """tedee's rules are in UTC, others on the wall clock; zoneinfo and datetime know both."""
    ctx, anna = realm.context, realm.person("Anna")
    bob = realm.person("Bob", phones_=1)
    device = realm.device(anna)
    lock = Lock(realm, device)
    rule = "mon-fri 08:00-16:00" + (" utc" if utc else "")
    share = sharing.create(ctx, anna, device, bob.email, write(rules=[rule]))
    assert set(lock.catch_up()) == {reasons.ALLOWED}
    (key,) = phones.of(ctx, bob)
    zone = UTC if utc else ZoneInfo("Europe/Berlin")
    source = Random(soak.seed())
    differs = 0
    for at in moments(source):
        shown = datetime.fromtimestamp(at, zone)
        expected = shown.weekday() < 5 and timedelta(hours=8) <= timedelta(
            hours=shown.hour, minutes=shown.minute, seconds=shown.second
        ) < timedelta(hours=16)
        ctx.now = at
        assert permissions.is_active(ctx, share) == expected, at
        allowed = decided(lock, device, key, UNLOCK, LOCAL, at) == reasons.ALLOWED
        assert allowed == expected, at
        differs += expected
    assert 0 < differs < INSTANTS


# --- how they travel -----------------------------------------------------------------------------


def test_grants_are_taken_in_one_by_one_too(realm):
    ctx, anna = realm.context, realm.person("Anna", phones_=1)
    bob = realm.person("Bob", phones_=2)
    device = realm.device(anna)
    sharing.create(ctx, anna, device, bob.email, write(rules=["mon-fri 08:00-16:00"]))
    lock = Lock(realm, device)
    issued = _statements(realm, device)
    assert [lock.intake.accept(issuing.token(ctx, each)) for each in issued] == [0, 0, 0]
    assert len(list(lock.grants.grants())) == 3
    # The batches then bring nothing new, and count.
    assert lock.catch_up() == [reasons.ALLOWED]
    assert lock.sync.applied == device.sequence == 3


def test_every_change_of_a_share_reaches_the_lock(realm):
    ctx, anna = realm.context, realm.person("Anna", phones_=1)
    bob = realm.person("Bob", phones_=1)
    device = realm.device(anna)
    lock = Lock(realm, device)
    (key,) = phones.of(ctx, bob)

    def allowed() -> bool:
        assert not any(lock.catch_up())
        assert lock.sync.applied == device.sequence
        return decided(lock, device, key, UNLOCK, LOCAL, ctx.now) == reasons.ALLOWED

    assert not allowed()
    share = sharing.create(ctx, anna, device, bob.email, write())
    assert allowed()
    sharing.change(ctx, anna, share, write(rules=["daily 01:00-02:00"]))
    assert not allowed()
    sharing.change(ctx, anna, share, write())
    assert allowed()
    sharing.end(ctx, anna, share)
    assert not allowed()
    sharing.create(ctx, anna, device, bob.email, write())
    assert allowed()
    phones.remove(ctx, bob, key)
    assert not allowed()
    realm.phone(bob)
    (key,) = phones.of(ctx, bob)
    assert allowed()
    devices.transfer(ctx, anna, device, bob.email, keep_shares=False)
    assert allowed()
    (key,) = phones.of(ctx, anna)
    assert not allowed()


def test_statements_are_made_again_byte_for_byte(realm):
    ctx, anna = realm.context, realm.person("Anna", phones_=2)
    device = realm.device(anna)
    sharing.create(ctx, anna, device, realm.person("Bob", phones_=1).email, write(uses=3))
    first = [issuing.token(ctx, each) for each in _statements(realm, device)]
    batches = issuing.changes_after(ctx, device, 0)
    ctx.now += 40 * DAY_S
    realm.session.expire_all()
    again = Context(realm.session, ctx.now, Issuers(realm.folder / "keys", ctx.now), "")
    assert [issuing.token(again, each) for each in _statements(realm, device)] == first
    assert issuing.changes_after(again, device, 0) == batches


def test_large_changes_come_in_batches_that_fit(realm):
    ctx, anna = realm.context, realm.person("Anna", phones_=10)
    device = realm.device(anna)
    for number in range(3):
        guest = realm.person(f"Guest {number}".replace(" ", "-"), phones_=10)
        rules = [f"mon-fri 0{hour}:00-0{hour}:30" for hour in range(8)]
        sharing.create(ctx, anna, device, guest.email, write(rules=rules))
    batches = issuing.changes_after(ctx, device, 0)
    assert len(batches) > 1
    assert all(len(batch) <= LARGEST_BATCH for batch in batches)
    lock = Lock(realm, device)
    assert set(lock.catch_up()) == {reasons.ALLOWED}
    assert len(list(lock.grants.grants())) == 40


def test_batches_continue_each_other_where_numbers_are_missing(realm):
    """As after the database was put back from a copy, for a lock that begins anew."""
    ctx, anna = realm.context, realm.person("Anna", phones_=1)
    device = realm.device(anna)
    devices.fall_behind(ctx, device, 40)
    for number in range(issuer.MOST_CHANGES):
        guest = realm.person(f"Guest-{number}", phones_=1)
        sharing.create(ctx, anna, device, guest.email, write())
    lock = Lock(realm, device)
    assert lock.catch_up() == [reasons.ALLOWED] * 2
    assert lock.sync.applied == device.sequence == 40 + issuer.MOST_CHANGES
    assert [last for last, _ in issuing.batches_after(ctx, device, 0, most=1)] < [device.sequence]


# --- leases --------------------------------------------------------------------------------------


def test_leases_are_renewed_in_time(realm):
    ctx, anna = realm.context, realm.person("Anna")
    bob = realm.person("Bob", phones_=2)
    device = realm.device(anna)
    share = sharing.create(ctx, anna, device, bob.email, write(), lease_s=DAY_S)
    forever = sharing.create(ctx, anna, device, realm.person("Cy", phones_=1).email, write())
    lock = Lock(realm, device)
    lock.catch_up()
    key, _ = phones.of(ctx, bob)
    start, sequence, version = ctx.now, device.sequence, share.version
    ctx.now = start + DAY_S // 2
    assert issuing.renew_leases(ctx) == 0
    ctx.now += 1
    assert issuing.renew_leases(ctx) == 2
    assert issuing.renew_leases(ctx) == 0
    assert decided(lock, device, key, UNLOCK, LOCAL, start + DAY_S) == reasons.LEASE_OVER
    renewed = [each for each in _statements(realm, device) if each.sequence is None]
    assert {each.share_id for each in renewed} == {share.id} and forever.lease_s is None
    assert [lock.intake.accept(issuing.token(ctx, each)) for each in renewed] == [0, 0]
    assert decided(lock, device, key, UNLOCK, LOCAL, start + DAY_S) == reasons.ALLOWED
    assert decided(lock, device, key, UNLOCK, LOCAL, ctx.now + DAY_S) == reasons.LEASE_OVER
    # No number was used up, and the lock knows no other version.
    assert (device.sequence, share.version) == (sequence, version)
    assert lock.catch_up() == []


def test_an_ended_share_is_not_renewed(realm):
    ctx, anna = realm.context, realm.person("Anna")
    bob = realm.person("Bob", phones_=1)
    device = realm.device(anna)
    share = sharing.create(ctx, anna, device, bob.email, write(), lease_s=DAY_S)
    sharing.end(ctx, anna, share)
    ctx.now += DAY_S
    assert issuing.renew_leases(ctx) == 0


def _statements(realm: Realm, device: Device) -> list[Statement]:
    """Grants and revocations of a device, as they were made."""
    kinds = (statements.GRANT, statements.REVOCATION)
    mine = select(Statement).where(Statement.device_id == device.id, Statement.kind.in_(kinds))
    return list(realm.session.scalars(mine.order_by(Statement.id)))
