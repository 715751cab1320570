"""Anna has a lock, and Bob a phone."""

import pytest

from firmware_tests.cloud.native import API, add_lock, ok
from firmware_tests.cloud.street import PHONE, Street


@pytest.fixture
def anna(one_service):
    return one_service.person("anna@example.org")


@pytest.fixture
def bob(one_service):
    made = one_service.person("bob@example.org")
    ok(made.post(f"{API}/phones", json={"name": "phone", "key": (PHONE.x + PHONE.y).hex()}), 201)
    return made


@pytest.fixture
def door(anna):
    return add_lock(anna)


@pytest.fixture
def street(one_service):
    return Street(one_service)


@pytest.fixture
def lock(street, anna, door, tmp_path):
    return street.lock(anna, door, tmp_path / "flash")
