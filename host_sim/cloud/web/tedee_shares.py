"""tedee's deviceShare (v1.22 to v1.33): shares of a lock, as their clients know them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from .. import tedee, tedee_terms
from ..domain import addresses, devices, locks, sharing, terms
from ..domain.context import Context
from ..domain.errors import DomainError
from ..domain.model import PENDING, Person, Share
from ..tedee import BadRequest, NewShare, ShareChange
from .auth import Call, caller
from .fields import instant
from .tedee import (
    SHARE_VERSIONS,
    Answer,
    Envelope,
    Id,
    Raw,
    Tedee,
    done,
    failures,
    identity,
    refusal_of,
    routes,
    takes,
)

MOST_AT_ONCE = 100

Reader = Annotated[Call, caller("DeviceShare.Read")]
Writer = Annotated[Call, caller("DeviceShare.ReadWrite")]

router = routes(*SHARE_VERSIONS)


class Times(Answer):
    """When a share is active, in UTC; `null` is no limit.

    Of the times of day, only the time counts. A `weekDays` of 0 is no day at all: the share has
    conditions that `notExpressible` names.
    """

    week_days: int | None
    day_start_time: str | None
    day_end_time: str | None
    start_date: str | None
    end_date: str | None


class RepeatEvent(Times):
    """The same with the number of its share."""

    id: int


class ShareItem(Answer):
    """A share."""

    id: int
    user_id: int | None
    user_identity: UUID | None
    user_email: str
    user_display_name: str
    device_id: int
    access_level: int
    is_pending: bool
    remote_access_disabled: bool
    repeat_event: RepeatEvent
    not_expressible: list[str]


class Made(Answer):
    """A new share."""

    id: int
    shared_user_display_name: str


class Outcome(Answer):
    """What became of one share of several."""

    result: Made | None
    success: bool
    error_messages: list[str]
    status_code: int


Items = Envelope[list[ShareItem]]
MadeOne = Envelope[Made]
Outcomes = Envelope[list[Outcome]]


@router.get("/my/deviceshare", responses=failures(404))
def list_shares(
    call: Reader,
    device_id: Annotated[Id, Query(alias="deviceId")],
    user: Annotated[UUID | None, Query(alias="Filters.UserIdentity")] = None,
    email: Annotated[str | None, Query(alias="Filters.Email")] = None,
) -> Items:
    """The shares of a device; guests, and whose own is not active now, see the owner's and theirs.

    The filters are those of v1.28.
    """
    found = visible(call, device_id)
    key = None if email is None else addresses.key(email)
    return Items(
        result=[
            item(share)
            for share in found
            if (user is None or (share.person and share.person.uid == user.hex))
            and key in (None, share.email_key)
        ]
    )


@router.post(
    "/my/deviceshare",
    status_code=201,
    responses=failures(404, 406, 409, 412, 415),
    openapi_extra=takes(NewShare),
)
def create(call: Writer, body: Raw) -> MadeOne:
    """Share a device with an address; without an account behind it the share is pending."""
    made = _create(call.context, call.person, tedee.read_new(body))
    return MadeOne(result=made, status_code=201)


@router.post(
    "/my/deviceshare/bulk",
    responses=failures(415),
    openapi_extra=takes(
        {
            "type": "array",
            "items": NewShare.model_json_schema(),
            "minItems": 1,
            "maxItems": MOST_AT_ONCE,
            "$defs": NewShare.model_json_schema()["$defs"],
        }
    ),
)
def create_several(call: Writer, body: Raw) -> Outcomes:
    """Create several shares, each whole or not at all; there is an outcome for each, in order."""
    wanted = tedee.read_json(body)
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise BadRequest(f"body: give a list of 1 to {MOST_AT_ONCE} shares")
    named = [each.get("deviceId") for each in wanted if isinstance(each, dict)]
    known = devices.known_to(call.context, call.person)
    locks.hold_all(call.context, [device for device in known if device.id in named])
    outcomes = [_outcome(call.context, call.person, each) for each in wanted]
    failed = [outcome for outcome in outcomes if not outcome.success]
    return Outcomes(result=outcomes, success=not failed)


@router.patch(
    "/my/deviceshare",
    status_code=204,
    responses=failures(404, 409, 415),
    openapi_extra=takes(ShareChange),
)
def change(call: Writer, body: Raw) -> Response:
    """Change what is named, keep what is left out, clear what is null."""
    wanted = tedee.read_change(body)
    share = sharing.find(call.context, call.person, wanted.id)
    named = wanted.named()
    sharing.change(
        call.context, call.person, share, lambda grant: tedee_terms.change(grant, named)
    )
    return done()


@router.delete("/my/deviceshare/{share_id}", status_code=204, responses=failures(404, 409))
def delete(call: Writer, share_id: Id) -> Response:
    """End a share."""
    share = sharing.find(call.context, call.person, share_id)
    sharing.end(call.context, call.person, share)
    return done()


def visible(call: Call, device_id: int) -> list[Share]:
    """The shares of a device that the caller may see."""
    device = devices.find(call.context, call.person, device_id)
    return sharing.visible(call.context, call.person, device)


def item(share: Share) -> ShareItem:
    """A share as it is listed."""
    said = tedee_terms.shown(terms.grant(share))
    return ShareItem(
        **members(share),
        id=share.id,
        access_level=said.access_level,
        remote_access_disabled=said.remote_access_disabled,
        repeat_event=RepeatEvent(id=share.id, **times(share, said)),
        not_expressible=list(said.not_expressible),
    )


def members(share: Share) -> dict[str, Any]:
    """What a share has in both APIs."""
    person = share.person
    return {
        "user_id": person.id if person else None,
        "user_identity": identity(person.uid) if person else None,
        "user_email": share.email,
        "user_display_name": display_name(share),
        "device_id": share.device_id,
        "is_pending": share.status == PENDING,
    }


def times(share: Share, said: tedee_terms.Shown) -> dict[str, Any]:
    """The times of a share; those of a day have the date of its creation, which means nothing."""
    event = said.event
    day = instant(share.created_at).date().isoformat()
    return {
        "week_days": event.week_days,
        "day_start_time": tedee_terms.write_time(event.day_start_time, day),
        "day_end_time": tedee_terms.write_time(event.day_end_time, day),
        "start_date": tedee_terms.write_instant(event.start_date),
        "end_date": tedee_terms.write_instant(event.end_date),
    }


def display_name(share: Share) -> str:
    """What to call the holder: by name, or by address until there is an account."""
    return share.person.name if share.person else share.email


def _create(ctx: Context, person: Person, wanted: NewShare) -> Made:
    device = devices.find(ctx, person, wanted.device_id)
    share = sharing.create(ctx, person, device, wanted.user_email, wanted.write_terms)
    return Made(id=share.id, shared_user_display_name=display_name(share))


def _outcome(ctx: Context, person: Person, wanted: Any) -> Outcome:
    try:
        with ctx.session.begin_nested():
            made = _create(ctx, person, tedee.check(NewShare, wanted))
    except (BadRequest, DomainError) as error:
        told = Tedee().failure(refusal_of(error))
        return Outcome(**told.model_dump(exclude={"error"}))
    return Outcome(result=made, success=True, error_messages=[], status_code=201)
