"""Terms of a share: written, looked at as the lock would see them, and only then signed.

What is signed is what was looked at. The preview, and what is odd about it, come from the cloud,
which asks the lock's own checks.
"""

import json
from itertools import islice
from typing import Any, NamedTuple

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from firmware.policy.grant import fault
from firmware.policy.instant import DAY_S, Instant, from_unix, to_unix
from firmware.policy.zone import Zone
from host_sim.cloud.domain import permissions, sharing, terms
from host_sim.cloud.domain.errors import DomainError, Invalid
from host_sim.cloud.domain.model import PENDING, Share
from host_sim.cloud.domain.permissions import Act
from host_sim.cloud.lint import Finding, lint
from host_sim.cloud.preview import after, allowed
from host_sim.cloud.terms import local_datetime, local_instant, read_instant
from host_sim.cloud.web.native_terms import Words
from host_sim.cloud.web.native_terms import lease as read_lease
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, duration

from ..filters import moment
from ..looking import Look, looking
from ..panes import Pane, Refused, threaded
from ..stand import Stand

_DAYS = 14  # of the preview
_MOST_SPANS = 12
FIELDS = (
    "email",
    "level",
    "right",
    "channel",
    "from",
    "until",
    "rules",
    "uses",
    "lasts",
    "lease",
    "duress",
    "passing",
    "link",
)
_NEW = QueryParams(
    [
        ("level", "guest"),
        *(("right", name) for name in ("unlock", "lock", "pull")),
        *(("channel", name) for name in CHANNEL_NAMES.values()),
    ]
)


class Preview(NamedTuple):
    """What is seen before signing: when it is open, what is odd about it, or why it is nothing."""

    spans: list[str]
    more: bool
    findings: list[Finding]
    problem: str = ""


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """The form as it was last sent, or with the terms of the share that `edit` names."""
    with looking(stand, query) as look:
        nothing = {"fields": None}
        if look.device is None or not query.get("edit"):
            return nothing
        try:
            share, parent = _subject(look, query["edit"])
        except DomainError:
            return nothing
        is_sent = "level" in query
        fields = query if is_sent else _fields(share, look.zone) if share else _NEW
        return nothing | {
            "device": look.device.name,
            "holder": _holder(share),
            "from_whom": _holder(parent),
            "fields": fields,
            "names": FIELDS,
            "leave": dict.fromkeys(("edit", "previewed", *FIELDS), ""),
            "rights": list(ACTION_NAMES.values()),
            "channels": list(CHANNEL_NAMES.values()),
            "preview": _preview(look, fields, parent) if is_sent else None,
            "previewed": _canonical(fields),
        }


def _subject(look: Look, wanted: str) -> tuple[Share | None, Share | None]:
    """The share to change, or none for a new one; and the share that it is passed on from."""
    if wanted != "new":
        share = sharing.find(look.ctx, look.me, wanted)
        return share, share.parent
    if permissions.may(look.ctx, look.me, look.must(), Act.SHARE):
        return None, None
    return None, permissions.share_of(look.ctx, look.me, look.must())


def _holder(share: Share | None) -> str:
    """Who has it, or is to have it."""
    if share is None:
        return ""
    return share.person.name if share.person else share.email


def _sign(stand: Stand, query: QueryParams, form: QueryParams) -> str:
    """Make or change the share, as it was previewed."""
    if form.get("previewed") != _canonical(form):
        raise Refused("The terms are not those of the preview: look at them again first.")
    with looking(stand, query, reads=False) as look:
        share, parent = _subject(look, form.get("edit", ""))
        write = _words(form).write({}, look.zone)
        lease_s = read_lease(form["lease"]) if form.get("lease") else None
        email = form.get("email", "")
        if share is not None:
            passing = "passing" in form
            share = sharing.change(
                look.ctx, look.me, share, write, may_pass_on=passing, lease_s=lease_s or 0
            )
        elif parent is not None:
            share = sharing.pass_on(look.ctx, look.me, parent, email, write)
        else:
            share = sharing.create(
                look.ctx,
                look.me,
                look.must(),
                email,
                write,
                by_link="link" in form,
                may_pass_on="passing" in form,
                lease_s=lease_s,
            )
        if share.status == PENDING:
            return f"{share.email} is invited."
        return f"Version {share.version} of the share with {share.email} is signed."


def _preview(look: Look, fields: QueryParams, parent: Share | None) -> Preview:
    zone, now = look.zone, from_unix(look.ctx.now)
    try:
        grant = _words(fields).grant(look.must())
        if fields.get("lease"):
            grant.lease = after(now, read_lease(fields["lease"]))
    except DomainError as error:
        return Preview([], False, [], str(error))
    if parent is not None:
        grant.parent = bytes.fromhex(parent.uid)
    findings = lint(grant, zone, now)
    if fault(grant):
        return Preview([], False, findings, "No lock takes that.")
    whole = terms.grant(parent) if parent is not None else None
    found = allowed(grant, zone, now, _DAYS * DAY_S, whole)
    spans = list(islice(found, _MOST_SPANS))
    told = [_span(now, offset_s, offset_s + length_s, zone) for offset_s, length_s in spans]
    return Preview(told, next(found, None) is not None, findings)


def _span(now: Instant, since_s: int, until_s: int, zone: Zone) -> str:
    since = moment(to_unix(after(now, since_s)), zone) if since_s else "now"
    if until_s >= _DAYS * DAY_S:
        return f"{since} until after this preview"
    return f"{since} until {moment(to_unix(after(now, until_s)), zone)}"


def _words(fields: QueryParams) -> Words:
    """The terms of a form. Raises Invalid."""
    uses = fields.get("uses", "").strip()
    given: dict[str, Any] = {
        "level": fields.get("level"),
        "rights": fields.getlist("right"),
        "channels": fields.getlist("channel"),
        "rules": [line.strip() for line in fields.get("rules", "").splitlines() if line.strip()],
        "uses": int(uses) if uses.isdecimal() else uses or None,
        "after_first_use": fields.get("lasts", "").strip() or None,
        "duress": "duress" in fields or None,
        **{name: fields.get(name, "").strip() or None for name in ("from", "until")},
    }
    try:
        return Words.model_validate(given)
    except ValidationError as error:
        raise Invalid(*(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())) from None


def _fields(share: Share, zone: Zone) -> QueryParams:
    """The form of a share as it is."""
    kept = share.terms
    single = {
        "level": kept["level"],
        "from": _local(kept["from"], zone) if "from" in kept else "",
        "until": _local(kept["until"], zone) if "until" in kept else "",
        "rules": "\n".join(kept.get("rules", [])),
        "uses": str(kept.get("uses", "")),
        "lasts": kept.get("after_first_use", ""),
        "lease": duration(share.lease_s) if share.lease_s else "",
        **({"duress": "on"} if kept.get("duress") else {}),
        **({"passing": "on"} if share.may_pass_on else {}),
    }
    several = [("right", each) for each in kept["rights"]]
    several += [("channel", each) for each in kept["channels"]]
    return QueryParams([*single.items(), *several])


def _local(text: str, zone: Zone) -> str:
    """An instant on the wall clock; as it is kept, where the clock shows that a second time."""
    at = read_instant(text, zone)
    shown = local_datetime(at, zone)
    return shown.isoformat() if local_instant(shown, zone) == at else text


def _canonical(fields: QueryParams) -> str:
    """The same text for the same terms, however a browser ends lines."""
    given = {name: [each.split() for each in fields.getlist(name)] for name in FIELDS}
    return json.dumps({name: values for name, values in given.items() if any(values)})


PANE = Pane(
    "editor",
    "Terms of a share",
    threaded(view),
    kinds=("cloud",),
    actions={"sign": threaded(_sign)},
    forgets=("edit", "previewed", *FIELDS),
)
