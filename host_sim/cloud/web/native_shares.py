"""The native API: shares with all that their terms can say, and what is to be known of them.

A change keeps what it leaves out, and `null` clears. Before it is made, `preview`, `lint` and
`explain` take the same words.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from firmware.policy.zone import Zone
from host_sim.words import duration

from ..domain import permissions, sharing
from ..domain.model import ACCEPTED, Share
from .auth import Call, Route, caller
from .fields import instant
from .native import PREFIX, Cursor, Email, Limit, Page, find, page_of
from .native_terms import (
    Asked,
    Body,
    Days,
    Explanation,
    Finding,
    Preview,
    ShownWords,
    Start,
    Text,
    When,
    Words,
    explain,
    grants,
    lease,
    lint,
    moment,
    preview,
)
from .problems import problems

Reads = Annotated[Call, caller("DeviceShare.Read")]
Writes = Annotated[Call, caller("DeviceShare.ReadWrite")]
Lease = Annotated[
    Text | None,
    Field(description="How long a grant lasts without being renewed, such as `7 d`."),
]


class NewShare(Body):
    """A share to make. `by_link`: pending until the mailed link is followed, in any case."""

    email: Email
    terms: Words = Words()
    lease: Lease = None
    may_pass_on: bool = False
    by_link: bool = False


class PassedOn(Body):
    """A share of a share; its terms are narrower."""

    email: Email
    terms: Words = Words()


class ShareChange(Body):
    """What to change; what is absent stays, in `terms` too, and `null` clears."""

    terms: Words = Words()
    lease: Lease = None
    may_pass_on: bool = False


class Holder(BaseModel):
    """Who holds a share."""

    id: str
    name: str


class ShareItem(BaseModel):
    """A share. `active`: whether its terms, and its parent's, allow anything now."""

    id: str
    device: str
    email: str
    holder: Holder | None
    status: Literal["pending", "accepted"]
    origin: Literal["ownership", "invitation", "role", "passed on"]
    terms: ShownWords
    lease: str | None
    may_pass_on: bool
    parent: str | None
    version: int
    active: bool
    created_at: datetime
    accepted_at: datetime | None

    @classmethod
    def of(cls, call: Call, share: Share) -> "ShareItem":
        """A share."""
        person = share.person
        accepted_at = share.accepted_at
        return cls.model_validate(
            {
                "id": share.uid,
                "device": share.device.uid,
                "email": share.email,
                "holder": {"id": person.uid, "name": person.name} if person else None,
                "status": share.status,
                "origin": share.origin,
                "terms": ShownWords.of(share.terms),
                "lease": None if share.lease_s is None else duration(share.lease_s),
                "may_pass_on": share.may_pass_on,
                "parent": share.parent.uid if share.parent else None,
                "version": share.version,
                "active": share.status == ACCEPTED and permissions.is_active(call.context, share),
                "created_at": instant(share.created_at),
                "accepted_at": None if accepted_at is None else instant(accepted_at),
            }
        )


class PreviewWords(When):
    """Terms that are not saved yet."""

    terms: Words


class LintWords(Body):
    """Terms that are not saved yet."""

    start: Text | None = Field(default=None, alias="from")
    terms: Words


class ExplainWords(Asked):
    """Terms that are not saved yet."""

    terms: Words


router = APIRouter(prefix=PREFIX, route_class=Route, tags=["native"], responses=problems(401, 403))


@router.get("/shares")
def list_mine(call: Reads, limit: Limit = 100, cursor: Cursor = None) -> Page[ShareItem]:
    """The shares that the caller holds or is invited to."""
    return _page(call, sharing.offered_to(call.context, call.person), limit, cursor)


@router.get("/devices/{device_id}/shares", responses=problems(404))
def list_shares(
    device_id: str, call: Reads, limit: Limit = 100, cursor: Cursor = None
) -> Page[ShareItem]:
    """The shares of a device that the caller may see."""
    device = find(call, device_id)
    return _page(call, sharing.visible(call.context, call.person, device), limit, cursor)


@router.post("/devices/{device_id}/shares", status_code=201, responses=problems(404, 409))
def create(device_id: str, body: NewShare, call: Writes) -> ShareItem:
    """Share a device with an address."""
    device = find(call, device_id)
    made = sharing.create(
        call.context,
        call.person,
        device,
        body.email,
        body.terms.write({}, Zone(device.zone)),
        by_link=body.by_link,
        may_pass_on=body.may_pass_on,
        lease_s=None if body.lease is None else lease(body.lease),
    )
    return ShareItem.of(call, made)


@router.get("/shares/{share_id}", responses=problems(404))
def get(share_id: str, call: Reads) -> ShareItem:
    """One share."""
    return ShareItem.of(call, _find(call, share_id))


@router.patch("/shares/{share_id}", responses=problems(404, 409))
def change(share_id: str, body: ShareChange, call: Writes) -> ShareItem:
    """Change the terms of a share."""
    share = _find(call, share_id)
    given = body.model_fields_set
    lease_s = None
    if "lease" in given:
        lease_s = 0 if body.lease is None else lease(body.lease)
    sharing.change(
        call.context,
        call.person,
        share,
        body.terms.write(share.terms, Zone(share.device.zone)),
        may_pass_on=body.may_pass_on if "may_pass_on" in given else None,
        lease_s=lease_s,
    )
    return ShareItem.of(call, share)


@router.delete("/shares/{share_id}", status_code=204, responses=problems(404, 409))
def end(share_id: str, call: Writes) -> None:
    """Revoke a share, or give back one's own."""
    share = _find(call, share_id)
    if share.email_key == call.person.email_key:
        sharing.drop(call.context, call.person, share)
    else:
        sharing.end(call.context, call.person, share)


@router.post("/shares/{share_id}/resend", status_code=204, responses=problems(404, 409))
def resend(share_id: str, call: Writes) -> None:
    """Mail the invitation to a pending share again."""
    sharing.resend(call.context, call.person, _find(call, share_id))


@router.post("/shares/{share_id}/pass-on", status_code=201, responses=problems(404, 409))
def pass_on(share_id: str, body: PassedOn, call: Writes) -> ShareItem:
    """Share on, narrower, what one holds, if the owner allowed that."""
    parent = _find(call, share_id)
    write = body.terms.write({}, Zone(parent.device.zone))
    made = sharing.pass_on(call.context, call.person, parent, body.email, write)
    return ShareItem.of(call, made)


# --- what is to be known of terms ----------------------------------------------------------------


@router.post("/devices/{device_id}/preview", responses=problems(404))
def preview_words(device_id: str, body: PreviewWords, call: Reads) -> Preview:
    """When a share with these terms would be open."""
    device = find(call, device_id)
    at = moment(call.context, device, body.start)
    return preview(body.terms.grant(device), None, device, at, body.days)


@router.post("/devices/{device_id}/lint", responses=problems(404))
def lint_words(device_id: str, body: LintWords, call: Reads) -> list[Finding]:
    """What is legal in these terms, and probably not meant."""
    device = find(call, device_id)
    return lint(body.terms.grant(device), device, moment(call.context, device, body.start))


@router.post("/devices/{device_id}/explain", responses=problems(404))
def explain_words(device_id: str, body: ExplainWords, call: Reads) -> Explanation:
    """What the lock would say to a request under these terms."""
    device = find(call, device_id)
    at = moment(call.context, device, body.at)
    return explain(body.terms.grant(device), None, device, at, body)


@router.get("/shares/{share_id}/preview", responses=problems(404))
def preview_share(share_id: str, call: Reads, start: Start = None, days: Days = 7) -> Preview:
    """When a share is open."""
    share = _find(call, share_id)
    at = moment(call.context, share.device, start)
    return preview(*grants(share), share.device, at, days)


@router.get("/shares/{share_id}/lint", responses=problems(404))
def lint_share(share_id: str, call: Reads, start: Start = None) -> list[Finding]:
    """What is legal in a share, and probably not meant."""
    share = _find(call, share_id)
    return lint(grants(share)[0], share.device, moment(call.context, share.device, start))


@router.post("/shares/{share_id}/explain", responses=problems(404))
def explain_share(share_id: str, body: Asked, call: Reads) -> Explanation:
    """What the lock would say to a request."""
    share = _find(call, share_id)
    at = moment(call.context, share.device, body.at)
    return explain(*grants(share), share.device, at, body)


def _find(call: Call, share_id: str) -> Share:
    return sharing.find(call.context, call.person, share_id)


def _page(call: Call, rows: list[Share], limit: int, cursor: str | None) -> Page[ShareItem]:
    page, after = page_of(rows, limit, cursor)
    return Page(items=[ShareItem.of(call, share) for share in page], next=after)
