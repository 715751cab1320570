"""What travels in the house, decoded: frames over Bluetooth, messages over MQTT, requests.

Imports the firmware's link and the cloud's notation. What is sealed stays so; what was inside of a
frame the phone tells, which is one of the two that know.
"""

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, NamedTuple

import cbor2

from firmware.link import requests, session
from firmware.link.clerk import BOLT_NAMES, DOOR_NAMES
from firmware.link.frames import FrameError, Joiner
from firmware.policy.instant import from_unix
from firmware.store import entry
from firmware.store.export import HEAD_BYTES, HeadError, read_head
from host_sim import words
from host_sim.cloud.link import topics
from host_sim.cloud.notation import notation, read_statement
from host_sim.phone.session import Verdict
from host_sim.words import ACTION_NAMES, iso

from .events import Event

WIRES = ("ble", "mqtt", "http")
_MESSAGES = {
    session.GREETING: "greeting",
    session.START_OVER: "start over",
    session.MESSAGE_1: "EDHOC message 1",
    session.MESSAGE_2: "EDHOC message 2",
    session.MESSAGE_3: "EDHOC message 3",
    session.MESSAGE_4: "EDHOC message 4",
    session.ERROR: "EDHOC error",
    session.RESUME: "resumption",
    session.FRAME: "sealed frame",
    session.GREET: "another greeting, please",
}
_EDHOC = {
    session.MESSAGE_1: ("METHOD", "SUITES_I", "G_X", "C_I", "EAD_1"),
    session.MESSAGE_2: ("G_Y, CIPHERTEXT_2",),
    session.MESSAGE_3: ("CIPHERTEXT_3",),
    session.MESSAGE_4: ("CIPHERTEXT_4",),
    session.ERROR: ("ERR_CODE", "ERR_INFO"),
}
_ITEMS = {
    requests.ACT: "act",
    requests.EXPLAIN: "explain",
    requests.PUT: "statement",
    requests.NONCE: "nonce",
    requests.STATUS: "status",
    requests.LOG: "log",
    requests.CARRY: "carry the log",
}

Members = dict[str, str]


class Line(NamedTuple):
    """One message: which way it went, what it is, and what is in it."""

    number: int
    at_s: int
    wire: str
    way: str
    title: str
    size: int
    members: Members


def read(events: Iterable[Event]) -> list[Line]:
    """The messages in events, oldest first."""
    lines: list[Line] = []
    air = _Air()
    for event in events:
        if event.kind == "ble":
            lines += air.take(event)
        elif event.kind == "mqtt":
            lines.append(_mqtt(event))
        elif event.kind == "http":
            lines.append(_http(event))
    return lines


# --- Bluetooth -----------------------------------------------------------------------------------


class _Air:
    """Joins the pieces of each connection."""

    def __init__(self) -> None:
        self._joiners: dict[tuple[int, str], Joiner] = {}

    def take(self, event: Event) -> Iterator[Line]:
        what = event.what["what"]
        if what == "inside":
            yield _inside(event)
            return
        link = event.what["link"]
        if what in ("connected", "disconnected"):
            self._joiners[link, "written"] = Joiner()
            self._joiners[link, "notify"] = Joiner()
            yield Line(event.number, event.at_s, "ble", "", f"a phone {what}", 0, {})
            return
        joiner = self._joiners.get((link, what))
        if joiner is None:  # how it began is forgotten
            return
        way = "phone to lock" if what == "written" else "lock to phone"
        try:
            for message in joiner.join(bytes.fromhex(event.what["value"])):
                title = _MESSAGES.get(message[0], f"message {message[0]}") if message else "empty"
                members = _sequence(message)
                yield Line(event.number, event.at_s, "ble", way, title, len(message), members)
        except FrameError:
            yield Line(event.number, event.at_s, "ble", way, "no frame", 0, {})


def _sequence(message: bytes) -> Members:
    """The members of a message, as far as whoever overhears it can tell."""
    if not message:
        return {}
    kind, content = message[0], message[1:]
    if kind not in _EDHOC:
        return {"content": content.hex()} if content else {}
    members: Members = {}
    file = BytesIO(content)
    for name in _EDHOC[kind]:
        try:
            members[name] = notation(cbor2.load(file))
        except cbor2.CBORDecodeError:
            break
    return members


def _inside(event: Event) -> Line:
    what = event.what
    item, asked, answered = what["item"], bytes.fromhex(what["asked"]), what["answered"]
    answer = bytes.fromhex(answered)
    members: Members = {}
    if item in (requests.ACT, requests.EXPLAIN):
        members["action"] = ACTION_NAMES.get(asked[0], str(asked[0]))
        members |= _verdict(answer)
    elif item == requests.PUT:
        kind, claims = read_statement(asked) or ("no statement", {})
        members = {"kind": kind, **claims, "answer": words.name(answer[0])}
    elif item == requests.STATUS and answer:
        members = {"bolt": BOLT_NAMES[answer[0]], "door": str(DOOR_NAMES[answer[1]])}
    else:
        members["answer"] = answered or "nothing"
    members["handshakes"] = str(what["handshakes"])
    title = f"inside: {_ITEMS.get(item, item)}"
    way = f"{what['who']} and the lock"
    return Line(event.number, event.at_s, "ble", way, title, len(asked) + len(answer), members)


def _verdict(answer: bytes) -> Members:
    verdict = Verdict(answer)
    if verdict.reason is None:
        return {"answer": "nothing, to a stranger"}
    members = {"answer": words.name(verdict.reason)}
    if verdict.next_s is not None:
        members["next"] = iso(from_unix(verdict.next_s))
    return members


# --- MQTT and HTTP -------------------------------------------------------------------------------


def _mqtt(event: Event) -> Line:
    what = event.what
    payload = bytes.fromhex(what["payload"])
    way = "cloud to broker" if what["by"] == "cloud" else "broker to cloud"
    title = what["topic"] + (" (retained)" if what["retain"] else "")
    members = _log(payload) if what["topic"].endswith(topics.LOG) else _content(payload)
    return Line(event.number, event.at_s, "mqtt", way, title, len(payload), members)


def _http(event: Event) -> Line:
    what = event.what
    asked, answered = bytes.fromhex(what["asked"]), bytes.fromhex(what["answered"])
    way = "lock to cloud" if what["path"].startswith("/locks/") else "phone to cloud"
    title = f"{what['method']} {what['path']}: {what['status']}, {what['ms']} ms"
    members = {f"asked: {name}": text for name, text in _content(asked).items()}
    members |= {f"answered: {name}": text for name, text in _content(answered).items()}
    return Line(event.number, event.at_s, "http", way, title, len(asked) + len(answered), members)


def _content(payload: bytes) -> Members:
    """A statement, an object of JSON, text, or bytes."""
    if not payload:
        return {}
    statement = read_statement(payload)
    if statement is not None:
        return {"kind": statement[0], **statement[1]}
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return {"bytes": payload.hex()}
    try:
        content: Any = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, dict):
        return {name: _named(name, value) for name, value in content.items()}
    return {"text": text}


def _named(name: str, value: Any) -> str:
    """A member of a message; a reason by its name."""
    if name == "reason" and isinstance(value, int):
        return words.name(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _log(export: bytes) -> Members:
    """Entries of a lock's log."""
    try:
        after, _ = read_head(export[:HEAD_BYTES])
    except HeadError:
        return {"bytes": export.hex()}
    members = {"after": str(after)}
    for at in range(HEAD_BYTES, len(export) - entry.BYTES + 1, entry.BYTES):
        each = entry.Entry(export[at : at + entry.BYTES])
        kind = entry.KINDS.get(each.kind, str(each.kind))
        members[str(each.sequence)] = f"{kind} {words.name(each.reason)}"
    return members
