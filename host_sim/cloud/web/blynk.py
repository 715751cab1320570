"""What Blynk's endpoints have in common: errors, pages of lists, which organisations are seen.

Somebody may be a member of several organisations here. A list without `orgId` has what is in all
of them, one with it is Blynk's organisation switch. docs/api-blynk.md tells what else differs.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select
from starlette.responses import Response

from ..domain import addresses, membership, names, organisations
from ..domain.model import Member, Organisation
from .auth import Call, Route
from .problems import Refusal, Style

Item = TypeVar("Item")
Id = Annotated[int, Field(ge=1, lt=1 << 63)]
Name = Annotated[str, Field(min_length=1, max_length=names.MOST)]
Email = Annotated[str, Field(max_length=addresses.MOST, examples=["john@example.com"])]
Words = Annotated[str, Query(max_length=255)]
Rows = Select[*tuple[Any, ...]]
Order = Literal["ASC", "DESC"]


class ErrorText(BaseModel):
    """What went wrong."""

    message: str


class Error(BaseModel):
    """Of every request that was not fulfilled."""

    error: ErrorText


class BlynkStyle(Style):
    """Errors as Blynk words them; what contradicts the state of things is a bad request."""

    prefixes = ("/api/v1/organization",)

    def error(self, refusal: Refusal) -> Response:
        """The answer."""
        status = 400 if refusal.status == 409 else refusal.status
        body = Error(error=ErrorText(message=refusal.message))
        return JSONResponse(body.model_dump(), status, refusal.headers)


STYLE = BlynkStyle()
_ALWAYS: dict[int | str, dict[str, Any]] = {
    status: {"model": Error} for status in (400, 401, 403, 413, 429, 503)
}
FINDS: dict[int | str, dict[str, Any]] = {404: {"model": Error}}


def routes() -> APIRouter:
    """A router for endpoints of this API."""
    return APIRouter(
        prefix="/api/v1/organization", route_class=Route, tags=["Blynk"], responses=_ALWAYS
    )


class Page(BaseModel, Generic[Item]):
    """A part of a list, and how many there are in all."""

    content: list[Item]
    totalElements: int


class Paging(BaseModel):
    """Which part of a list is wanted."""

    page: int = Field(0, ge=0, le=1_000_000, description="From 0 on.")
    size: int = Field(20, ge=1, le=100)


class Sorting(Paging):
    """The same of what a search found."""

    sortBy: str
    sortOrder: Order = "ASC"


def known_places(call: Call) -> set[int]:
    """The ids of the organisations that somebody knows of."""
    mine = {each.organisation_id for each in organisations.memberships(call.context, call.person)}
    view = organisations.VIEW_ORGANISATION
    return mine | organisations.reach(call.context, call.person, view)


def find_place(call: Call, org_id: int | None, what: str = "Organization") -> Organisation:
    """An organisation that somebody knows of; without an id their own."""
    if org_id is None:
        return organisations.home(call.context, call.person)
    if org_id not in known_places(call):
        raise missing(f"{what} is not found or you don't have access to it.")
    return call.context.session.get_one(Organisation, org_id)


def find_managed(call: Call, org_id: int | None) -> Organisation:
    """The same, if they manage it."""
    place = find_place(call, org_id)
    organisations.require(call.context, call.person, place, organisations.MANAGE)
    return place


def find_member(call: Call, person_id: int, org_id: int | None) -> Member:
    """A user of an organisation that the caller manages, or the caller there."""
    place = find_place(call, org_id)
    if person_id != call.person.id:
        organisations.require(call.context, call.person, place, organisations.MANAGE)
    found = membership.find(call.context, place, person_id)
    if found is None:
        text = f"User with identifier {person_id} is not found or belong to another organization."
        raise missing(text)
    return found


def missing(text: str) -> Refusal:
    """Something that is not there, or not for the caller."""
    return Refusal(404, "not-found", text)


def to_ms(unix_s: int) -> int:
    """An instant as Blynk writes it."""
    return unix_s * 1000


def in_order(found: Rows, columns: dict[str, Any], sorting: Sorting) -> Rows:
    """In the wanted order; what is alike in it, by id, which is the first of the columns."""
    chosen = columns[sorting.sortBy]
    down = sorting.sortOrder == "DESC"
    return found.order_by(chosen.desc() if down else chosen, next(iter(columns.values())))


def part(call: Call, found: Rows, paging: Paging) -> tuple[Sequence[Any], int]:
    """The rows of a page, and how many there are in all."""
    session = call.context.session
    total = session.scalar(select(func.count()).select_from(found.order_by(None).subquery()))
    part = found.offset(paging.page * paging.size).limit(paging.size)
    return session.execute(part).all(), total or 0
