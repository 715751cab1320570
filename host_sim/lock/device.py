"""The simulated lock: a clock, grants, and answers.

A request is a dict with `do` and the world's time `t` (Unix seconds); the answer is a dict. The
session that proves a phone's key is not simulated here: a request says which key it proved.
"""

from binascii import unhexlify

from firmware.access.intake import Intake
from firmware.crypto.p256 import PublicKey
from firmware.policy import reasons
from firmware.policy.decision import TRUSTED, UNKNOWN, Decision, Now, Request, decide
from firmware.policy.forecast import next_allowed
from firmware.policy.instant import Instant, from_unix, to_unix
from firmware.policy.zone import Zone
from host_sim import words
from host_sim.explain import explain
from host_sim.timeline import timeline
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, MODE_NAMES

from .memory import Memory

_ACTIONS = {name: bit for bit, name in ACTION_NAMES.items()}
_CHANNELS = {name: bit for bit, name in CHANNEL_NAMES.items()}


class Lock:
    """A lock just provisioned: its id, its zone (POSIX TZ), the issuer's key (x, y; 64 bytes)."""

    def __init__(self, lock, zone, issuer):
        self._now = Now(Instant())
        self._zone = Zone(zone)
        self._memory = Memory(lock)
        self._decision = Decision()
        self._time_s = 0
        key = PublicKey(issuer[:32], issuer[32:])
        key.precompute()
        self._intake = Intake(lock, key, self._memory)
        self._verbs = {
            "clock": self._clock,
            "mode": self._mode,
            "statement": self._statement,
            "act": self._act,
            "explain": self._explain,
            "spans": self._spans,
        }

    def answer(self, request):
        """Carry out one request at the world's time that it names."""
        self._time_s = request["t"]
        self._now.at.set(from_unix(self._time_s))
        return self._verbs[request["do"]](request)

    def _clock(self, request):
        """How well it knows the time from now on: `error_s`, None for not at all."""
        error_s = request["error_s"]
        self._now.error_s = error_s or 0
        self._now.trust = UNKNOWN if error_s is None else TRUSTED
        return {}

    def _mode(self, request):
        self._memory.mode = MODE_NAMES.index(request["mode"])
        return {}

    def _statement(self, request):
        """Take in a signed statement, in hexadecimal; tells why not."""
        return {"reason": words.name(self._intake.accept(unhexlify(request["token"])))}

    def _act(self, request):
        """Unlock, lock or pull if it is allowed; otherwise tell why not, and when."""
        question = self._question(request)
        decision = self._decision
        decide(*question)
        answer = {"allowed": decision.allowed, "reason": words.name(decision.reason)}
        if decision.allowed:
            self._memory.record(decision, self._time_s)
        else:
            instant = next_allowed(*question)
            answer["next"] = None if instant is None else to_unix(instant)
        return answer

    def _explain(self, request):
        steps = explain(*self._question(request))
        return {"steps": [[step.name, _name(step.reason), step.seen] for step in steps]}

    def _spans(self, request):
        """When time allows a key, for `seconds` from `start` on: [offset, length] each."""
        grant = self._memory.find(unhexlify(request["key"]))
        state = self._memory.state_at(grant, self._time_s)
        start = from_unix(request["start"])
        spans = timeline(grant, start, self._zone, state, request["seconds"], self._decision)
        return {"spans": [[o, n] for o, n, reason in spans if reason == reasons.ALLOWED]}

    def _question(self, request):
        key = unhexlify(request["key"])
        grant = self._memory.find(key)
        action, channel = _ACTIONS[request["action"]], _CHANNELS[request["channel"]]
        asked = Request(key, action, channel, request["proven"])
        state = self._memory.state_at(grant, self._time_s)
        return grant, asked, self._now, self._zone, state, self._decision


def _name(reason):
    return None if reason is None else words.name(reason)
