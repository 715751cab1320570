"""What the cloud has for somebody: locks with their marks, and who they are shared with.

Asked of the cloud's own domain as the person who looks, and done as that person.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.datastructures import QueryParams

from firmware.policy.grant import ALL_RIGHTS, GUEST, GUEST_RIGHTS
from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Zone
from host_sim.cloud.domain import devices, links, permissions, sharing, terms
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import (
    ACCEPTED,
    INVITATION,
    OWNERSHIP,
    PASSED_ON,
    PENDING,
    Device,
    Person,
    Share,
)
from host_sim.cloud.domain.permissions import Act
from host_sim.cloud.preview import after, allowed
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, duration

from ..looking import Look, looking
from ..panes import Pane, threaded
from ..stand import Stand

_AHEAD_S = 30 * 86_400  # how far ahead a share is looked at for when it opens or closes


class Door(NamedTuple):
    """A lock as somebody has it: what they are to it, and with whom it is shared."""

    uid: str
    name: str
    standing: str
    marks: list[str]
    is_looked_at: bool


class Offer(NamedTuple):
    """An invitation to the person who looks."""

    name: str
    owner: str
    by_link: bool


class Shown(NamedTuple):
    """A share. `may` is what the person who looks may do to it; instants are Unix seconds."""

    uid: str
    name: str
    email: str
    what: list[str]
    rules: list[str]
    terms: dict[str, Any]
    is_pending: bool
    created_at: int
    by_link: bool
    link_ends: int | None  # None if there is no link that is good
    is_open: bool
    changes_at: int | None  # when it opens or closes next, by the time alone
    version: int
    may: frozenset[str]


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """All locks of the person who looks, and the shares of one."""
    with looking(stand, query) as look:
        ctx, me = look.ctx, look.me
        doors = [
            Door(
                each.uid,
                each.name,
                permissions.standing(ctx, me, each).value,
                _marks(ctx, me, each),
                look.device is each,
            )
            for each in devices.known_to(ctx, me)
        ]
        offers = [
            Offer(each.device.name, each.device.owner.name, each.by_link)
            for each in sharing.offered_to(ctx, me)
            if each.status == PENDING
        ]
        shares = sharing.visible(ctx, me, look.device) if look.device else []
        return {
            "me": me.name,
            "doors": doors,
            "offers": offers,
            "device": look.device.name if look.device else None,
            "zone": look.zone if look.device else None,
            "shares": [_shown(look, each) for each in shares],
            "may_share": look.device is not None and _may_share(ctx, me, look.device),
        }


def _may_share(ctx: Context, me: Person, device: Device) -> bool:
    if permissions.may(ctx, me, device, Act.SHARE):
        return True
    mine = permissions.share_of(ctx, me, device)
    return mine is not None and mine.may_pass_on and mine.status == ACCEPTED


def _marks(ctx: Context, me: Person, device: Device) -> list[str]:
    """`shared with 3`, `1 invited`, `shared by Anna`."""
    if device.owner_id != me.id:
        return [f"shared by {device.owner.name}"]
    given = [each for each in sharing.visible(ctx, me, device) if each.origin != OWNERSHIP]
    waiting = sum(each.status == PENDING for each in given)
    marks = [f"shared with {len(given) - waiting}"] if len(given) > waiting else []
    if waiting:
        marks.append(f"{waiting} invited")
    return marks or ["not shared"]


def _shown(look: Look, share: Share) -> Shown:
    is_open, changes_at = _now(look.ctx, share, look.zone)
    return Shown(
        share.uid,
        share.person.name if share.person else share.email,
        share.email,
        what(share),
        share.terms.get("rules", []),
        share.terms,
        share.status == PENDING,
        share.created_at,
        share.by_link,
        links.ends(look.ctx, links.SHARE, share.email_key, share.id),
        is_open,
        changes_at,
        share.version,
        _may(look, share),
    )


def _may(look: Look, share: Share) -> frozenset[str]:
    """What `sharing` would let the person who looks do; it decides once more when it is asked."""
    if share.origin not in (INVITATION, PASSED_ON):
        return frozenset()
    found = permissions.standing(look.ctx, look.me, share.device)
    may = set()
    if Act.SHARE in permissions.MAY[found] and terms.level(share) <= permissions.most_level(found):
        may |= {"change", "end"} | ({"resend"} if share.status == PENDING else set())
    if share.parent is not None and share.parent.person_id == look.me.id:
        may.add("end")
    if share.email_key == look.me.email_key:
        may.add("drop")
    return frozenset(may)


def _now(ctx: Context, share: Share, zone: Zone) -> tuple[bool, int | None]:
    """Whether the terms hold now, and when that changes next, if it does soon."""
    if share.status != ACCEPTED:
        return False, None
    parent = terms.grant(share.parent) if share.parent else None
    now = from_unix(ctx.now)
    spans = allowed(terms.grant(share), zone, now, _AHEAD_S, parent)
    start_s, length_s = next(spans, (_AHEAD_S, 0))
    change_s = start_s or length_s
    return start_s == 0, to_unix(after(now, change_s)) if change_s < _AHEAD_S else None


def what(share: Share) -> list[str]:
    """The terms of a share but for its rules, in words; each is one thing."""
    grant = terms.grant(share)
    kept = share.terms
    said = [kept["level"]]
    if grant.rights != (GUEST_RIGHTS if grant.level == GUEST else ALL_RIGHTS):
        names = [name for bit, name in ACTION_NAMES.items() if grant.rights & bit]
        said.append(f"may only {' and '.join(names)}")
    if len(kept["channels"]) < len(CHANNEL_NAMES):
        said.append({"local": "only at the door", "remote": "only from afar"}[kept["channels"][0]])
    if grant.uses is not None:
        said.append(f"{grant.uses} use{'s' * (grant.uses != 1)}")
    if grant.after_first_use_s is not None:
        said.append(f"for {duration(grant.after_first_use_s)} from the first use on")
    if share.lease_s is not None:
        said.append(f"lease of {duration(share.lease_s)}")
    if share.may_pass_on:
        said.append("may be passed on")
    if share.parent is not None and share.parent.person is not None:
        said.append(f"passed on by {share.parent.person.name}")
    if grant.duress:
        said.append("raises a silent alarm")
    if share.origin not in (INVITATION, PASSED_ON):
        said.append(f"by {share.origin}")
    return said


def _doing(do: Callable[[Context, Person, Share], None], said: str) -> Any:
    """An action on the share that a form names by its `share`."""

    def action(stand: Stand, query: QueryParams, form: QueryParams) -> str:
        with looking(stand, query, reads=False) as look:
            share = sharing.find(look.ctx, look.me, form.get("share", ""))
            name = share.person.name if share.person else share.email
            do(look.ctx, look.me, share)
        return said.format(name)

    return threaded(action)


PANE = Pane(
    "shares",
    "Locks and shares",
    threaded(view),
    kinds=("cloud", "time"),
    actions={
        "resend": _doing(sharing.resend, "The invitation to {} was sent again."),
        "end": _doing(sharing.end, "The share of {} has ended."),
        "drop": _doing(sharing.drop, "{} gave the share back."),
    },
)
