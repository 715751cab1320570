"""Home Assistant's MQTT discovery: a lock, its battery, its door, and who came.

Each share of `domain.homes` has topics and a password of its own. A command becomes an operation
of that share, like one of any other person from afar: the lock's own checks decide.
"""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from firmware.policy.grant import PULL
from firmware.policy.instant import from_unix
from firmware.store import entry
from host_sim import words

from ..domain import credentials, homes, operations, terms
from ..domain.context import Context
from ..domain.errors import DomainError
from ..domain.model import Device, LogEntry, Share
from ..entries import described
from . import topics

PREFIX = "homeassistant"  # Home Assistant's own default
COMMANDS = {b"LOCK": "lock", b"UNLOCK": "unlock", b"OPEN": "pull"}
ALLOWED, DENIED = "allowed", "denied"  # events

_COMPONENTS = {
    "lock": "lock",
    "battery": "sensor",
    "voltage": "sensor",
    "door": "binary_sensor",
    "access": "event",
}
_LOCK_STATES = {0: "UNLOCKED", 1: "LOCKED", 2: "UNLOCKED"}

Publish = Callable[[str, bytes, bool], None]  # topic, payload, whether it is retained


def announce(ctx: Context, device: Device, publish: Publish) -> None:
    """Make a device known where its owner switched that on, and unknown where it ended."""
    for credential in homes.of(ctx, device):
        share = credential.share
        assert share is not None
        if share.ended_at is not None or device.deleted_at is not None:
            for each in _COMPONENTS:
                publish(_config(share, each), b"", True)
            for kept in (topics.HOME_STATE, topics.HOME_PRESENCE):
                publish(topics.of_home(share.uid, kept), b"", True)
            credentials.end(ctx, credential.name)
            continue
        for each, config in discovery(device, share).items():
            publish(_config(share, each), _json(config), True)
        _tell(ctx, device, share, publish)


def discovery(device: Device, share: Share) -> dict[str, dict[str, Any]]:
    """What each component is configured with."""
    state = topics.of_home(share.uid, topics.HOME_STATE)
    every: dict[str, Any] = {
        "availability": [
            {"topic": topics.of_home(share.uid, topics.HOME_PRESENCE)},
            {"topic": topics.ONLINE},
        ],
        "availability_mode": "all",
        "device": {
            "identifiers": [f"sharelock_{device.uid}"],
            "manufacturer": "Sharelock",
            "model": "Sharelock",
            "name": device.name,
        },
        "origin": {"name": "Sharelock cloud", "sw_version": version("sharelock")},
        "qos": 1,
    }
    lock: dict[str, Any] = {
        "name": None,  # that of the device
        "command_topic": topics.of_home(share.uid, topics.COMMAND),
        "payload_lock": "LOCK",
        "payload_unlock": "UNLOCK",
        "state_topic": state,
        "value_template": "{{ value_json.lock }}",
        "json_attributes_topic": state,
        "json_attributes_template": "{{ value_json.attributes | tojson }}",
        "optimistic": False,
        "retain": False,
    }
    if terms.grant(share).rights & PULL:
        lock["payload_open"] = "OPEN"
    measured = {
        "entity_category": "diagnostic",
        "state_class": "measurement",
        "state_topic": state,
    }
    battery = {
        **measured,
        "name": "Battery",
        "device_class": "battery",
        "unit_of_measurement": "%",
        "value_template": "{{ value_json.battery }}",
    }
    voltage = {
        **measured,
        "name": "Battery voltage",
        "device_class": "voltage",
        "unit_of_measurement": "mV",
        "value_template": "{{ value_json.voltage }}",
    }
    door = {
        "name": "Door",
        "device_class": "door",
        "payload_off": "closed",
        "payload_on": "open",
        "state_topic": state,
        "value_template": "{{ value_json.door }}",
    }
    access = {
        "name": "Access",
        "event_types": [ALLOWED, DENIED],
        "state_topic": topics.of_home(share.uid, topics.HOME_EVENT),
    }
    made: dict[str, dict[str, Any]] = {
        "lock": lock,
        "battery": battery,
        "voltage": voltage,
        "door": door,
        "access": access,
    }
    return {
        name: {**every, **config, "unique_id": f"sharelock_{device.uid}_{name}"}
        for name, config in made.items()
    }


def tell(ctx: Context, device: Device, publish: Publish) -> None:
    """The state of a device, to whom it concerns."""
    for credential in homes.of(ctx, device):
        if credential.share is not None and credential.share.ended_at is None:
            _tell(ctx, device, credential.share, publish)


def access(ctx: Context, device: Device, entries: Sequence[LogEntry], publish: Publish) -> None:
    """Decisions that a lock's log told of, in their order."""
    decisions = [
        each
        for each in (described(entry.Entry(row.record)) for row in entries)
        if each["kind"] == entry.KINDS[entry.DECISION]
    ]
    for credential in homes.of(ctx, device):
        if credential.share is None or credential.share.ended_at is not None:
            continue
        topic = topics.of_home(credential.share.uid, topics.HOME_EVENT)
        for each in decisions:
            event = {
                "event_type": DENIED if each["reason"] else ALLOWED,
                "at": each["time"],
                **_who(ctx, device, each["reason"], each["share"]),
            }
            publish(topic, _json(event), False)


def command(ctx: Context, uid: str, payload: bytes, retained: bool, publish: Publish) -> None:
    """Ask the lock on behalf of a share; what is retained may be old, and is refused."""
    action = COMMANDS.get(payload)
    found = credentials.live(ctx.session, uid)
    if action is None or retained or not found or found[0].share is None:
        return
    device, share = found[0].device, found[0].share
    assert share.person is not None
    try:
        operations.ask(ctx, share.person, device, action)
    except DomainError as refused:
        event = {
            "event_type": DENIED,
            "at": words.iso(from_unix(ctx.now)),
            "reason": refused.code,
            "text": str(refused),
            "who": homes.NAME,
        }
        publish(topics.of_home(uid, topics.HOME_EVENT), _json(event), False)
        _tell(ctx, device, share, publish)  # or the button stays as it was pressed


def _tell(ctx: Context, device: Device, share: Share, publish: Publish) -> None:
    said = device.state
    lock = said.get("moving") or _LOCK_STATES.get(said.get("lock", -1))
    state = {
        "lock": "JAMMED" if said.get("jammed") else lock,
        "battery": said.get("battery"),
        "voltage": said.get("battery_mv"),
        "door": said.get("door"),
        "attributes": _who(ctx, device, said.get("reason"), said.get("share")),
    }
    publish(topics.of_home(share.uid, topics.HOME_STATE), _json(state), True)
    presence = b"online" if said.get("connected") else b"offline"
    publish(topics.of_home(share.uid, topics.HOME_PRESENCE), presence, True)


def _who(ctx: Context, device: Device, reason: int | None, uid: str | None) -> dict[str, Any]:
    """A reason in words, and whose share it was about."""
    share = None if uid is None else homes.share_with(ctx, device, uid)
    return {
        "reason": None if reason is None else words.name(reason),
        "text": None if reason is None else words.text(reason),
        "who": None if share is None else (share.person.name if share.person else share.email),
    }


def _config(share: Share, name: str) -> str:
    return f"{PREFIX}/{_COMPONENTS[name]}/{share.uid}/{name}/config"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
