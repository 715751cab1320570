"""A lock to make boards from, a broker with TLS, and somebody who plays the cloud at it."""

import pytest

from firmware_tests.board import Board
from firmware_tests.cloud.brokers import broker as started
from firmware_tests.e2e.given import LOCK, PASSWORD, Cloud
from host_sim.cloud.link import topics
from tools import libraries


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """The flash of a lock without a cloud: to make one takes seconds."""
    libraries.fetch_all()
    board = Board("micropython", tmp_path_factory.mktemp("blank"))
    board.provision(LOCK)
    return board.flash


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with started("mosquitto", tmp_path_factory.mktemp("broker"), {LOCK: PASSWORD}) as at:
        yield at


@pytest.fixture
def cloud(broker):
    with Cloud(broker) as playing:
        yield playing
        for topic in (topics.STATE, topics.PRESENCE, topics.HEAD, topics.STATEMENT):
            playing.say(topic, b"", retain=True)
