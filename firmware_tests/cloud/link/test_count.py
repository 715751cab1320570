"""A lock that has nothing learns of a thousand shares by a handful of signatures."""

import pytest

from firmware.crypto import cbor, p256
from firmware.policy import reasons
from firmware_tests.cloud.street import Street
from firmware_tests.cloud.native import add_lock
from host_sim.cloud.domain import organisations, people, phones, sharing, terms
from host_sim.cloud.domain.model import Device, Person
from host_sim.cloud.keys import PrivateKey

SHARES = 1_000
MOST = 25  # verifications


@pytest.fixture
def door(one_service, anna):
    """A device that is shared with a thousand people who have a phone each."""
    made = add_lock(anna)
    with one_service.transaction() as context:
        owner = context.session.query(Person).filter_by(email=anna.email).one()
        device = context.session.query(Device).one()
        for number in range(SHARES):
            email = f"guest{number}@example.org"
            guest = people.expected(context, email, "Guest")
            guest.confirmed_at = context.now
            organisations.found_for(context, guest)
            public = PrivateKey.from_scalar(number + 100).public
            phones.add(context, guest, "phone", public.x + public.y)
            sharing.create(context, owner, device, email, terms.plain(0))
    return made


@pytest.fixture
def verified(monkeypatch):
    """The results of all verifications from now on."""
    found = []
    verifying = p256.verifying

    def counted(*arguments):
        found.append((yield from verifying(*arguments)))
        return found[-1]

    monkeypatch.setattr(p256, "verifying", counted)
    return found


class Silent(Street):
    """Whose locks say nothing, so that nothing is pushed."""

    def hello(self, lock, **other):
        pass


def fetched(service, lock):
    """The lock takes page after page over HTTP."""
    headers = {"Authorization": f"Bearer {lock.secret}"}
    while True:
        path = f"/locks/{lock.id}/changes?after={lock.applied}"
        page = service.http.get(path, headers=headers).content
        tokens = cbor.decode(page, max_bytes=16_384)
        if not tokens:
            return
        assert {lock.lock.accept(token) for token in tokens} == {reasons.ALLOWED}


def test_a_thousand_shares_are_fetched_and_pushed(one_service, anna, door, tmp_path, verified):
    lock = Silent(one_service).lock(anna, door, tmp_path / "first")
    fetched(one_service, lock)
    assert len(list(lock.lock.grants.grants())) == SHARES
    print(f"{SHARES} shares fetched: {len(verified)} verifications")
    assert all(verified) and 0 < len(verified) <= MOST
    verified.clear()
    street = Street(one_service)
    lock = street.lock(anna, door, tmp_path / "second")
    assert len(list(lock.lock.grants.grants())) == SHARES
    assert {each["reason"] for each in street.results} == {reasons.ALLOWED, reasons.TIME_SET}
    print(f"{SHARES} shares pushed: {len(verified)} verifications, time and settings included")
    assert all(verified) and 0 < len(verified) <= MOST
