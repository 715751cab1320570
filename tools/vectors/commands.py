"""Commands from afar as signed tokens, in runs, with what a lock must say and do.

Put together by hand like the other statements; nothing of the firmware is used. The n-th challenge
of the test's lock is the number n in 16 digits.
"""

import json
from collections.abc import Iterator
from typing import Any

from .grants import LOCK, NOON_S, OLDEST_S, coordinates
from .statements import COMMAND, Change, grant, says, signed

UNLOCK, LOCK_IT, PULL = 1, 2, 4

Step = tuple[bytes, str, int]  # token, reason, seconds to wait before
Run = tuple[str, list[Step]]


def _challenge(number: int) -> bytes:
    return b"%016d" % number


def _command(
    number: int, action: Any = UNLOCK, share: Any = b"share-1", alien: Any = None, **more: Any
) -> Change:
    terms = {0: action, 1: more.pop("challenge", _challenge(number)), 2: alien}
    present = {label: value for label, value in terms.items() if value is not None}
    return says(COMMAND, present, **{"cti": share, **more})


def _step(change: Change, reason: str, wait_s: int = 0) -> Step:
    return signed(change), reason, wait_s


def _runs() -> Iterator[Run]:
    held = _step(grant(None, 1), "allowed")
    yield (
        "each challenge is good for one command",
        [
            _step(_command(1), "unknown_share"),
            held,
            _step(_command(1), "challenge_used"),
            _step(_command(3), "old_challenge"),
            _step(_command(2), "allowed"),
            _step(_command(2), "challenge_used"),
            _step(_command(2, LOCK_IT), "challenge_used"),
            _step(_command(3, PULL), "allowed"),
            _step(_command(2), "old_challenge"),
            _step(_command(4, LOCK_IT), "allowed"),
        ],
    )
    yield (
        "a challenge lasts for a minute",
        [
            held,
            _step(_command(1), "old_challenge", 62),
            _step(_command(2), "allowed", 50),
            _step(_command(3), "allowed", 50),
        ],
    )
    yield (
        "the lock's own checks say what the share may do",
        [
            _step(grant(None, 1, rights=LOCK_IT), "allowed"),
            _step(grant(None, 2, channels=1), "allowed"),
            _step(grant(None, 3, uses=1), "allowed"),
            _step(grant(None, 4, rules=[[0, 31, 28_800, 57_600]]), "allowed"),
            _step(_command(1), "no_right"),
            _step(_command(1), "challenge_used"),
            _step(_command(2, share=b"share-2"), "channel_closed"),
            _step(_command(3, share=b"share-3"), "allowed"),
            _step(_command(4, share=b"share-3"), "uses_spent", 40),
            _step(_command(5, share=b"share-4"), "clock_unknown"),
        ],
    )
    yield (
        "commands with a fault",
        [
            held,
            *(
                _step(change, reason)
                for change, reason in (
                    (_command(1, aud="back-door"), "other_lock"),
                    (_command(1, aud=None), "malformed"),
                    (_command(1, iat=None), "malformed"),
                    (_command(1, iat=OLDEST_S - 1), "bad_dates"),
                    (_command(1, share=None), "malformed"),
                    (_command(1, share="share-1"), "malformed"),
                    (_command(1, share=b""), "bad_id"),
                    (_command(1, share=b"s" * 17), "bad_id"),
                    (_command(1, None), "malformed"),
                    (_command(1, True), "malformed"),
                    (_command(1, 0), "bad_action"),
                    (_command(1, UNLOCK | LOCK_IT), "bad_action"),
                    (_command(1, 8), "bad_action"),
                    (_command(1, 2**40), "bad_action"),
                    (_command(1, -1), "bad_action"),
                    (_command(1, challenge=None), "malformed"),
                    (_command(1, challenge=1), "malformed"),
                    (_command(1, challenge=b""), "old_challenge"),
                    (_command(1, challenge=_challenge(1)[:15]), "old_challenge"),
                    (_command(1, alien=0), "critical_unknown"),
                )
            ),
            (signed(_command(1), "thief"), "unknown_issuer", 0),
            _step(_command(1), "allowed"),
        ],
    )
    yield (
        "a command does not tell a lock the time, but a bound of it",
        [held, _step(_command(1, iat=NOON_S + 3600), "allowed")],
    )


def files() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of the one file."""
    runs = []
    for name, steps in _runs():
        lines = ",\n".join(
            json.dumps({"wait_s": wait_s, "token": token.hex(), "reason": why})
            for token, why, wait_s in steps
        )
        runs.append(f'{{"name": {json.dumps(name)}, "steps": [\n{lines}\n]}}')
    head = {"lock": LOCK, "issuer": b"".join(coordinates("issuer")).hex()}
    text = ",\n".join(runs)
    yield "commands.json", f'{json.dumps(head)[:-1]}, "runs": [\n{text}\n]}}\n'
