"""Resumption: what lets a known phone skip the handshake, good for one visit and then forgotten.

Imports crypto. Each step yields an id, by which the phone names it openly, and a key for one
visit; nobody can go back, so what was said under earlier steps stays secret whatever is found
later. The phone goes on with each attempt, the lock with each that arrives. The lock looks AHEAD
steps on, for attempts that got lost.
"""

from ..crypto.cose import KID_BYTES
from ..crypto.kdf import hkdf_expand
from .session import KEY_BYTES

SECRET_BYTES = 32
ID_BYTES = 8
AHEAD = 4
MOST_PLACES = 16

_STEP = b"step"


class Ratchet:
    """The steps from a secret that both sides have."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def step(self) -> "tuple[bytes, bytes]":
        """The next step's id and key."""
        out = hkdf_expand(self.secret, _STEP, SECRET_BYTES + ID_BYTES + KEY_BYTES)
        self.secret = out[:SECRET_BYTES]
        return out[SECRET_BYTES:-KEY_BYTES], out[-KEY_BYTES:]


class Place:
    """What the lock keeps of one phone: its key's thumbprint and `point`, and the next steps."""

    def __init__(self, key: bytes, point: bytes, secret: bytes) -> None:
        self.key = key
        self.point = point
        self.steps: "list[tuple[bytes, bytes]]" = []
        self._ratchet = Ratchet(secret)

    def refill(self) -> bool:
        """One step more; False if there are enough."""
        if len(self.steps) == AHEAD:
            return False
        self.steps.append(self._ratchet.step())
        return True


class Places:
    """The phones that were here, in RAM; the one that was not here for longest makes room."""

    def __init__(self) -> None:
        self._places: "list[Place]" = []

    def keep(self, place: Place) -> None:
        """From now on this one, instead of any other of the same key."""
        self.forget(place.key)
        if len(self._places) == MOST_PLACES:
            self._places.pop(0)
        self._places.append(place)

    def forget(self, key: bytes) -> None:
        """Nothing is kept of a key any more."""
        for place in self._places:
            if place.key == key:
                self._places.remove(place)
                return

    def find(self, step: bytes) -> "tuple[Place, int] | None":
        """Whose step this is, and how far ahead."""
        for place in self._places:
            for ahead in range(len(place.steps)):
                if place.steps[ahead][0] == step:
                    return place, ahead
        return None

    def point_of(self, kid: bytes) -> "bytes | None":
        """The point of the key with an id, the start of its thumbprint."""
        for place in self._places:
            if place.key[:KID_BYTES] == kid:
                return place.point
        return None

    def used(self, place: Place, ahead: int) -> None:
        """This step and those before it are over."""
        del place.steps[: ahead + 1]
        self._places.remove(place)
        self._places.append(place)

    def refill(self) -> bool:
        """One step more for one of them; False if there is nothing to do."""
        for place in self._places:
            if place.refill():
                return True
        return False
