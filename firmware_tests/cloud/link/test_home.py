"""Home Assistant: what it is told, what it may ask, and that it is bound by its share's rules."""

import json
import re

import pytest

from firmware.policy import reasons
from firmware.policy.grant import UNLOCK
from firmware_tests.cloud.native import API, give, ok, refused
from firmware_tests.cloud.street import BOB
from host_sim.cloud.domain.model import Operation, Share
from host_sim.cloud.link import topics

# What Home Assistant documents for MQTT discovery; it refuses a message with any other key.
COMMON = {
    "availability", "availability_mode", "availability_template", "availability_topic",
    "default_entity_id", "device", "enabled_by_default", "encoding", "entity_category",
    "entity_picture", "icon", "json_attributes_template", "json_attributes_topic", "name",
    "origin", "payload_available", "payload_not_available", "platform", "qos", "unique_id",
}  # fmt: skip
KEYS = {
    "lock": COMMON | {
        "code_format", "command_template", "command_topic", "optimistic", "payload_lock",
        "payload_unlock", "payload_open", "payload_reset", "retain", "state_jammed",
        "state_locked", "state_locking", "state_topic", "state_unlocked", "state_unlocking",
        "value_template",
    },
    "sensor": COMMON | {
        "device_class", "expire_after", "force_update", "last_reset_value_template", "options",
        "state_class", "state_topic", "suggested_display_precision", "unit_of_measurement",
        "value_template",
    },
    "binary_sensor": COMMON | {
        "device_class", "expire_after", "force_update", "off_delay", "payload_off", "payload_on",
        "state_topic", "value_template",
    },
    "event": COMMON | {"device_class", "event_types", "state_topic", "value_template"},
}  # fmt: skip
REQUIRED = {
    "lock": {"command_topic"},
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
}
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model",
    "model_id", "name", "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip


def switch_on(owner, door):
    return ok(owner.post(f"{API}/devices/{door}/home-assistant"), 201)


@pytest.fixture
def home(street, anna, door, lock):
    made = switch_on(anna, door)
    street.settle()
    street.hello(lock)
    return made


def press(street, home, payload, retained=False):
    """Home Assistant publishes a command, and the lock takes what comes of it."""
    street.exchange.heard(topics.of_home(home["user"], topics.COMMAND), payload, retained)
    street.settle()


def state(street, home):
    return street.last(topics.of_home(home["user"], topics.HOME_STATE))


def results(street):
    with street.world.transaction() as context:
        return [row.result for row in context.session.query(Operation).order_by(Operation.id)]


def test_it_is_off_until_the_owner_switches_it_on(street, anna, bob, door, lock):
    assert not any(topic.startswith("home") for topic, _, _ in street.published)
    give(anna, door, bob.email, {"level": "admin"})
    assert refused(bob.post(f"{API}/devices/{door}/home-assistant")) == (403, "not-allowed")
    made = switch_on(anna, door)
    shares = ok(anna.get(f"{API}/devices/{door}/shares"))["items"]
    (share,) = [each for each in shares if each["id"] == made["share"]]
    assert share["terms"]["channels"] == ["remote"]
    assert share["terms"]["level"] == "guest"
    assert not street.world.mails(share["email"])
    again = switch_on(anna, door)
    assert (again["share"], again["password"] != made["password"]) == (made["share"], True)


def test_what_it_is_told_is_what_it_documents(street, home):
    configs = {
        topic: json.loads(payload)
        for topic, payload, retained in street.published
        if topic.startswith("homeassistant/") and retained
    }
    assert len(configs) == 5
    for topic, config in configs.items():
        component = topic.split("/")[1]
        assert re.fullmatch(r"homeassistant/\w+/[\w-]+/[\w-]+/config", topic)
        assert set(config) <= KEYS[component] and REQUIRED[component] <= set(config)
        assert set(config["device"]) <= DEVICE and config["device"]["identifiers"]
        assert set(config["origin"]) <= {"name", "sw_version", "support_url"}
        assert config["availability_mode"] == "all"
        for each in config["availability"]:
            assert topics.may_read(home["user"], each["topic"])
        for name in ("state_topic", "json_attributes_topic"):
            assert topics.may_read(home["user"], config.get(name, topics.ONLINE))
        assert topics.may_read(home["user"], topic)
    (lock,) = [config for topic, config in configs.items() if topic.split("/")[1] == "lock"]
    assert topics.may_write(home["user"], lock["command_topic"])
    assert (lock["optimistic"], lock["retain"]) == (False, False)
    assert len({config["unique_id"] for config in configs.values()}) == 5


def shown(config, payload):
    """What a template of the form {{ value_json.NAME }} makes of a payload."""
    found = re.fullmatch(r"{{ value_json\.(\w+)(?: \| tojson)? }}", config)
    assert found is not None
    return json.loads(payload)[found[1]]


def test_it_shows_what_the_lock_says(street, anna, bob, door, lock, home):
    share = give(anna, door, bob.email)["id"]
    street.settle()
    for said, wanted in (
        ("UNLOCKED", "UNLOCKED"),
        ("LOCKING", "LOCKING"),
        ("LOCKED", "LOCKED"),
        ("UNLOCKING", "UNLOCKING"),
        ("JAMMED", "JAMMED"),
        ("PULLED", "UNLOCKED"),
        ("UNKNOWN", None),
    ):
        told = {"lock": said, "battery": 3900, "charge": 63, "door": "open"}
        told |= {"reason": 0, "share": share}
        street.say(lock, topics.STATE, json.dumps(told).encode(), retained=True)
        topic = topics.of_home(home["user"], topics.HOME_STATE)
        payload = [each for where, each, _ in street.published if where == topic][-1]
        configs = {
            where.split("/")[3]: json.loads(each)
            for where, each, _ in street.published
            if where.startswith("homeassistant/")
        }
        assert shown(configs["lock"]["value_template"], payload) == wanted
        assert shown(configs["battery"]["value_template"], payload) == 63
        assert shown(configs["voltage"]["value_template"], payload) == 3900
        assert shown(configs["door"]["value_template"], payload) == configs["door"]["payload_on"]
        attributes = shown(configs["lock"]["json_attributes_template"], payload)
        assert (attributes["who"], attributes["reason"]) == ("Bob", "allowed")


def test_it_shows_who_is_there(street, lock, home):
    topic = topics.of_home(home["user"], topics.HOME_PRESENCE)
    street.go(lock)
    assert [each for where, each, _ in street.published if where == topic][-1] == b"offline"
    street.come(lock)
    assert [each for where, each, _ in street.published if where == topic][-1] == b"online"


def test_a_command_moves_the_bolt(street, lock, home):
    moved = len(lock.hardware.pin.changes)
    press(street, home, b"UNLOCK")
    assert (results(street), len(lock.hardware.pin.changes) > moved) == ([0], True)


def test_a_command_is_bound_by_the_rules_of_its_share(street, anna, door, lock, home):
    terms = {"rights": ["lock"]}
    ok(anna.patch(f"{API}/shares/{home['share']}", json={"terms": terms}))
    street.settle()
    moved = list(lock.hardware.pin.changes)
    press(street, home, b"UNLOCK")
    event = street.last(topics.of_home(home["user"], topics.HOME_EVENT))
    assert (event["event_type"], event["reason"]) == ("denied", "no_right")
    # Nor does the lock let it, should the cloud ask.
    with street.world.transaction() as context:
        row = context.session.query(Share).filter_by(uid=home["share"]).one()
        context.session.add(
            Operation(device=row.device, share=row, action="unlock", asked_at=street.world.now)
        )
        context.touched.add(row.device.id)
    street.settle()
    assert results(street) == [reasons.NO_RIGHT]
    assert lock.hardware.pin.changes == moved


@pytest.mark.parametrize("payload", [b"", b"unlock", b"UNLOCK ", b"\xff", b'{"a": 1}'])
def test_other_words_are_no_commands(street, lock, home, payload):
    press(street, home, payload)
    assert results(street) == []


def test_a_retained_command_is_refused(street, lock, home):
    press(street, home, b"UNLOCK", retained=True)
    assert results(street) == []


def test_an_event_tells_who_came_and_who_did_not(street, anna, bob, door, lock, home):
    share = give(anna, door, bob.email)["id"]
    street.settle()
    lock.knock(BOB, UNLOCK)
    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"rights": ["lock"]}}))
    street.settle()
    lock.knock(BOB, UNLOCK)
    street.say(lock, topics.LOG, lock.export())
    topic = topics.of_home(home["user"], topics.HOME_EVENT)
    events = [json.loads(each) for where, each, _ in street.published if where == topic]
    assert [(each["event_type"], each["who"]) for each in events] == [
        ("allowed", "Bob"),
        ("denied", "Bob"),
    ]
    assert not any(retained for where, _, retained in street.published if where == topic)


@pytest.mark.parametrize("how", ["share", "device"])
def test_it_ends_like_any_share(street, anna, door, lock, home, how):
    path = f"shares/{home['share']}" if how == "share" else f"devices/{door}"
    street.published.clear()
    ok(anna.delete(f"{API}/{path}"), 204)
    street.settle()
    gone = [
        topic
        for topic, payload, retained in street.published
        if topic.startswith("homeassistant/") and retained and not payload
    ]
    assert len(gone) == 5
    press(street, home, b"UNLOCK")
    assert results(street) == []
