"""A line of JSON in, a line of JSON out: the lock as programs on a desk see it.

Imports policy; the lock is handed in. Not for a door: who sends a line says which key was proven,
and nobody checks.

    {"do": "statement", "token": hex}       {"reason": number}
    {"do": "nonce"}                         {"nonce": hex}, for a signed time
    {"do": "act", "key": hex, "action": number, "channel": number, "proven": true}
                                            {"reason": number, "next": Unix seconds or null}

Numbers are those of docs/reasons.md, and of the actions and channels in a grant.
"""

import json
from binascii import hexlify, unhexlify

from ..policy.decision import Request
from ..policy.forecast import next_allowed
from ..policy.instant import to_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Lines:
    """Answers for one lock; `verbs` may be added to. A line that is no request gets `error`."""

    def __init__(self, lock: "Any"):
        self._lock = lock
        self.verbs: "dict[str, Any]" = {
            "statement": self._statement,
            "nonce": self._nonce,
            "act": self._act,
        }

    def answer(self, line: "Any") -> str:
        """Carry out the request in a line, which is text or bytes."""
        try:
            request = json.loads(line)
            answer = self.verbs[request["do"]](request)
        except (ValueError, KeyError, TypeError) as error:
            answer = {"error": repr(error)}
        return json.dumps(answer)

    def _statement(self, request):
        return {"reason": self._lock.accept(unhexlify(request["token"]))}

    def _nonce(self, request):
        return {"nonce": hexlify(self._lock.clock.ask()).decode()}

    def _act(self, request):
        asked = Request(
            unhexlify(request["key"]), request["action"], request["channel"], request["proven"]
        )
        door = self._lock.door
        reason = door.ask(asked)
        at = next_allowed(*door.question(asked)) if reason else None
        return {"reason": reason, "next": None if at is None else to_unix(at)}
