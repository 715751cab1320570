"""Many at once: one share to a person, a sequence without a gap, and nothing that breaks."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import chain, repeat
from random import Random
from threading import Barrier, Event
from time import sleep

import pytest
from sqlalchemy import func, select, text

from firmware.access.statements import GRANT
from firmware_tests import soak
from firmware_tests.cloud.realm import write
from firmware_tests.cloud.world import Client, World
from host_sim.cloud.domain import (
    devices,
    links,
    locks,
    membership,
    organisations,
    people,
    phones,
    sharing,
)
from host_sim.cloud.domain.model import ACCEPTED, ENDED, Device, Member, Share, Statement
from host_sim.cloud.keys import PrivateKey

CLIENTS = 8
STEPS = soak.count(400, 12)  # of each client
SHARES = "/api/v1.32/my/deviceShare"
BLYNK = "/api/v1/organization"


class House:
    """A device with an owner, seven administrators, and guests whom they fight about."""

    def __init__(self, world: World):
        self.world = world
        self.owner = world.person("owner@example.org")
        self.admins = [world.person(f"admin{n}@example.org") for n in range(CLIENTS - 1)]
        self.guests = [world.person(f"guest{n}@example.org") for n in range(3)]
        with world.transaction() as context:
            owner = world.who(context, self.owner)
            device = devices.create(context, owner, "Front door", "UTC0")
            self.device = device.id
            self.place = device.organisation_id
            for admin in self.admins:
                sharing.create(context, owner, device, admin.email, write(level="admin"))
            role = organisations.role_named(device.organisation, organisations.USER)
            for number, guest in enumerate(self.guests):
                key = PrivateKey.from_scalar(10 + number).public
                phones.add(context, world.who(context, guest), "phone", key.x + key.y)
                home = device.organisation
                membership.invite(context, owner, home, guest.email, "Guest", role)

    def live(self) -> list[Share]:
        with self.world.transaction() as context:
            mine = select(Share).where(Share.device_id == self.device, Share.status != ENDED)
            return list(context.session.scalars(mine))

    def step(self, client: Client, source: Random) -> int:
        """One request, good or bad; the status of the answer."""
        guest = source.choice(self.guests)
        kind = source.randrange(6)
        if kind < 2:
            body = {"deviceId": self.device, "accessLevel": 0, "userEmail": guest.email}
            return client.post(SHARES, json=body).status_code
        if kind == 5 and client is self.owner:
            role = {"userId": guest.id, "roleId": source.choice((2, 3))}
            return client.put(f"{BLYNK}/users/role", params=role).status_code
        shares = [share for share in self.live() if share.email == guest.email]
        if not shares:
            return client.get(SHARES, params={"deviceId": self.device}).status_code
        if kind == 2:
            return client.delete(f"{SHARES}/{shares[0].id}").status_code
        days = source.randint(1, 127)
        body = {"id": shares[0].id, "repeatEvent": {"weekDays": days}}
        return client.patch(SHARES, json=body).status_code


def test_eight_clients_share_one_device(service):
    house = House(service)
    clients = [house.owner, *house.admins]
    begin = Barrier(CLIENTS)

    def work(number: int) -> Counter:
        source = Random(soak.seed() * CLIENTS + number)
        begin.wait()
        return Counter(house.step(clients[number], source) for _ in range(STEPS))

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = sum(pool.map(work, range(CLIENTS)), Counter())
    assert not [status for status in statuses if status >= 500], statuses
    assert statuses[201] and statuses[204]
    holders = Counter(share.email_key for share in house.live())
    assert set(holders.values()) == {1}
    with service.transaction() as context:
        device = context.session.get_one(Device, house.device)
        numbered = select(Statement.sequence).where(
            Statement.device_id == device.id, Statement.sequence.is_not(None)
        )
        numbers = sorted(context.session.scalars(numbered))
        assert numbers == list(range(1, device.sequence + 1))
        # What roles give is what they give when they are looked at again.
        sharing.settle(context, device)
        assert device.sequence == len(numbers)


def test_an_address_is_shared_with_once(service):
    """Eight at once want to share with the same new address; one does, the others hear why."""
    house = House(service)
    clients = [house.owner, *house.admins]
    begin = Barrier(CLIENTS)

    def work(client: Client) -> int:
        body = {"deviceId": house.device, "accessLevel": 0, "userEmail": "new@example.org"}
        begin.wait()
        return client.post(SHARES, json=body).status_code

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = Counter(pool.map(work, clients))
    assert statuses[201] == 1
    assert all(400 <= status < 500 for status in statuses if status != 201), statuses
    with service.transaction() as context:
        mine = select(func.count(Share.id)).where(Share.email_key == "new@example.org")
        assert context.session.scalar(mine) == 1


def test_an_address_is_invited_once(service):
    """The same with an organisation: one invitation, one placeholder of an account."""
    owner = service.person("owner@example.org")
    begin = Barrier(CLIENTS)

    def work(_: int) -> int:
        body = {"email": "new@example.org", "name": "New", "roleId": 2}
        begin.wait()
        return owner.post(f"{BLYNK}/users/invite", json=body).status_code

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = Counter(pool.map(work, range(CLIENTS)))
    assert statuses == {201: 1, 400: CLIENTS - 1}


# --- two transactions at a time ------------------------------------------------------------------


def transact(service, work):
    with service.service.transaction() as context:
        work(context)


def overlap(service, first, second):
    """Begin `second` when `first` has done all but commit; both are called with a context."""
    with ThreadPoolExecutor(1) as pool:
        with service.service.transaction() as context:
            first(context)
            context.session.flush()
            later = pool.submit(transact, service, second)
            wait([later], 0.7)  # what does not wait is done by then
        later.result(60)


class Guest:
    """Bob, to whom Anna's doors may be open; what the two of them do."""

    def __init__(self, service: World, doors: int = 1):
        self.service = service
        self.anna, self.bob = service.person("anna@example.org"), service.person("bob@example.org")
        with service.transaction() as context:
            anna = service.who(context, self.anna)
            made = [devices.create(context, anna, "Door", "UTC0") for _ in range(doors)]
            self.doors = [device.id for device in made]

    def share(self, ctx, door=0, **options):
        device = ctx.session.get_one(Device, self.doors[door])
        anna = self.service.who(ctx, self.anna)
        sharing.create(ctx, anna, device, self.bob.email, write(), **options)

    def invite(self, ctx, email, role):
        anna = self.service.who(ctx, self.anna)
        home = organisations.home(ctx, anna)
        role = organisations.role_named(home, role)
        membership.invite(ctx, anna, home, email, "Somebody", role)

    def offered(self) -> str:
        """The secret of a link by which Bob can accept."""
        transact(self.service, lambda ctx: self.share(ctx, by_link=True))
        return self.service.secret(self.bob.email)

    def add(self, ctx):
        key = PrivateKey.from_scalar(50).public
        phones.add(ctx, self.service.who(ctx, self.bob), "phone", key.x + key.y)

    def remove(self, ctx):
        bob = self.service.who(ctx, self.bob)
        phones.remove(ctx, bob, phones.of(ctx, bob)[0])

    def granted(self) -> int:
        """How many grants Bob has: for each phone and share that he has, and none else."""
        with self.service.transaction() as context:
            due = {
                (share.id, key.id)
                for share in context.session.scalars(select(Share))
                for key in phones.of(context, self.service.who(context, self.bob))
                if share.status == ACCEPTED and share.person_id == key.person_id
            }
            held: set[tuple[int | None, int | None]] = set()
            told = select(Statement).where(Statement.sequence.is_not(None))
            for statement in context.session.scalars(told.order_by(Statement.id)):
                about = (statement.share_id, statement.key_id)
                (held.add if statement.kind == GRANT else held.discard)(about)
            assert held == due
            return len(held)


@pytest.mark.parametrize("first", ["share", "phone"])
@pytest.mark.parametrize("how", ["link", "address", "role"])
def test_a_phone_that_comes_while_a_share_does_opens_it(service, how, first):
    guest = Guest(service)
    secret = guest.offered() if how == "link" else ""

    def share(ctx):
        if how == "link":
            sharing.accept(ctx, service.who(ctx, guest.bob), secret)
        elif how == "role":
            guest.invite(ctx, guest.bob.email, organisations.STAFF)
        else:
            guest.share(ctx)

    overlap(service, *((share, guest.add) if first == "share" else (guest.add, share)))
    assert guest.granted() == 1


@pytest.mark.parametrize("first", ["share", "phone"])
def test_a_phone_that_goes_while_a_share_comes_opens_nothing(service, first):
    guest = Guest(service)
    transact(service, guest.add)
    both = (guest.share, guest.remove) if first == "share" else (guest.remove, guest.share)
    overlap(service, *both)
    assert guest.granted() == 0


@pytest.mark.parametrize("first", ["offer", "account"])
@pytest.mark.parametrize("what", ["share", "invitation"])
def test_what_an_address_is_offered_while_it_is_confirmed_is_its_holders(service, what, first):
    guest = Guest(service)
    service.http.post("/account", json={"email": "cy@example.org", "name": "Cy"})
    secret = service.secret("cy@example.org")

    def confirm(ctx):
        people.confirm(ctx, secret, "")

    def share(ctx):
        anna = service.who(ctx, guest.anna)
        device = ctx.session.get_one(Device, guest.doors[0])
        sharing.create(ctx, anna, device, "cy@example.org", write())

    def invite(ctx):
        guest.invite(ctx, "cy@example.org", organisations.USER)

    offer = share if what == "share" else invite
    overlap(service, *((offer, confirm) if first == "offer" else (confirm, offer)))
    with service.transaction() as context:
        kind = Share if what == "share" else Member
        found = context.session.query(kind).filter_by(email_key="cy@example.org").all()
        assert len(found) == (1 if what == "share" else 2)  # and the organization of one's own
        assert all(each.person is not None for each in found)


def test_an_invitation_that_is_accepted_while_it_is_sent_again(service, monkeypatch):
    guest = Guest(service)
    secret = guest.offered()
    make, begun = links.make, Event()

    def slow(*arguments):
        begun.set()
        sleep(0.7)  # the other one is under way
        return make(*arguments)

    def resend(ctx):
        share = ctx.session.scalars(select(Share).where(Share.by_link)).one()
        sharing.resend(ctx, service.who(ctx, guest.anna), share)

    monkeypatch.setattr(links, "make", slow)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(transact, service, resend)
        begun.wait(60)
        answer = guest.bob.post("/account/invitations", json={"token": secret})
        sent.result(60)
    assert answer.status_code == 410  # the earlier link is void
    answer = guest.bob.post(
        "/account/invitations", json={"token": service.secret(guest.bob.email)}
    )
    assert answer.status_code == 200


def test_doors_are_held_in_their_order_whichever_was_shared_first(service):
    """`in_order` looks on."""
    guest = Guest(service, doors=3)
    for door in (2, 0, 1):
        transact(service, lambda ctx, door=door: guest.share(ctx, door))
    transact(service, guest.add)
    assert guest.granted() == 3
    transact(service, guest.remove)
    assert guest.granted() == 0
    wanted = [
        {"deviceId": door, "accessLevel": 0, "userEmail": f"{door}@example.org"}
        for door in reversed(guest.doors)
    ]
    made = guest.anna.post(f"{SHARES}/bulk", json=wanted).json()
    assert made["success"], made


def test_what_was_held_in_vain_is_let_go_of(postgres, tmp_path, monkeypatch):
    with postgres.copy() as url, World(url, tmp_path) as service:
        guest = Guest(service, doors=2)
        transact(service, guest.share)
        looks = chain([guest.doors], repeat(guest.doors[:1]))
        monkeypatch.setattr(locks, "_belongings", lambda *_: ([], next(looks)))
        with service.transaction() as context:
            locks.hold_belongings(context, service.who(context, guest.bob))
            held = "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1"
            assert list(context.session.scalars(text(held))) == guest.doors[:1]
