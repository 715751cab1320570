"""A broker with TLS, and somebody who speaks for the cloud over it."""

import pytest

from firmware_tests.e2e.mosquitto import Authority, Cloud, Mosquitto, needed
from tools import libraries


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    needed()
    libraries.fetch_all()
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def broker(authority, tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker"), authority.server("broker")) as started:
        yield started


@pytest.fixture
def cloud(broker, authority):
    with Cloud(broker.port, authority) as started:
        yield started
        for topic in ("state", "online", "head", "down/statement"):
            started.say(topic, b"", retain=True)
