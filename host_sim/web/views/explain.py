"""Why? What the lock's own code says to somebody, check by check, and when next."""

import asyncio
from typing import Any, NamedTuple

from sqlalchemy import select
from starlette.datastructures import QueryParams

from firmware.policy.instant import to_unix
from firmware.policy.zone import Zone
from host_sim.cloud.domain.model import Device, Key, Person
from host_sim.cloud.terms import TermsError, read_instant
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES

from ..panes import Pane
from ..stand import Stand

STRANGER = bytes(16)  # the thumbprint of no key


class Phone(NamedTuple):
    """Whom one can ask about: `uid` of the key, empty for somebody whom the lock does not know."""

    uid: str
    name: str
    thumbprint: bytes


async def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """The answer of the lock to the question of the query; now, and to the owner, by default."""
    phones, zone = await asyncio.to_thread(_known, stand)
    phone = next((each for each in phones if each.uid == query.get("phone")), phones[0])
    action = _number(ACTION_NAMES, query.get("action", ""))
    channel = _number(CHANNEL_NAMES, query.get("channel", ""))
    at_s, problem = stand.time.now_s(), ""
    if query.get("at"):
        try:
            at_s = to_unix(read_instant(query["at"], zone))
        except TermsError as error:
            problem = str(error)
    asked = {
        "phones": [each[:2] for each in phones],
        "phone": phone.uid,
        "actions": [(name, name) for name in ACTION_NAMES.values()],
        "action": ACTION_NAMES[action],
        "channels": [("local", "at the door"), ("remote", "from afar")],
        "channel": CHANNEL_NAMES[channel],
        "at": query.get("at", ""),
        "at_s": at_s,
        "zone": zone,
        "problem": problem,
    }
    if problem:
        return asked | {"answer": None}
    try:
        answer = await stand.lock.explain(phone.thumbprint, action, channel, at_s)
    except (OSError, TimeoutError, ValueError) as error:
        return asked | {"answer": None, "problem": f"The lock does not answer: {error}"}
    return asked | {"answer": answer}


def _known(stand: Stand) -> tuple[list[Phone], Zone]:
    """The phones of everybody, and the zone of the lock."""
    with stand.cloud.transaction(reads=True) as ctx:
        rows = ctx.session.execute(
            select(Key.uid, Key.name, Key.thumbprint, Person.name)
            .join(Person, Person.id == Key.person_id)
            .where(Key.removed_at.is_(None))
            .order_by(Person.id, Key.id)
        )
        phones = [
            Phone(uid, f"{person}, {phone}", thumbprint) for uid, phone, thumbprint, person in rows
        ]
        zone = ctx.session.scalars(select(Device.zone).where(Device.uid == stand.device)).one()
    return [*phones, Phone("", "a stranger", STRANGER)], Zone(zone)


def _number(names: dict[int, str], name: str) -> int:
    """The number of a name, the first one for a name that is none."""
    return next((number for number, each in names.items() if each == name), next(iter(names)))


PANE = Pane(
    "explain",
    "What the lock would say",
    view,
    kinds=("door", "visit", "cloud", "time", "fault"),
)
