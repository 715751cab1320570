"""Roles and the lock's grants agree, after whatever happened to an organisation."""

from collections.abc import Callable
from random import Random

import pytest
from sqlalchemy import func, select

from firmware.policy.grant import ADMIN, GUEST
from firmware_tests import soak
from firmware_tests.cloud.realm import NOW, Realm, write
from host_sim.cloud.domain import devices, membership, organisations, sharing, terms
from host_sim.cloud.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from host_sim.cloud.domain.model import (
    ROLE,
    Device,
    Member,
    Organisation,
    Person,
    Share,
    Statement,
)

ROUNDS = soak.count(1_000, 10)
STEPS = 60


@pytest.fixture
def realm(tmp_path):
    made = Realm(tmp_path)
    yield made
    made.close()


class Chaos:
    """Random changes by random people, most of whom may not make them."""

    def __init__(self, realm: Realm, source: Random):
        self.realm = realm
        self.ctx = realm.context
        self.source = source
        self.people = [realm.person(name, phones_=1) for name in ("Anna", "Bob", "Cy", "Dora")]
        self.people.append(realm.person("Eve", confirmed=False))
        self.done = 0
        for person in self.people[:2]:
            realm.device(person)

    def any(self, kind):
        return self.source.choice(self.realm.session.scalars(select(kind)).all())

    def permissions(self):
        return [each for each in organisations.PERMISSIONS if self.source.random() < 0.6]

    def invite(self, actor):
        place = self.any(Organisation)
        role = self.source.choice(place.roles)
        person = self.source.choice(self.people)
        membership.invite(self.ctx, actor, place, person.email, person.name, role)

    def set_role(self, actor):
        member = self.any(Member)
        membership.set_role(self.ctx, actor, member, self.source.choice(member.organisation.roles))

    def change_role(self, actor):
        role = self.source.choice(self.any(Organisation).roles)
        membership.change_role(self.ctx, actor, role, self.permissions())

    def add_role(self, actor):
        name = f"role {self.source.randrange(4)}"
        membership.add_role(self.ctx, actor, self.any(Organisation), name, self.permissions())

    def remove(self, actor):
        membership.remove(self.ctx, actor, self.any(Member))

    def create_below(self, actor):
        organisations.create_below(self.ctx, actor, self.any(Organisation), "Below")

    def create(self, actor):
        place = self.any(Organisation)
        devices.create(self.ctx, actor, "Door", "UTC0", organisation=place)

    def move(self, actor):
        managed = organisations.reach(self.ctx, actor, organisations.MANAGE)
        here = select(Device).where(Device.organisation_id.in_(managed))
        movable = self.realm.session.scalars(here).all()
        if movable:
            to = self.realm.session.get_one(Organisation, self.source.choice(sorted(managed)))
            devices.move(self.ctx, actor, self.source.choice(movable), to)

    def hand_over(self, actor):
        devices.hand_over(self.ctx, actor, self.any(Device), self.source.choice(self.people))

    def transfer(self, actor):
        heir = self.source.choice(self.people).email
        keep = self.source.random() < 0.5
        devices.transfer(self.ctx, actor, self.any(Device), heir, keep_shares=keep)

    def delete(self, actor):
        if self.source.random() < 0.3:
            devices.delete(self.ctx, actor, self.any(Device))

    def share(self, actor):
        holder = self.source.choice(self.people).email
        sharing.create(self.ctx, actor, self.any(Device), holder, write(uses=3))

    def end(self, actor):
        sharing.end(self.ctx, actor, self.any(Share))

    def drop(self, actor):
        sharing.drop(self.ctx, actor, self.any(Share))

    def confirm(self, actor):
        eve = self.people[-1]
        if eve.confirmed_at is None:
            eve.confirmed_at = self.ctx.now
            sharing.claim(self.ctx, eve)

    def step(self):
        steps: list[Callable[[Person], None]] = [
            self.invite, self.invite, self.invite, self.set_role, self.change_role, self.add_role,
            self.remove, self.create_below, self.create, self.move, self.hand_over, self.transfer,
            self.delete, self.share, self.end, self.drop, self.confirm,
        ]  # fmt: skip
        try:
            with self.realm.session.begin_nested():
                self.source.choice(steps)(self.source.choice(self.people))
            self.done += 1
        except DomainError:
            pass


def by_roles(realm: Realm) -> set[tuple[int, str, int]]:
    """What roles give, worked out anew: device, address and level."""
    found = set()
    query = select(Device, Member).where(
        Device.organisation_id == Member.organisation_id, Device.deleted_at.is_(None)
    )
    for device, member in realm.session.execute(query):
        permissions = member.role.permissions
        joined = member.joined_at is not None
        others = realm.session.scalars(
            select(Share.email_key).where(
                Share.device_id == device.id, Share.ended_at.is_(None), Share.origin != ROLE
            )
        ).all()
        if joined and "Control Organization Devices" in permissions:
            if member.email_key not in others:
                level = ADMIN if "Manage Organization" in permissions else GUEST
                found.add((device.id, member.email_key, level))
    return found


def held(realm: Realm) -> set[tuple[int, str, int]]:
    live = select(Share).where(Share.origin == ROLE, Share.ended_at.is_(None))
    return {
        (share.device_id, share.email_key, terms.level(share))
        for share in realm.session.scalars(live)
    }


def test_roles_and_shares_agree_after_any_changes(tmp_path):
    done = shares = 0
    for number in range(ROUNDS):
        realm = Realm(tmp_path / str(number))
        chaos = Chaos(realm, Random(soak.seed() + number))
        for _ in range(STEPS):
            chaos.step()
            assert held(realm) == by_roles(realm)
        statements = realm.session.scalar(select(func.count(Statement.id)))
        for device in realm.session.scalars(select(Device)).all():
            sharing.settle(realm.context, device)
        assert held(realm) == by_roles(realm)
        assert realm.session.scalar(select(func.count(Statement.id))) == statements
        _check_managed(realm)
        done += chaos.done
        shares += len(held(realm))
        realm.close()
    # Random people are refused most of the time; enough has to happen all the same.
    assert done > 5 * ROUNDS
    assert shares


def _check_managed(realm: Realm) -> None:
    for place in realm.session.scalars(select(Organisation)):
        here = [each.id for each in organisations.upwards(place)]
        members = select(Member).where(Member.organisation_id.in_(here), Member.joined_at > 0)
        assert any(
            organisations.MANAGE in member.role.permissions
            for member in realm.session.scalars(members)
        )


# --- the rules of membership ---------------------------------------------------------------------


def test_the_last_who_manages_an_organisation_stays(realm):
    anna = realm.person("Anna")
    home = organisations.home(realm.context, anna)
    (member,) = organisations.members(realm.context, home)
    user = organisations.role_named(home, organisations.USER)
    admin = organisations.role_named(home, organisations.ADMIN)
    for change in (
        lambda: membership.set_role(realm.context, anna, member, user),
        lambda: membership.remove(realm.context, anna, member),
        lambda: membership.change_role(realm.context, anna, admin, []),
    ):
        with pytest.raises(Conflict) as refused, realm.session.begin_nested():
            change()
        assert refused.value.code == "last-manager"


def test_somebody_above_is_enough_to_manage(realm):
    anna, bob = realm.person("Anna"), realm.person("Bob")
    home = organisations.home(realm.context, anna)
    below = organisations.create_below(realm.context, anna, home, "Below")
    admin = organisations.role_named(below, organisations.ADMIN)
    member = membership.invite(realm.context, anna, below, bob.email, "Bob", admin)
    membership.remove(realm.context, bob, member)
    assert organisations.members(realm.context, below) == []


def test_nobody_gives_or_takes_more_than_they_have(realm):
    anna, bob, cy = realm.person("Anna"), realm.person("Bob"), realm.person("Cy")
    home = organisations.home(realm.context, anna)
    clerk = membership.add_role(
        realm.context,
        anna,
        home,
        "Clerk",
        [organisations.MANAGE, organisations.VIEW_ORGANISATION],
    )
    admin = organisations.role_named(home, organisations.ADMIN)
    user = organisations.role_named(home, organisations.USER)
    mine = membership.invite(realm.context, anna, home, bob.email, "Bob", clerk)
    (annas, _) = organisations.members(realm.context, home)
    opens = [organisations.VIEW_ORGANISATION, organisations.CONTROL_ORGANISATION]
    for change in (
        lambda: membership.invite(realm.context, bob, home, cy.email, "Cy", admin),
        lambda: membership.set_role(realm.context, bob, mine, admin),
        lambda: membership.set_role(realm.context, bob, annas, user),
        lambda: membership.remove(realm.context, bob, annas),
        lambda: membership.change_role(realm.context, bob, clerk, opens),
        lambda: membership.change_role(realm.context, bob, admin, []),
        lambda: membership.add_role(realm.context, bob, home, "Opens", opens),
    ):
        with pytest.raises(Forbidden) as refused, realm.session.begin_nested():
            change()
        assert refused.value.code == "level"
    membership.invite(realm.context, bob, home, cy.email, "Cy", user)


def test_who_does_not_manage_changes_nothing(realm):
    anna, bob, cy = realm.person("Anna"), realm.person("Bob"), realm.person("Cy")
    home = organisations.home(realm.context, anna)
    staff = organisations.role_named(home, organisations.STAFF)
    with pytest.raises(NotFound):
        membership.invite(realm.context, bob, home, cy.email, "Cy", staff)
    member = membership.invite(realm.context, anna, home, bob.email, "Bob", staff)
    for change in (
        lambda: membership.invite(realm.context, bob, home, cy.email, "Cy", staff),
        lambda: membership.set_role(realm.context, bob, member, staff),
        lambda: membership.change_role(realm.context, bob, staff, []),
        lambda: membership.add_role(realm.context, bob, home, "Mine", []),
        lambda: organisations.create_below(realm.context, bob, home, "Mine"),
    ):
        with pytest.raises(Forbidden):
            change()
    membership.remove(realm.context, bob, member)  # to leave is everybody's right
    assert membership.find(realm.context, home, bob.id) is None


@pytest.mark.parametrize(
    ("permissions", "code"),
    [
        (["Open Sesame"], "no-permission"),
        ([organisations.CONTROL_ORGANISATION], "permission-needs-another"),
        ([organisations.CONTROL_OWN], "permission-needs-another"),
        ([organisations.MANAGE, organisations.VIEW_OWN], "permission-needs-another"),
    ],
)
def test_permissions_that_make_no_sense(realm, permissions, code):
    anna = realm.person("Anna")
    home = organisations.home(realm.context, anna)
    with pytest.raises(Invalid) as refused:
        membership.add_role(realm.context, anna, home, "Odd", permissions)
    assert refused.value.code == code


def test_an_address_is_a_member_once(realm):
    anna = realm.person("Anna")
    home = organisations.home(realm.context, anna)
    user = organisations.role_named(home, organisations.USER)
    membership.invite(realm.context, anna, home, "New@example.org", "New", user)
    for again in ("new@EXAMPLE.org", anna.email):
        with pytest.raises(Conflict) as refused, realm.session.begin_nested():
            membership.invite(realm.context, anna, home, again, "New", user)
        assert refused.value.code == "already-member"


def test_a_device_of_somebody_invited_before_they_came_is_in_their_own_organisation(realm):
    """The first organisation of a person is not the one that invited them first."""
    anna = realm.person("Anna")
    home = organisations.home(realm.context, anna)
    staff = organisations.role_named(home, organisations.STAFF)
    membership.invite(realm.context, anna, home, "new@example.org", "New", staff)
    new = realm.session.scalars(select(Person).where(Person.name == "New")).one()
    assert new.confirmed_at is None
    new.confirmed_at = NOW
    own = organisations.found_for(realm.context, new)
    sharing.claim(realm.context, new)
    assert organisations.home(realm.context, new) is own
    assert realm.device(new).organisation is own


def test_who_left_their_own_organisation_gets_a_new_one(realm):
    anna, bob = realm.person("Anna"), realm.person("Bob")
    old = organisations.home(realm.context, anna)
    admin = organisations.role_named(old, organisations.ADMIN)
    membership.invite(realm.context, anna, old, bob.email, "Bob", admin)
    mine = membership.find(realm.context, old, anna.id)
    assert mine is not None
    membership.remove(realm.context, anna, mine)
    made = realm.device(anna).organisation
    assert made is not old
    assert organisations.home(realm.context, anna) is made


def test_organisations_are_only_so_deep(realm):
    anna = realm.person("Anna")
    place = organisations.home(realm.context, anna)
    for _ in range(organisations.MOST_LEVELS - 1):
        place = organisations.create_below(realm.context, anna, place, "Below")
    with pytest.raises(Conflict) as refused:
        organisations.create_below(realm.context, anna, place, "Too deep")
    assert refused.value.code == "too-deep"


def test_an_owner_has_to_belong_to_the_organisation(realm):
    anna, bob = realm.person("Anna"), realm.person("Bob")
    home = organisations.home(realm.context, anna)
    with pytest.raises(Conflict) as refused:
        realm.device(bob, organisation=home)
    assert refused.value.code == "no-member"


def test_a_device_that_moves_is_opened_by_the_members_there(realm):
    anna, bob, cy = realm.person("Anna"), realm.person("Bob"), realm.person("Cy")
    home = organisations.home(realm.context, anna)
    below = organisations.create_below(realm.context, anna, home, "Below")
    for place, member in ((home, bob), (below, cy)):
        staff = organisations.role_named(place, organisations.STAFF)
        membership.invite(realm.context, anna, place, member.email, member.name, staff)
    device = realm.device(anna)
    assert held(realm) == {(device.id, bob.email_key, GUEST)}
    devices.move(realm.context, anna, device, below)
    assert held(realm) == by_roles(realm) == {(device.id, cy.email_key, GUEST)}


@pytest.mark.parametrize(
    ("terms_", "error"), [({"level": "owner"}, Conflict), ({"rules": ["never"]}, ValueError)]
)
def test_a_share_by_role_stays_if_the_one_in_its_place_is_refused(realm, terms_, error):
    ctx, anna, bob = realm.context, realm.person("Anna"), realm.person("Bob", phones_=1)
    home = organisations.home(ctx, anna)
    staff = organisations.role_named(home, organisations.STAFF)
    membership.invite(ctx, anna, home, bob.email, "Bob", staff)
    device = realm.device(anna)
    sequence = device.sequence
    with pytest.raises(error):
        sharing.create(ctx, anna, device, bob.email, write(**terms_))
    assert held(realm) == {(device.id, bob.email_key, GUEST)}
    assert device.sequence == sequence
    sharing.create(ctx, anna, device, bob.email, write())
    assert held(realm) == set()
    assert device.sequence == sequence + 2  # the end of the one, and the other
