"""A door with an owner and a guest, for the tests of tedee's API, and how its answers are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from firmware.policy.grant import Grant
from firmware.policy.zone import Zone
from firmware_tests.cloud.world import World
from host_sim.cloud.domain import devices, sharing
from host_sim.cloud.domain.model import Device, Share
from host_sim.cloud.domain.terms import grant
from host_sim.cloud.terms import Terms
from host_sim.world import zones

ZONE = zones.posix("Europe/Warsaw")


class House:
    """Anna has a door in Warsaw, and John is a guest, with `share`."""

    def __init__(self, world: World):
        self.world = world
        self.anna = world.person("anna@example.org")
        self.john = world.person("john@example.org")
        self.door = self.build("Door")
        self.share = self.give(self.john.email)

    def build(self, name: str) -> int:
        """Another door of Anna's."""
        with self.world.transaction() as context:
            return devices.create(context, self.world.who(context, self.anna), name, ZONE).id

    def give(self, email: str, **terms: Any) -> int:
        """A share of the door in our own terms."""
        wanted = Terms(**terms)
        with self.world.transaction() as context:
            owner, door = (
                self.world.who(context, self.anna),
                context.session.get(Device, self.door),
            )
            assert door
            return sharing.create(
                context, owner, door, email, lambda grant: wanted.write(grant, Zone(ZONE))
            ).id

    @contextmanager
    def kept(self, share: int) -> Iterator[tuple[Share, Grant]]:
        """A share as the database has it, and the grant that it becomes."""
        with self.world.transaction() as context:
            found = context.session.get_one(Share, share)
            yield found, grant(found)

    def say(self, **state: Any) -> None:
        """What the door says about itself."""
        with self.world.transaction() as context:
            door = context.session.get_one(Device, self.door)
            door.state, door.state_at = state, self.world.now


def result(answer, status=200):
    """What is in the envelope of an answer."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] and body["errorMessages"] == [] and body["statusCode"] == status
    return body["result"]


def refused(answer, status):
    """What an error says, in its envelope."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert not body["success"] and body["result"] is None and body["statusCode"] == status
    (text,) = body["errorMessages"]
    return text
