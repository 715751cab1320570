"""tedee's device access (v37), the successor of deviceShare: flat, and by random ids.

There are no groups here, so a principal is a user; what names a group is told that there is none.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from .. import tedee, tedee_terms
from ..domain import devices, sharing, terms
from ..domain.errors import Conflict, DomainError, Invalid, NotFound
from ..domain.model import Share
from ..domain.permissions import Act, require
from ..tedee import GROUP, Access, BadRequest, Copies, NewAccess, Principal
from .auth import Call
from .tedee import (
    ACCESS_VERSIONS,
    Answer,
    Envelope,
    ErrorCode,
    Id,
    Raw,
    TedeeAccess,
    done,
    failures,
    identity,
    refusal_of,
    routes,
    takes,
)
from .tedee_shares import Reader, Times, Writer, display_name, members, times, visible

USER = 0

router = routes(*ACCESS_VERSIONS)


class AccessItem(Times):
    """An access."""

    id: UUID
    principal_type: int = USER
    principal_id: UUID | None
    user_id: int | None
    user_identity: UUID | None
    user_email: str
    user_display_name: str
    device_id: int
    access_level: int
    is_pending: bool
    remote_access_disabled: bool
    not_expressible: list[str]


class Granted(Answer):
    """An access that was given to a principal, or why it was not; in no envelope."""

    id: UUID | None
    principal_type: int
    principal_id: UUID | None
    user_email: str | None
    display_name: str | None
    success: bool
    error: ErrorCode | None


class GrantedList(Answer):
    """What became of each."""

    principals: list[Granted]


Items = Envelope[list[AccessItem]]


@router.get("/my/device/{device_id}/access", responses=failures(404))
def list_access(
    call: Reader,
    device_id: Id,
    principal: Annotated[UUID | None, Query(alias="Filters.PrincipalId")] = None,
    text: Annotated[str | None, Query(alias="Filters.Text", max_length=254)] = None,
    kind: Annotated[int | None, Query(alias="Filters.PrincipalType", ge=USER, le=GROUP)] = None,
) -> Items:
    """Who has access; guests, and whose own is not active now, see the owner's and theirs.

    `Filters.Text` is a part of name or address.
    """
    found = [_item(share) for share in visible(call, device_id) if kind != GROUP]
    return Items(
        result=[
            each
            for each in found
            if principal in (None, each.principal_id)
            and (text is None or _has(each, text.casefold()))
        ]
    )


@router.post(
    "/my/device/{device_id}/access",
    status_code=201,
    responses=failures(404, 406, 409, 412, 415),
    openapi_extra=takes(NewAccess),
)
def create(call: Writer, device_id: Id, body: Raw) -> Granted:
    """Give somebody access; without an account behind the address it is pending."""
    wanted = tedee.read_body(NewAccess, body)
    device = devices.find(call.context, call.person, device_id)
    email, named = _email(wanted), wanted.named()
    share = sharing.create(
        call.context, call.person, device, email, lambda grant: tedee_terms.change(grant, named)
    )
    return _granted(share)


@router.put(
    "/my/device/{device_id}/access/{access_id}",
    status_code=204,
    responses=failures(404, 409, 415),
    openapi_extra=takes(Access),
)
def replace(call: Writer, device_id: Id, access_id: UUID, body: Raw) -> Response:
    """Replace all that this API can say of an access; what it cannot is kept."""
    named = tedee.read_body(Access, body).named()
    share = _find(call, device_id, access_id)
    sharing.change(
        call.context, call.person, share, lambda grant: tedee_terms.change(grant, named)
    )
    return done()


@router.delete(
    "/my/device/{device_id}/access/{access_id}", status_code=204, responses=failures(404, 409)
)
def delete(call: Writer, device_id: Id, access_id: UUID) -> Response:
    """End an access."""
    sharing.end(call.context, call.person, _find(call, device_id, access_id))
    return done()


@router.post(
    "/my/device/{device_id}/access/{access_id}/copy-to",
    status_code=201,
    responses=failures(404, 409, 415),
    openapi_extra=takes(Copies),
)
def copy_to(call: Writer, device_id: Id, access_id: UUID, body: Raw) -> GrantedList:
    """Give others the same access, with all its conditions; each is given, or told why not."""
    wanted = tedee.read_body(Copies, body)
    share = _find(call, device_id, access_id)
    require(call.context, call.person, share.device, Act.SHARE)
    if share.parent_id is not None:
        raise Conflict("not-expressible", "This share depends on another one; it has no copies.")
    return GrantedList(principals=[_copy(call, share, each) for each in wanted.principals])


def _find(call: Call, device_id: int, access_id: UUID) -> Share:
    share = sharing.find(call.context, call.person, access_id.hex)
    if share.device_id != device_id:
        raise NotFound("share")
    return share


def _copy(call: Call, share: Share, to: Principal) -> Granted:
    try:
        with call.context.session.begin_nested():
            copy = sharing.create(
                call.context,
                call.person,
                share.device,
                _email(to),
                terms.same_as(share),
                lease_s=share.lease_s,
            )
            return _granted(copy)
    except (BadRequest, DomainError) as error:
        why = TedeeAccess().coded(refusal_of(error))
    return Granted(
        id=None,
        principal_type=to.principal_type,
        principal_id=to.principal_id,
        user_email=to.user_email,
        display_name=None,
        success=False,
        error=why,
    )


def _email(principal: Principal) -> str:
    """The address of a principal that is a user."""
    if principal.principal_type == GROUP:
        raise Invalid("There is no such group.", code="no-group")
    if principal.user_email is None:
        raise BadRequest("userEmail: is needed for a user")
    if principal.principal_id is not None:
        raise BadRequest("principalId: a user is named by userEmail")
    return principal.user_email


def _granted(share: Share) -> Granted:
    return Granted(
        id=identity(share.uid),
        principal_type=USER,
        principal_id=identity(share.person.uid) if share.person else None,
        user_email=share.email,
        display_name=display_name(share),
        success=True,
        error=None,
    )


def _item(share: Share) -> AccessItem:
    said = tedee_terms.shown(terms.grant(share))
    common = members(share)
    return AccessItem(
        **common,
        **times(share, said),
        id=identity(share.uid),
        principal_id=common["user_identity"],
        access_level=said.access_level,
        remote_access_disabled=said.remote_access_disabled,
        not_expressible=list(said.not_expressible),
    )


def _has(item: AccessItem, text: str) -> bool:
    return text in item.user_email.casefold() or text in item.user_display_name.casefold()
