"""A phone's account at a share cloud: its key there, what it fetches for locks and hands in.

`ask(method, path, **options)` is the answer of the cloud as JSON, None where there is nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

from .pocket import Pocket

API = "/api/native/v1"

Ask = Callable[..., Any]


class Account:
    """For whoever is logged in behind `ask`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def introduce(self, pocket: Pocket, name: str) -> None:
        """Tell the cloud of the phone's key; grants are for a key."""
        body = {"name": name, "key": pocket.wallet.point.hex()}
        pocket.phone = self._ask("POST", f"{API}/phones", json=body)["id"]

    def fetch(self, pocket: Pocket) -> Iterator[tuple[str, str]]:
        """Get all grants for this phone, and news for their locks; their ids and names.

        What is carried of logs is handed in first. A lock that never said its key is left out:
        nobody could tell it from another.
        """
        said = {lock: self.hand_in(pocket, lock) for lock in pocket.wallet.locks}
        for device in self._devices():
            path = f"{API}/devices/{device['id']}"
            grant = self._ask("GET", f"{path}/grant", params={"phone": pocket.phone})
            if grant is None or grant["key"] is None:
                continue
            known = pocket.wallet.know(grant["lock"], bytes.fromhex(grant["key"]))
            place = pocket.place(grant["lock"])
            place.name, place.device = device["name"], device["id"]
            token = _bytes(grant["token"])
            known.statements = [] if place.grant == token.hex() else _statements(grant)
            # The lock itself knows better than the cloud, if this phone brought it news.
            news = self._news(path, max(device["applied"], place.applied))
            place.news = [each.hex() for each in (*said.get(grant["lock"], ()), *news)]
            yield grant["lock"], place.name

    def time(self, device: str, nonce: bytes) -> list[bytes]:
        """The time for a lock, in answer to its nonce."""
        body = {"nonce": nonce.hex()}
        return _statements(self._ask("POST", f"{API}/devices/{device}/time", json=body))

    def hand_in(self, pocket: Pocket, lock: str) -> list[bytes]:
        """Give the cloud what is carried of a log; its word that it has it, for the lock."""
        path = f"{API}/devices/{pocket.place(lock).device}/log"
        carried = pocket.wallet.locks[lock].carried
        said: list[bytes] = []
        while carried:
            answer = self._ask("POST", path, json={"log": _text(carried[0])})
            said = [] if answer is None else _statements(answer)
            carried.pop(0)
            pocket.save()
        return said

    def _devices(self) -> Iterator[dict[str, Any]]:
        query: dict[str, Any] = {"limit": 1000}
        while True:
            page = self._ask("GET", f"{API}/devices", params=query)
            yield from page["items"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def _news(self, path: str, applied: int) -> Iterator[bytes]:
        """What the lock lacks, as far as this person may carry it."""
        changes = self._ask("GET", f"{path}/changes", params={"after": applied})
        if changes is not None and changes["batches"]:
            for token in (changes["issuer"], *changes["batches"]):
                if token is not None:
                    yield _bytes(token)
        yield from _statements(self._ask("GET", f"{path}/settings"))


def _statements(answer: dict[str, Any]) -> list[bytes]:
    """The statement in an answer, after the root's for who signed it, if there is one."""
    return [_bytes(answer[each]) for each in ("issuer", "token") if answer[each] is not None]


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
