"""A person's phone: what `lockctl phone` does at a door and at the cloud, in the house.

Imports the phone, the radio and its siblings.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from bumble.link import LocalLink

from firmware.link import requests
from firmware.policy import reasons
from firmware.policy.grant import LOCK, PULL, UNLOCK
from host_sim import words
from host_sim.phone.account import Account
from host_sim.phone.link import RadioError
from host_sim.phone.pocket import Pocket
from host_sim.phone.session import Failed, Verdict, Visit
from host_sim.phone.visit import ERRAND, Item, bring, put_away
from host_sim.shims.cryptolib import aes

from .near import Near

ACTIONS = {"unlock": UNLOCK, "lock": LOCK, "pull": PULL}
_TIMEOUT_S = 20
_NOT_FOR_YOU = (403, 404)

Hear = Callable[..., None]


class Came(NamedTuple):
    """How a visit ended: `reason` is None for a stranger, and if nobody answered; then `trouble`
    says why. `next_s` is when it would be allowed, `refused` the lock's answers to statements, and
    `brought` how many of them there were."""

    reason: int | None
    next_s: int | None = None
    trouble: str = ""
    refused: tuple[int, ...] = ()
    brought: int = 0

    @property
    def verdict(self) -> str:
        """How it ended, in a word or two."""
        if self.trouble:
            return "no answer"
        return "allowed" if is_yes(self.reason) else "denied"

    @property
    def text(self) -> str:
        """Why, in a sentence; for a yes, what the lock said."""
        if self.trouble:
            return f"{self.trouble[0].upper()}{self.trouble[1:]}."
        if self.reason is None:
            return "The lock does not know this phone."
        return words.text(self.reason)


def is_yes(reason: int | None) -> bool:
    """Whether that is a yes: allowed, or that something happened, as that the time is set."""
    return reason is not None and (reason == reasons.ALLOWED or reason >= reasons.TIME_SET)


class Phone:
    """One phone of somebody with a personal key, `token`, for the cloud at `url`, for one lock.

    `hear(what, **members)` is told what is asked and answered inside of visits.
    """

    def __init__(self, folder: Path, air: LocalLink, url: str, token: str, hear: Hear):
        self._file = folder / "phone.json"
        self._pocket = Pocket.make(self._file)
        self._air = air
        self._hear = hear
        self._guard = asyncio.Lock()
        headers = {"Authorization": f"PersonalKey {token}"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)
        self._account = Account(self._ask)
        self.is_online = True
        self.point = self._pocket.wallet.point

    def close(self) -> None:
        """Switch it off."""
        self._http.close()

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        if not self.is_online:
            raise httpx2.ConnectError("this phone has no network")
        answer = self._http.request(method, path, **options)
        if answer.status_code in _NOT_FOR_YOU:
            return None
        answer.raise_for_status()
        return answer.json() if answer.content else None

    # --- the cloud ------------------------------------------------------------------------------

    async def introduce(self, name: str) -> None:
        """Tell the cloud of the phone's key."""
        await asyncio.to_thread(self._introduce, name)

    def _introduce(self, name: str) -> None:
        with self._pocket as pocket:
            self._account.introduce(pocket, name)
            pocket.save()

    async def fetch(self) -> bool:
        """Get grants and news, hand in what was carried; False if the cloud does not answer."""
        async with self._guard:
            return await self._fetch()

    async def _fetch(self) -> bool:
        try:
            await asyncio.to_thread(self._exchange)
        except httpx2.HTTPError:
            return False
        return True

    def _exchange(self) -> None:
        with self._pocket as pocket:
            list(self._account.fetch(pocket))
            pocket.save()

    # --- the door -------------------------------------------------------------------------------

    async def visit(self, lock: str, action: str) -> Came:
        """Ask the lock with an id for one of ACTIONS, with what the phone has or gets of it."""
        async with self._guard:
            await self._fetch()
            asked = (requests.ACT, bytes([ACTIONS[action]]))
            brought = self._lacking(lock)
            answers, refused, trouble = await self._come(lock, [asked])
            if trouble:
                return Came(None, None, trouble)
            verdict = Verdict(answers[0][1])
            return Came(verdict.reason, verdict.next_s, "", tuple(refused), brought)

    def _lacking(self, lock: str) -> int:
        """How many statements it has that the lock never got from it."""
        with self._pocket as pocket:
            known = pocket.wallet.locks.get(lock)
            return len(known.statements) if known else 0

    def know(self, lock: str, key: bytes) -> None:
        """Learn who the lock with an id is, as the cloud would tell it."""
        with self._pocket as pocket:
            pocket.wallet.know(lock, key)
            pocket.save()

    async def bring(self, lock: str, *tokens: bytes) -> list[int]:
        """What the lock says to statements; nothing if nobody answers."""
        async with self._guard:
            answers, _, _ = await self._come(lock, [(requests.PUT, token) for token in tokens])
            return [answer[0] for _, answer in answers]

    async def carry(self, lock: str) -> Came:
        """Bring the lock all news that the phone has, and the time if it asks.

        Takes its log along.
        """
        async with self._guard:
            await self._fetch()
            with self._pocket as pocket:
                news = [bytes.fromhex(each) for each in pocket.place(lock).news]
            asked = [(requests.PUT, token) for token in news]
            answers, _, trouble = await self._come(lock, [*asked, *ERRAND])
            if trouble:
                return Came(None, None, trouble)
            brought = answers[: len(asked)]
            with self._pocket as pocket:
                nonce = put_away(pocket, lock, answers[len(asked) :])
            if nonce and self.is_online:
                brought += await self._bring_time(lock, nonce)
            await self._fetch()
            said = [answer[0] for _, answer in brought]
            reason = said[0] if said else reasons.ALLOWED
            return Came(reason, refused=tuple(each for each in said if not is_yes(each)))

    async def _bring_time(self, lock: str, nonce: bytes) -> list[Item]:
        """What the lock says to the cloud's answer to its nonce."""
        with self._pocket as pocket:
            device = pocket.place(lock).device
        try:
            signed = await asyncio.to_thread(self._account.time, device, nonce)
        except httpx2.HTTPError:
            return []
        answers, _, _ = await self._come(lock, [(requests.PUT, token) for token in signed])
        return answers

    async def _come(self, lock: str, items: list[Item]) -> tuple[list[Item], list[int], str]:
        """One connection: the answers, what the lock refused, and what went wrong."""
        with self._pocket as pocket:
            known = pocket.wallet.locks.get(lock)
            if known is None:
                return [], [], "the phone does not know this lock yet"
            visit = Visit(pocket.wallet, known, aes, os.urandom)
            try:
                async with Near(self._air, lock.encode()) as door:
                    answers, refused = await bring(door, visit, pocket, lock, items)
            except (RadioError, Failed) as error:
                return [], [], str(error)
            finally:
                pocket.save()
        for asked, answer in zip(items, answers, strict=True):
            self._hear(asked, answer, visit.handshakes)
        return answers, refused, ""
