"""One house for all tests of a module, as it was before each of them; and a browser."""

import pytest

from host_sim.cloud.terms import Terms
from host_sim.house import people
from firmware_tests.house import running
from firmware_tests.web.conftest import browser, page  # noqa: F401  # fixtures


@pytest.fixture(scope="module")
def started():
    with running() as made:
        yield made


@pytest.fixture
def home(started):
    yield started
    house = started.house
    for name in list(house.faults.on):
        started.do(house.faults.set(name, False))
    started.do(house.run_time(1))
    for phone in house.phones.values():
        phone.is_online = True
    if house.faults.revoked:
        people.share(house.cloud, people.OWNER, house.device, house.faults.revoked, Terms())
        house.faults.revoked = ""
        assert started.do(house.settled())
