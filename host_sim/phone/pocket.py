"""What a phone has on it, in a file that only its owner reads: the wallet, and what it carries.

Imports its siblings. Whoever has it open has it alone; a step of a ratchet that was taken twice
would be a nonce that was used twice.
"""

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from firmware.crypto import ecdh
from firmware.crypto.slices import finish

from .wallet import KnownLock, Wallet


class PocketError(Exception):
    """The file is not what it should be; the message is for people."""


@dataclass
class Place:
    """A lock as its people know it: a name, and the id of its device at the cloud if it is there.

    `grant` is the newest that the lock took, `news` are statements for it that can wait, and
    `applied` is how many changes it had when it was asked last.
    """

    name: str
    device: str = ""
    grant: str = ""
    news: list[str] = field(default_factory=list)
    applied: int = 0


class Pocket:
    """The file, as a context manager; `save` it after each change.

    `phone` is the id of the key at the cloud, empty if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard: TextIO
        self.wallet: Wallet
        self.phone = ""
        self.places: dict[str, Place] = {}

    @classmethod
    def make(cls, path: Path) -> "Pocket":
        """A phone with a new key. Raises PocketError if there is one already."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        pocket = cls(path)
        scalar = ecdh.scalar_of(os.urandom(ecdh.SEED_BYTES))
        pocket.wallet = Wallet(scalar, finish(ecdh.public(scalar, os.urandom)))
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(pocket._members(), file)
        except FileExistsError:
            raise PocketError(f"{path} is there already; a key is never overwritten") from None
        return pocket

    def __enter__(self) -> Self:
        if not self._path.exists():
            raise PocketError("this phone has no key yet: lockctl phone new")
        self._guard = self._beside(".lock").open("a")
        fcntl.flock(self._guard, fcntl.LOCK_EX)
        try:
            self._read(json.loads(self._path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError):
            self._guard.close()
            raise PocketError(f"{self._path} is damaged") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._guard.close()

    def save(self) -> None:
        """Write what there is now; after a loss of power it is this or what was there before."""
        fresh = self._beside(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._members(), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def lock(self, name: str | None) -> tuple[str, KnownLock]:
        """The lock with an id or a name, or the only one. Raises PocketError."""
        found = [lock for lock in self.wallet.locks if name in (None, lock, self.place(lock).name)]
        if len(found) == 1:
            return found[0], self.wallet.locks[found[0]]
        known = ", ".join(sorted(self.place(lock).name for lock in self.wallet.locks)) or "none"
        if name is None or found:
            raise PocketError(f"which lock? There are: {known}")
        raise PocketError(f"there is no lock {name!r}; there are: {known}")

    def place(self, lock: str) -> Place:
        """What is known of a lock beside its key."""
        return self.places.setdefault(lock, Place(lock))

    def _members(self) -> dict[str, Any]:
        places = {lock: vars(place) for lock, place in self.places.items()}
        return {"phone": self.phone, "wallet": self.wallet.as_dict(), "places": places}

    def _read(self, members: dict[str, Any]) -> None:
        self.wallet = Wallet.of(members["wallet"])
        self.phone = members["phone"]
        self.places = {lock: Place(**place) for lock, place in members["places"].items()}
