"""Plays a scenario: the cloud signs, the lock decides, and every step becomes a record.

A record is a dict with `kind`; `host_sim.telling` prints them. Nothing here knows a rule: whether
the door opens is the lock's answer, and the scenario only says what it expected.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Zone
from firmware.store.settings import Settings
from host_sim import words
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, MODE_NAMES, iso

from .cloud import tedee
from .cloud.issuer import GrantRefused, issue, revocation_change, settings, sign
from .cloud.keys import PrivateKey, short
from .cloud.terms import TermsError, write_terms
from .grid import WEEK_S, week_start
from .lock.client import LockProcess
from .scenario import (
    BringTable,
    ChangeTable,
    EventTable,
    Scenario,
    ScenarioError,
    ShareTable,
    Step,
    VisitTable,
)

Record = dict[str, Any]
Answered = ShareTable | ChangeTable | VisitTable | BringTable

_TITLES = ("new terms", "the share ends")  # of a change that has none, by whether it revokes


@dataclass
class _Share:
    """A share as the cloud has it."""

    number: int
    version: int
    key: PrivateKey
    request: tedee.NewShare | None = None
    first: bytes = b""  # the token of the first version
    is_live: bool = True


def key_of(name: str) -> PrivateKey:
    """A key that is the same in every run; not for use elsewhere, since anybody can make it."""
    scalar = int.from_bytes(hashlib.sha512(f"simulated {name}".encode()).digest(), "big")
    return PrivateKey.from_scalar(scalar % (2**255) + 1)


def play(scenario: Scenario, runtime: str) -> Generator[Record, None, None]:
    """The records of a scenario, played on a lock on one of `LockProcess`'s runtimes.

    Raises ScenarioError for a file that cannot be played, LockCrashed if the lock dies.
    """
    issuer = key_of("issuer")
    start_s = to_unix(scenario.start)
    with LockProcess(runtime, scenario.lock.id, issuer.public, start_s) as lock:
        yield {
            "kind": "lock",
            "title": scenario.title,
            "lock": scenario.lock.id,
            "zone": scenario.lock.zone,
            "posix": scenario.zone,
            "runtime": runtime,
            "at": iso(scenario.start),
        }
        yield from _Player(scenario, lock, issuer).run()


class _Player:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, lock: LockProcess, issuer: PrivateKey):
        self._scenario = scenario
        self._zone = Zone(scenario.zone)
        self._lock = lock
        self._lock_id = scenario.lock.id.encode()
        self._issuer = issuer
        self._shares: dict[str, _Share] = {}
        self._numbers = 0
        self._network = True
        self._waiting: list[tuple[ShareTable | ChangeTable, Grant | None, bytes]] = []
        self._at = scenario.start
        self._settings = Settings()
        self._settings.zone = scenario.zone

    def run(self) -> Iterator[Record]:
        steps = surprises = 0
        self._set()
        for at, step in self._scenario.steps:
            self._at = at
            for record in self._step(step):
                yield {"at": iso(at), **record}
                steps += "ok" in record
                surprises += not record.get("ok", True)
        yield {"kind": "end", "steps": steps, "surprises": surprises}

    def _step(self, step: Step) -> Iterator[Record]:
        if isinstance(step, ShareTable):
            return self._share(step)
        if isinstance(step, ChangeTable):
            return self._change(step)
        if isinstance(step, VisitTable):
            return self._visit(step)
        if isinstance(step, BringTable):
            return self._bring(step)
        return self._event(step)

    def _ask(self, do: str, **members: Any) -> Any:
        return self._lock.ask(do, to_unix(self._at), **members)

    # --- what the cloud does ---

    def _state(self, token: bytes) -> int:
        """Hand a statement to the lock; the number of its answer."""
        return self._ask("statement", token=token.hex())["reason"]

    def _set(self) -> None:
        """Send the settings in a new version."""
        self._settings.version += 1
        self._state(sign(settings(self._lock_id, self._at, self._settings), self._issuer))

    def _share(self, step: ShareTable) -> Iterator[Record]:
        self._numbers += 1
        share = _Share(self._numbers, 1, key_of(step.who))
        self._shares[step.who] = share
        yield {"kind": "share", "who": step.who, "title": step.title}
        if step.body is not None:
            text = self._text(step.body)
            if step.refused is not None:
                yield from self._refusal(text, step)
                text = _mended(text)
            share.request = self._request(text, step)
        yield from self._issue(step, share)

    def _change(self, step: ChangeTable) -> Iterator[Record]:
        share = self._shares.get(step.who)
        if share is None:
            raise ScenarioError(f"a change for {step.who!r} before there is a share")
        yield {"kind": "change", "who": step.who, "title": step.title or _TITLES[step.revoke]}
        if step.revoke:
            yield from self._revoke(step, share)
            return
        share.version += 1
        if not share.is_live:  # another share for the same phone
            self._numbers += 1
            share.number, share.version, share.is_live = self._numbers, 1, True
        if step.body is not None:
            if share.request is None:
                raise ScenarioError(f"the share of {step.who!r} was not made by a body")
            change = self._read(tedee.read_change, self._text(step.body))
            share.request = share.request.changed(change)
        yield from self._issue(step, share)

    def _text(self, body: str) -> str:
        path = self._scenario.folder / body
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ScenarioError(f"{path} is not UTF-8") from None

    def _refusal(self, text: str, step: ShareTable) -> Iterator[Record]:
        try:
            tedee.read_new(text)
            problem = "nothing"
        except tedee.BadRequest as error:
            problem = str(error)
        ok = problem == step.refused
        yield {"kind": "refused", "body": step.body, "problem": problem, "ok": ok}

    def _request(self, text: str, step: ShareTable) -> tedee.NewShare:
        """The request with an address of this holder: those in print are masked or the same."""
        body = {"deviceId": 1, "accessLevel": step.level, **self._read(tedee.read_json, text)}
        body["userEmail"] = f"{step.who}@example.com"
        return self._read(tedee.read_new, json.dumps(body))

    def _read(self, reader: Callable[[str], Any], text: str) -> Any:
        try:
            return reader(text)
        except tedee.BadRequest as error:
            raise ScenarioError(f"{self._scenario.folder}: {error}") from None

    def _issue(self, step: ShareTable | ChangeTable, share: _Share) -> Iterator[Record]:
        grant = Grant(b"%d" % share.number, self._lock_id, b"")
        grant.version = share.version
        grant.holder = step.who.encode()
        grant.issued = self._at
        try:
            if step.terms is not None:
                step.terms.write(grant, self._zone)
            elif share.request is not None:
                share.request.write_terms(grant)
            token = issue(grant, share.key.public, self._issuer)
        except TermsError as error:
            raise ScenarioError(f"the share of {step.who!r}: {error}") from None
        except GrantRefused as error:
            yield self._outcome("unsigned", step, words.name(error.reason))
            return
        share.first = share.first or token
        yield from self._send(step, grant, token)

    def _revoke(self, step: ChangeTable, share: _Share) -> Iterator[Record]:
        share.is_live = False
        change = revocation_change(self._lock_id, self._at, b"%d" % share.number, share.version)
        yield from self._send(step, None, sign(change, self._issuer))

    def _send(
        self, step: ShareTable | ChangeTable, grant: Grant | None, token: bytes
    ) -> Iterator[Record]:
        self._waiting.append((step, grant, token))
        if self._network:
            yield from self._deliver()
        else:
            yield {"kind": "waiting", "who": step.who}

    def _deliver(self, who: str | None = None) -> Iterator[Record]:
        """Hand over what waits: all of it, or what is for one holder."""
        waiting, self._waiting = self._waiting, []
        for step, grant, token in waiting:
            if who not in (None, step.who) or (who is not None and grant is None):
                self._waiting.append((step, grant, token))
                continue
            reason = words.name(self._state(token))
            share = self._shares[step.who]
            yield {
                **self._outcome("statement", step, reason),
                "share": share.number,
                "version": grant.version if grant else share.version,
                "bytes": len(token),
                "terms": write_terms(grant) if grant else {},
            }
            taken = reason == words.name(reasons.ALLOWED)
            if grant is not None and isinstance(step, ShareTable) and taken:
                yield {"kind": "grid", "who": step.who, **self._grid(grant)}

    def _grid(self, grant: Grant) -> Record:
        """The week that the story begins in, as the lock sees it."""
        start = week_start(self._scenario.start, self._zone)
        spans = self._ask("spans", key=grant.key.hex(), start=to_unix(start), seconds=WEEK_S)
        return {"start": iso(start), "spans": spans["spans"]}

    # --- what happens at the door ---

    def _visit(self, step: VisitTable) -> Iterator[Record]:
        if step.brings:
            yield from self._deliver(step.who)
        answer = self._ask(
            "act",
            key=short(key_of(step.who).public).hex(),
            action=_number(ACTION_NAMES, step.action),
            channel=_number(CHANNEL_NAMES, step.channel),
            proven=step.proven,
        )
        at_s = answer.get("next")
        record = self._outcome("visit", step, words.name(answer["reason"]))
        record["next"] = None if at_s is None else iso(from_unix(at_s))
        if step.next is not None:
            wanted = None if step.next == "never" else iso(self._scenario.instant(step.next))
            record["expected_next"] = wanted
            record["ok"] = record["ok"] and record["next"] == wanted
        if step.bolt is not None:
            record["bolt"] = self._ask("rest")["bolt"]
            record["expected_bolt"] = step.bolt
            record["ok"] = record["ok"] and record["bolt"] == step.bolt
        yield {**record, "action": step.action, "channel": step.channel}

    def _bring(self, step: BringTable) -> Iterator[Record]:
        share = self._shares.get(step.who)
        if share is None or not share.first:
            raise ScenarioError(f"something to bring for {step.who!r} before there is a share")
        token = share.first
        if step.what == "forged":
            token = token[:-1] + bytes([token[-1] ^ 1])
        yield {
            **self._outcome("bring", step, words.name(self._state(token))),
            "what": step.what,
        }

    def _event(self, step: EventTable) -> Iterator[Record]:
        if step.clock is not None:
            self._ask("clock", error_s=None if step.clock == "unknown" else step.clock)
            yield {"kind": "event", "what": "clock", "value": step.clock}
        if step.mode is not None:
            self._settings.mode = MODE_NAMES.index(step.mode)
            self._set()
            yield {"kind": "event", "what": "mode", "value": step.mode}
        if step.network is not None:
            self._network = step.network == "on"
            yield {"kind": "event", "what": "network", "value": step.network}
        if step.courier:
            yield {"kind": "event", "what": "courier", "value": "brings what waits"}
        if self._network or step.courier:
            yield from self._deliver()
        for what in ("hand", "jam", "battery", "power"):
            value = getattr(step, what)
            if value is not None:
                self._ask(what, value=value)
                yield {"kind": "event", "what": what, "value": value}

    @staticmethod
    def _outcome(kind: str, step: Answered, reason: str) -> Record:
        ok = reason == step.expect
        return {"kind": kind, "who": step.who, "reason": reason, "expected": step.expect, "ok": ok}


def _number(names: dict[int, str], name: str) -> int:
    return next(number for number, each in names.items() if each == name)


def _mended(text: str) -> str:
    """A body as its author meant it: with the comma or the braces that it lacks."""
    if text.lstrip().startswith('"'):
        return "{%s}" % text.strip().rstrip(",")
    try:
        tedee.read_json(text)
    except tedee.BadJson as error:
        before = text[: error.position].rstrip()
        return before + "," + text[len(before) :]
    return text
