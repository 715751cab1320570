"""Many at once: one share to a person, a sequence without a gap, and nothing that breaks."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

from sqlalchemy import func, select

from firmware_tests import soak
from firmware_tests.cloud.realm import write
from firmware_tests.cloud.world import Client, World
from host_sim.cloud.domain import devices, membership, organisations, phones, sharing
from host_sim.cloud.domain.model import ENDED, Device, Share, Statement
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
