"""Who lives in the house, and what is shared with whom before anybody looks.

Imports the cloud's domain. A password that everybody knows is for a service on loopback only.
"""

from functools import cache

from host_sim.cloud.domain import credentials, devices, links, people, sharing
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device, Person
from host_sim.cloud.terms import Terms
from host_sim.cloud.web.service import Service
from firmware.policy.grant import Grant
from firmware.policy.zone import Zone

PASSWORD = "open sesame, please"  # noqa: S105
ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"  # Europe/Berlin
AUTO_LOCK_S = 60

OWNER = "Anna"
WITH_PHONES = (OWNER, "Bob", "Clara", "Emil")
INVITED = "Dora"
# Guests, and the terms of their shares.
SHARES = {
    "Bob": Terms(),
    "Clara": Terms(rules=["tue,thu 09:00-12:00"]),
    "Emil": Terms(rules=["daily 07:00-20:00", "deny sun"], uses=20),
    INVITED: Terms(rules=["mon-fri 08:00-16:00"], channels=["local"]),
}


def address(name: str) -> str:
    """Where mail to somebody goes."""
    return f"{name.lower()}@example.org"


@cache
def _hashed() -> str:
    return people.hashed(PASSWORD)


def move_in(service: Service, name: str) -> str:
    """Make an account for somebody; a key to it that does not run out."""
    hashed = _hashed()
    with service.transaction() as ctx:
        email = address(name)
        people.sign_up(ctx, email, name)
        secret = links.make(ctx, links.CONFIRM, people.addresses.key(email))
        ctx.session.flush()
        person = people.confirm(ctx, secret, hashed)
        return people.new_key(ctx, person, "phone", people.SCOPES, None)[1]


def hang(service: Service, owner: str) -> tuple[str, str, str]:
    """Add the lock of a door; the uid of its device, its id and its password."""
    with service.transaction() as ctx:
        person = find(ctx, owner)
        device = devices.create(ctx, person, "Front door", ZONE)
        devices.configure(ctx, person, device, settings={"auto_lock_s": AUTO_LOCK_S})
        return device.uid, device.lock_id, credentials.enrol(ctx, person, device)


def share(service: Service, owner: str, uid: str, name: str, terms: Terms) -> None:
    """Share it with somebody."""
    with service.transaction() as ctx:
        person = find(ctx, owner)
        device = devices.find(ctx, person, uid)

        def write(grant: Grant) -> None:
            terms.write(grant, Zone(device.zone))

        sharing.create(ctx, person, device, address(name), write)


def find(ctx: Context, name: str) -> Person:
    """The account of somebody."""
    found = people.password_of(ctx, address(name))[0]
    return ctx.session.get_one(Person, found)


def device_of(ctx: Context, uid: str) -> Device:
    """The row of a device."""
    return devices.find(ctx, find(ctx, OWNER), uid)
