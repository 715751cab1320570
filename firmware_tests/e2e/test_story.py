"""A share from its making to its end: the cloud as a process of its own, with its own broker or
with mosquitto, TLS, and the lock on MicroPython, each as its user starts it."""

import json
import shutil
import signal
import ssl
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from firmware.link.clerk import LOG_AGAIN_S
from firmware.policy import reasons
from firmware.policy.grant import LOCK
from firmware_tests.board import Board
from firmware_tests.cloud.brokers import KINDS, Broker, Mqtt, free_port, running
from firmware_tests.cloud.process import Process
from firmware_tests.cloud.native import API, ok
from firmware_tests.e2e.given import DESK
from firmware_tests.e2e.scene import PATIENCE_S, PHONE_DIGITS, TEDEE, until
from host_sim.cloud.database import connect, transaction
from host_sim.cloud.domain import issuing
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device
from host_sim.cloud.issuers import Issuers
from host_sim.world.network import FINE, REFUSES, Proxy
from tools import libraries
from tools.lockctl.__main__ import main

UNLOCKED, LOCKED = 2, 6  # tedee's numbers
SAME_USE_S = 31  # until another opening is another use
BOB = "bob@example.org"


class Town:
    """Anna has a door, Bob has a phone, and the door has a lock; what is theirs runs."""

    def __init__(self, kind, folder, stack):
        self.data = folder / "cloud"
        self._files = folder / "mosquitto"
        self._port = free_port()  # of MQTT
        self._mosquitto = None
        self._options = ["--port", str(free_port()), "--mqtt-port", str(self._port)]
        self.serve()
        stack.callback(self.stop)
        self.anna = stack.enter_context(self.cloud.person("anna@example.org", "Anna"))
        self.bob = stack.enter_context(self.cloud.person(BOB, "Bob"))
        ok(self.bob.post(f"{API}/phones", json={"name": "phone", "key": PHONE_DIGITS}), 201)
        body = {"name": "Front door", "zone": "Europe/Warsaw"}
        self.device = f"{API}/devices/{ok(self.anna.post(f'{API}/devices', json=body), 201)['id']}"
        self.number = ok(self.anna.get(f"{TEDEE}/my/lock"))["result"][0]["id"]
        if kind == "mosquitto":
            self.cloud.stop()
            self._options += ["--broker", self._write_files()]
            self._mosquitto = stack.enter_context(running(self._files, self._port))
            self.serve()
        self.proxy = stack.enter_context(Proxy(self._port))
        self.board = self._build(folder)
        self.board.on(DESK)
        stack.callback(self.board.off)
        self.at = Broker(self._port, self.data / "tls" / "ca.pem")

    def serve(self):
        """The service is there, again."""
        self.cloud = Process(self.data, *self._options)

    def stop(self):
        """It is not."""
        self.cloud.stop()

    def enrol(self, what):
        """The answer to an enrolment; mosquitto is told of it, as docs/cloud.md says."""
        told = ok(self.anna.post(f"{self.device}/{what}"), 201)
        if self._mosquitto is not None:
            self._write_files()
            self._mosquitto.send_signal(signal.SIGHUP)
        return told

    def _write_files(self):
        words = ["--data", self.data, "--port", self._port, "--host", "127.0.0.1"]
        words = ["cloud", "broker-files", self._files, *words]
        done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
        return done.stdout.strip()

    def _build(self, folder):
        told = self.enrol("enrolment")
        assert told["broker"] == f"mqtts://127.0.0.1:{self._port}"
        web = told["url"].removeprefix("http://")
        cloud = {
            "broker": f"127.0.0.1:{self.proxy.port}",
            "web": web,
            "plain": web,
            "ca": ssl.PEM_cert_to_DER_cert(told["ca"]).hex(),
            "secret": told["secret"],
        }
        board = Board("micropython", folder)
        board.provision(told["lock"], told["issuer"], cloud)
        return board

    @contextmanager
    def offline(self):
        """The lock has no network, which the broker tells the cloud as the lock's last will."""
        until(self.is_connected)
        self.proxy.fault = REFUSES
        self.proxy.drop()
        until(lambda: not self.is_connected())
        yield
        self.proxy.fault = FINE
        until(self.is_connected)

    def sync(self):
        return ok(self.anna.get(f"{TEDEE}/my/lock/{self.number}/sync"))["result"]

    def is_connected(self):
        return self.sync()["isConnected"]

    def state(self):
        said = self.sync()["lockProperties"]
        return said and said["state"]

    def is_up_to_date(self):
        """Whether the cloud thinks so."""
        device = ok(self.anna.get(self.device))
        return device["applied"] == device["sequence"]

    def unlock(self):
        """Bob does, from afar; what became of it."""
        path = f"{TEDEE}/my/lock/{self.number}/operation/unlock"
        number = ok(self.bob.post(path), 202)["result"]["operationId"]

        def completed():
            polled = ok(self.bob.get(f"{TEDEE}/my/device/operation/{number}"))["result"]
            return polled if polled["status"] == "COMPLETED" else None

        return until(completed)["result"]

    def pulses(self):
        """How often the strike had current since the last call."""
        return self.board.happened().count("pin 26 1")

    def audit(self, kind):
        """What the cloud knows of a kind."""
        events = ok(self.anna.get(f"{self.device}/audit?limit=1000"))["items"]
        return [each["data"] for each in events if each["type"] == f"sharelock.{kind}"]


@pytest.fixture(params=KINDS, scope="module")
def town(request, tmp_path_factory):
    libraries.fetch_all()
    with ExitStack() as stack:
        yield Town(request.param, tmp_path_factory.mktemp(request.param), stack)


def days(*ahead):
    """tedee's mask of weekdays, so many from today on."""
    today = datetime.now(UTC).weekday()
    return sum(1 << (today + each) % 7 for each in ahead)


NOW, ANOTHER_DAY = days(0, 1), days(3)


def test_a_share_from_its_making_to_its_end(town):
    board, path = town.board, f"{TEDEE}/my/deviceshare"
    town.pulses()
    body = {"deviceId": town.number, "userEmail": BOB, "accessLevel": 0}
    made = town.anna.post(path, json={**body, "repeatEvent": {"weekDays": NOW}})
    share = ok(made, 201)["result"]["id"]
    until(town.is_up_to_date)
    with town.offline():
        assert board.open() == reasons.ALLOWED
        assert board.open(LOCK) == reasons.ALLOWED
        change = {"id": share, "repeatEvent": {"weekDays": ANOTHER_DAY}}
        assert town.anna.patch(path, json=change).status_code == 204
        assert board.open(LOCK) == reasons.ALLOWED  # it cannot know
    until(town.is_up_to_date)
    with town.offline():
        assert board.open() == reasons.OUTSIDE_RULES
    change = {"id": share, "repeatEvent": {"weekDays": NOW}}
    assert town.anna.patch(path, json=change).status_code == 204
    until(town.is_up_to_date)
    assert town.pulses() == 1

    assert town.unlock() == reasons.ALLOWED
    until(lambda: town.state() == LOCKED)
    assert town.pulses() == 1
    # How often it was used only the lock knows, so it is the lock that refuses.
    (mine,) = ok(town.bob.get(f"{API}/shares"))["items"]
    ok(town.anna.patch(f"{API}/shares/{mine['id']}", json={"terms": {"uses": 1}}))
    until(town.is_up_to_date)
    assert board.open() == reasons.ALLOWED
    until(lambda: town.state() == UNLOCKED)
    assert board.open(LOCK) == reasons.ALLOWED
    board.ask("later", s=SAME_USE_S)
    assert town.unlock() == reasons.USES_SPENT
    assert town.pulses() == 1

    assert town.anna.delete(f"{path}/{share}").status_code == 204
    until(town.is_up_to_date)
    with town.offline():
        assert board.open() == reasons.UNKNOWN_SHARE
    last = board.ask("facts")["log"]
    # What was on its way when the network went is sent again after so long.
    until(lambda: board.ask("facts")["kept"] >= last, LOG_AGAIN_S + PATIENCE_S)
    decisions = [each for each in town.audit("log.decision") if each["share"] == mine["id"]]
    assert [each["reason"] for each in decisions] == [
        *[reasons.ALLOWED] * 3,
        reasons.OUTSIDE_RULES,
        *[reasons.ALLOWED] * 3,
        reasons.USES_SPENT,
    ]
    for amiss in ("gap", "damaged", "went-back", "shorter"):
        assert town.audit(f"log.{amiss}") == []


def test_home_assistant_is_bound_by_its_share(town):
    home = town.enrol("home-assistant")
    until(town.is_up_to_date)
    with Mqtt(town.at, home["user"], home["password"]) as assistant:
        assistant.subscribe("homeassistant/+/+/+/config")
        configs: dict[str, dict] = {}
        while len(configs) < 4:
            message = assistant.next()
            configs[message.topic.split("/")[1]] = json.loads(message.payload)
        assert sorted(configs) == ["binary_sensor", "event", "lock", "sensor"]
        lock, events = configs["lock"], configs["event"]["state_topic"]
        assistant.subscribe(lock["state_topic"], events)
        share = f"{API}/shares/{home['share']}"
        ok(town.anna.patch(share, json={"terms": {"uses": 1}}))
        until(town.is_up_to_date)
        town.pulses()

        assistant.publish(lock["command_topic"], lock["payload_unlock"])
        said = {"lock": "UNLOCKED", "reason": "allowed", "who": "Home Assistant"}
        until(lambda: told(assistant, lock) == said)
        until(lambda: told(assistant, lock) == {**said, "lock": "LOCKED"})
        town.board.ask("later", s=SAME_USE_S)
        assistant.publish(lock["command_topic"], lock["payload_unlock"])
        until(lambda: told(assistant, lock) == {**said, "lock": "LOCKED", "reason": "uses_spent"})

        ok(town.anna.patch(share, json={"terms": {"rules": ["deny mon-sun"]}}))
        assistant.publish(lock["command_topic"], lock["payload_unlock"])
        until(lambda: event(assistant, events)["reason"] == "deny_rule")
        assert town.pulses() == 1
        assert ok(town.anna.delete(share), 204) is None


def told(assistant, lock):
    """What Home Assistant shows of the next state that it hears."""
    message = assistant.next(60)
    if message.topic != lock["state_topic"]:
        return None
    state = json.loads(message.payload)
    attributes = state["attributes"]
    return {"lock": state["lock"], "reason": attributes["reason"], "who": attributes["who"]}


def event(assistant, topic):
    """The next event."""
    while (message := assistant.next(60)).topic != topic:
        continue
    return json.loads(message.payload)


@pytest.mark.parametrize("town", ["embedded"], indirect=True)
def test_a_cloud_that_was_put_back_from_a_copy(town, tmp_path):
    share = ok(town.anna.post(f"{town.device}/shares", json={"email": BOB, "terms": {}}), 201)
    share = f"{API}/shares/{share['id']}"
    until(town.is_up_to_date)
    town.stop()
    shutil.copy(town.data / "cloud.db", tmp_path)
    town.serve()
    ok(town.anna.patch(share, json={"terms": {"rights": ["lock"]}}))
    until(town.is_up_to_date)
    assert town.board.open() == reasons.NO_RIGHT

    town.stop()
    for file in town.data.glob("cloud.db*"):
        file.unlink()
    shutil.copy(tmp_path / "cloud.db", town.data)
    town.serve()
    until(lambda: town.audit("lock.ahead"))
    assert town.board.open() == reasons.NO_RIGHT  # the lock goes on with what it knows
    ok(town.anna.patch(share, json={"terms": {"rights": ["unlock", "lock"], "uses": 9}}))
    until(town.is_up_to_date)
    assert town.board.open() == reasons.ALLOWED
    assert town.board.open(LOCK) == reasons.ALLOWED
    assert town.anna.post(f"{town.device}/resync").status_code == 202
    until(lambda: town.board.ask("facts")["digest"] == digest(town))
    assert ok(town.anna.delete(share), 204) is None
    until(town.is_up_to_date)


def digest(town):
    """What the cloud thinks that the lock holds."""
    engine = connect(f"sqlite:///{town.data / 'cloud.db'}")
    with transaction(engine) as session:
        context = Context(session, 0, Issuers.prepare(town.data / "keys", 0), "")
        found = issuing.digest(context, session.scalars(select(Device)).one()).hex()
    engine.dispose()
    return found
