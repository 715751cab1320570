"""Cloud, broker, lock and Home Assistant over real MQTT with TLS, on both brokers."""

import json
import time

import pytest

from firmware.policy import reasons
from firmware.policy.grant import UNLOCK
from firmware_tests.cloud.brokers import KINDS, Mqtt, broker
from firmware_tests.cloud.desk_lock import DeskLock
from firmware_tests.cloud.native import API, give, ok
from firmware_tests.cloud.street import BOB
from host_sim.cloud.link import topics
from host_sim.cloud.link.bus import Bus, BusError

PATIENCE_S = 20


class LiveLock(DeskLock):
    """A DeskLock at a broker."""

    def connect(self, at):
        presence = topics.of_lock(self.id, topics.PRESENCE)
        self.mqtt = Mqtt(at, self.id, self.secret, will=(presence, b"offline", 1, True))
        self.mqtt.subscribe(
            topics.of_lock(self.id, topics.STATEMENT), topics.of_lock(self.id, topics.HEAD)
        )
        self.mqtt.publish(presence, b"online", retain=True)
        self.say(topics.HELLO, self.hello())

    def say(self, what, value):
        payload = value if isinstance(value, bytes) else json.dumps(value)
        self.mqtt.publish(topics.of_lock(self.id, what), payload)

    def until(self, done):
        """Take what is told until something is so."""
        until = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, "it never was so"
            if self.mqtt.heard.empty():
                time.sleep(0.01)
                continue
            message = self.mqtt.heard.get()
            if message.topic.endswith(topics.HEAD):
                if json.loads(message.payload)["sequence"] > self.applied:
                    self.say(topics.HELLO, self.hello())
                continue
            assert not message.retain
            self.say(topics.RESULT, self.take(bytes(message.payload)))


@pytest.fixture
def world(one_service):
    one_service.now = int(time.time())
    return one_service


@pytest.fixture(params=KINDS)
def scene(request, world, anna, door, tmp_path):
    """(broker, lock, Home Assistant's enrolment); the service is at the broker."""
    enrolment = ok(anna.post(f"{API}/devices/{door}/enrolment"), 201)
    home = ok(anna.post(f"{API}/devices/{door}/home-assistant"), 201)
    logins = {enrolment["lock"]: enrolment["secret"], home["user"]: home["password"]}
    with broker(request.param, tmp_path / "broker", logins) as at:
        lock = LiveLock(tmp_path / "flash", enrolment, world.now)
        with Bus(at.url, at.ca, world.service.transaction) as bus:
            world.service.news_for = bus.news_for
            lock.connect(at)
            lock.until(lambda: lock.applied > 0)
            yield at, lock, home
            lock.mqtt.close()


def polled(person, operation):
    result = ok(person.get(f"/api/v1.32/my/device/operation/{operation}"))["result"]
    return result["status"], result["result"]


def test_a_share_from_its_making_to_its_end(world, anna, bob, door, scene):
    at, lock, _ = scene
    share = give(anna, door, bob.email)["id"]
    lock.until(lambda: lock.lock.grants.find(BOB))
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    number = ok(anna.get("/api/v1.32/my/lock"))["result"][0]["id"]
    asked = ok(bob.post(f"/api/v1.32/my/lock/{number}/operation/unlock"), 202)
    operation = asked["result"]["operationId"]
    lock.say(topics.HELLO, lock.hello())
    lock.until(lambda: polled(bob, operation)[0] == "COMPLETED")
    assert polled(bob, operation) == ("COMPLETED", 0)
    lock.say(topics.LOG, lock.export())
    lock.until(lambda: lock.lock.log.acknowledged)
    ok(anna.delete(f"{API}/shares/{share}"), 204)
    lock.until(lambda: lock.knock(BOB, UNLOCK) == reasons.UNKNOWN_SHARE)
    lock.until(lambda: ok(anna.get(f"{API}/devices/{door}"))["applied"] == lock.applied)
    events = ok(anna.get(f"{API}/devices/{door}/audit?limit=1000"))["items"]
    decisions = [each for each in events if each["type"] == "sharelock.log.decision"]
    assert [each["data"]["reason"] for each in decisions] == [reasons.ALLOWED] * 2


def test_home_assistant_finds_the_lock_and_opens_it(world, anna, scene):
    at, lock, home = scene
    with Mqtt(at, home["user"], home["password"]) as assistant:
        assistant.subscribe("homeassistant/+/+/+/config", "cloud/online")
        found: dict[str, bytes] = {}
        while len(found) < 6:  # its five parts, and whether the cloud is there
            message = assistant.next()
            found[message.topic] = bytes(message.payload)
        (config,) = [json.loads(v) for t, v in found.items() if t.startswith("homeassistant/lock")]
        assert found["cloud/online"] == b"online"
        assistant.subscribe(config["state_topic"], *(a["topic"] for a in config["availability"]))
        moved = len(lock.hardware.pin.changes)
        lock.say(topics.HELLO, lock.hello())
        lock.until(lock.mqtt.heard.empty)
        assistant.publish(config["command_topic"], config["payload_unlock"])
        lock.until(lambda: len(lock.hardware.pin.changes) > moved)


def test_a_lock_that_vanishes_is_not_connected(world, anna, scene):
    at, lock, _ = scene
    number = ok(anna.get("/api/v1.32/my/lock"))["result"][0]["id"]

    def is_there():
        return ok(anna.get(f"/api/v1.32/my/lock/{number}/sync"))["result"]["isConnected"]

    lock.until(is_there)
    lock.mqtt.vanish()
    until = time.monotonic() + PATIENCE_S
    while is_there():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_service_comes_back_to_a_broker_that_was_away(world, anna, bob, door, tmp_path):
    enrolment = ok(anna.post(f"{API}/devices/{door}/enrolment"), 201)
    logins = {enrolment["lock"]: enrolment["secret"]}
    with broker("embedded", tmp_path / "broker", logins) as at:
        port = at.port
    lock = LiveLock(tmp_path / "flash", enrolment, world.now)
    with Bus(at.url, at.ca, world.service.transaction) as bus:
        world.service.news_for = bus.news_for
        give(anna, door, bob.email)  # while there is no broker
        with broker("embedded", tmp_path / "broker", logins, port) as at:
            lock.connect(at)
            lock.until(lambda: lock.lock.grants.find(BOB))
            lock.mqtt.close()


@pytest.mark.parametrize("url", ["", "http://x", "mqtts://x:y", "broker"])
def test_what_is_no_broker_is_told(world, tmp_path, url):
    with pytest.raises(BusError):
        Bus(url, tmp_path / "ca.pem", world.service.transaction)
