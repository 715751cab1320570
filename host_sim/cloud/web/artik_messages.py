"""ARTIK's messages (v1.1): what devices say, and actions that people send to them; then and now.

A message comes from a device with its token, an action from a person. A holder reads both from the
acceptance of their share on, and no more once it has ended. An action obeys the rules of the share
and carries the user id of the device's owner.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, WebSocket
from pydantic import BaseModel, Discriminator, Field, Tag
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect, WebSocketState

from ..domain import devices, messages, people, permissions
from ..domain.context import Context
from ..domain.errors import DomainError, Forbidden, Invalid, NotFound
from ..domain.model import Device, Message, Person
from .artik import MANIFEST, Body, Camel, Error, ErrorEnvelope, errors, find, ms, type_of
from .auth import Call, Route, caller, identify, limited, secret_of, service_of
from .problems import STATUS, Refusal

MOST = 100  # messages to one answer
LOOK_S = 1.0  # between looks for what is new
PING_S = 30.0
MOST_LIVE = 10  # connections of one person that wait for messages
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1
_LATEST_MS = 32_503_680_000_000  # in the year 3000


class Action(Body):
    """Something that a lock can do."""

    name: Literal["unlock", "lock", "pull"]
    parameters: dict[str, Any] = {}


class ActionArray(Body):
    """Actions; either all may be sent or none is."""

    actions: list[Action] = Field(min_length=1, max_length=10)


class NewActions(Body):
    """Actions for a device."""

    ddid: str
    type: Literal["action"] = "action"
    data: ActionArray


class NewMessage(Body):
    """What a device says, by its own clock at `ts`."""

    sdid: str | None = None
    ts: int | None = Field(default=None, ge=0, le=_LATEST_MS)
    type: Literal["message"] = "message"
    data: dict[str, Any]


def _kind(body: Any) -> str:
    return str(body.get("type", messages.MESSAGE)) if isinstance(body, dict) else messages.MESSAGE


NewOfEither = Annotated[
    Annotated[NewMessage, Tag(messages.MESSAGE)] | Annotated[NewActions, Tag(messages.ACTION)],
    Discriminator(_kind),
]


class MessageId(BaseModel):
    """The id of a message."""

    mid: str


class MessageIdEnvelope(BaseModel):
    """The message that was taken."""

    data: MessageId


class NormalizedMessage(Camel):
    """What a device said: by its own clock at `ts`; it came at `cts`."""

    cts: int
    ts: int
    mid: str
    uid: str = Field(description="The owner of the device.")
    sdid: str
    sdtid: str
    mv: int = MANIFEST
    data: dict[str, Any]

    @classmethod
    def of(cls, message: Message) -> "NormalizedMessage":
        """A message."""
        device = message.device
        return cls(**_members(message), sdid=device.uid, sdtid=type_of(device))


class NormalizedAction(Camel):
    """What was sent to a device."""

    cts: int
    ts: int
    mid: str
    uid: str = Field(description="The owner of the device.")
    ddid: str
    ddtid: str
    mv: int = MANIFEST
    data: dict[str, Any]

    @classmethod
    def of(cls, message: Message) -> "NormalizedAction":
        """An action."""
        device = message.device
        return cls(**_members(message), ddid=device.uid, ddtid=type_of(device))


class Page(Camel):
    """What was asked for; `next` is the `offset` of the page after this one, if there is one."""

    uid: str
    start_date: int
    end_date: int
    order: Literal["asc", "desc"]
    count: int
    size: int
    next: str | None = None


class MessagesEnvelope(Page):
    """Messages of a device."""

    sdid: str | None = None
    data: list[NormalizedMessage]


class ActionsEnvelope(Page):
    """Actions that were sent to a device."""

    ddid: str | None = None
    data: list[NormalizedAction]


class LastEnvelope(Camel):
    """The latest messages of some devices."""

    sdids: str
    count: int
    size: int
    data: list[NormalizedMessage]


class Sender(Call):
    """A device, which shows its token, or a person."""

    device: Device | None = None

    def identify(self, context: Context) -> None:
        """Find out who calls. Raises Refusal: 401 or 429."""
        scheme, secret = secret_of(self.request)
        if scheme == "bearer":
            self.device = devices.with_token(context, secret)
        if self.device is None:
            super().identify(context)
            return
        self.context = context
        limited(service_of(self.request).limits.person.take(self.device.uid, context.now))

    def check(self) -> None:
        """Raises Refusal, 403, if what was shown is not good for this."""
        if self.device is None:
            super().check()


Count = Annotated[int, Query(ge=1, le=MOST)]


@dataclass
class Asked:
    """Which messages: the one with the id `mid`, or those of a time."""

    start: Annotated[int, Query(alias="startDate", ge=0, le=_LATEST_MS)] = 0
    end: Annotated[int, Query(alias="endDate", ge=0, le=_LATEST_MS)] = _LATEST_MS
    count: Count = MOST
    order: Literal["asc", "desc"] = "asc"
    offset: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")
    ] = None
    mid: str | None = None
    uid: Annotated[str | None, Query(description="The caller's, or nothing.")] = None


Reads = Annotated[Call, caller("Device.Read")]
Operates = Annotated[Call, caller("Lock.Operate")]

router = APIRouter(prefix="/v1.1", route_class=Route, tags=["ARTIK"], responses=errors())


@router.post("/messages", responses=errors(404))
def send_message(
    body: NewOfEither, call: Annotated[Sender, caller("Lock.Operate", Sender)]
) -> MessageIdEnvelope:
    """Take a message of a device, with its token; or actions for a device, with one's own."""
    if isinstance(body, NewActions):
        if call.device is not None:
            raise Forbidden("device", "A device does not send actions.")
        return _act(call, body)
    if call.device is None:
        text = "Only a device says what it has to say: with its own token."
        raise Forbidden("no-device", text)
    if body.sdid not in (None, call.device.uid):
        raise NotFound("device")
    return _taken(messages.record(call.context, call.device, body.data, body.ts))


@router.post("/actions", responses=errors(404))
def send_actions(body: NewActions, call: Operates) -> MessageIdEnvelope:
    """Send actions to a device, as far as the rules of one's share let."""
    return _act(call, body)


@router.get("/messages", responses=errors(404), response_model_exclude_none=True)
def get_normalized_messages(
    call: Reads, asked: Annotated[Asked, Depends()], sdid: str | None = None
) -> MessagesEnvelope:
    """Messages that came from `startDate` until `endDate`, or the one with an id."""
    found, page = _history(call, messages.MESSAGE, sdid, asked)
    data = [NormalizedMessage.of(message) for message in found]
    return MessagesEnvelope(**page, sdid=sdid, data=data)


@router.get("/actions", responses=errors(404), response_model_exclude_none=True)
def get_normalized_actions(
    call: Reads, asked: Annotated[Asked, Depends()], ddid: str | None = None
) -> ActionsEnvelope:
    """Actions that came from `startDate` until `endDate`, or the one with an id."""
    found, page = _history(call, messages.ACTION, ddid, asked)
    data = [NormalizedAction.of(message) for message in found]
    return ActionsEnvelope(**page, ddid=ddid, data=data)


@router.get("/messages/last", responses=errors(404))
def get_last_normalized_messages(
    call: Reads,
    sdids: Annotated[str, Query(max_length=3_300, description="Ids with commas between.")],
    count: Count = MOST,
) -> LastEnvelope:
    """The latest messages of up to 100 devices, the newest first."""
    found: list[Message] = []
    for device_id in _split(sdids):
        device = find(call, device_id)
        found += messages.read(
            call.context, call.person, device, messages.MESSAGE, newest_first=True, most=count
        )
    found.sort(key=lambda message: message.id, reverse=True)
    data = [NormalizedMessage.of(message) for message in found[:count]]
    return LastEnvelope(sdids=sdids, count=count, size=len(data), data=data)


def _act(call: Call, body: NewActions) -> MessageIdEnvelope:
    device = find(call, body.ddid)
    data = body.data.model_dump()
    return _taken(messages.act(call.context, call.person, device, data))


def _taken(message: Message) -> MessageIdEnvelope:
    return MessageIdEnvelope(data=MessageId(mid=message.uid))


def _history(
    call: Call, kind: str, device_id: str | None, asked: Asked
) -> tuple[list[Message], dict[str, Any]]:
    """The messages that are asked for, and what a page of them says about itself."""
    if asked.uid not in (None, call.person.uid):
        raise NotFound("user")
    if asked.mid is not None:
        found = [messages.find(call.context, call.person, kind, asked.mid)]
    elif device_id is not None:
        found = list(
            messages.read(
                call.context,
                call.person,
                find(call, device_id),
                kind,
                after_id=None if asked.offset is None else int(asked.offset),
                newest_first=asked.order == "desc",
                # Whole seconds within.
                start=-(-asked.start // 1000),
                end=asked.end // 1000 + 1,
                most=asked.count,
            )
        )
    else:
        raise Invalid("name a device, or the mid of a message", code="no-device")
    return found, {
        "uid": call.person.uid,
        "start_date": asked.start,
        "end_date": asked.end,
        "order": asked.order,
        "count": asked.count,
        "size": len(found),
        "next": str(found[-1].id) if len(found) == asked.count else None,
    }


def _members(message: Message) -> dict[str, Any]:
    cts = ms(message.at)
    return {
        "cts": cts,
        "ts": cts if message.said_ms is None else message.said_ms,
        "mid": message.uid,
        "uid": message.owner_uid,
        "data": message.data,
    }


def _split(ids: str) -> set[str]:
    found = {one.strip() for one in ids.split(",") if one.strip()}
    if len(found) > MOST:
        raise Invalid(f"at most {MOST} devices at once")
    return found


# --- live ----------------------------------------------------------------------------------------


class Live:
    """A connection that is told of messages as they come. Permission is asked for each of them."""

    def __init__(self, socket: WebSocket):
        self._socket = socket
        self._service = service_of(socket)
        self._secret = secret_of(socket)[1]
        self._shared = socket.query_params.get("includeSharedDevices") == "true"
        self._wanted: set[str] = set()
        self._after = 0
        self._told: set[int] = set()

    def begin(self) -> str:
        """Find out who calls, and what for; their uid. Raises Refusal and DomainError."""
        query = self._socket.query_params
        with self._service.transaction(reads=True) as context:
            token = identify(self._socket, context)
            if not people.allows(token, "Device.Read"):
                raise Refusal(403, "scope", "This takes the scope Device.Read.")
            person = token.person
            self._wanted = _split(query.get("sdids", ""))
            if query.get("uid") not in (None, person.uid):
                raise NotFound("user")
            if not self._wanted and "uid" not in query:
                raise Invalid("name sdids, or your uid", code="no-device")
            for device_id in self._wanted:
                device = devices.find(context, person, device_id)
                permissions.require(context, person, device, permissions.Act.READ)
            self._after = messages.newest(context)
            self._told = set(range(self._after - messages.STRAGGLERS, self._after + 1))
            return person.uid

    def look(self) -> list[dict[str, Any]]:
        """What is new. Raises Refusal, 401, once the token is not good any more."""
        with self._service.transaction(reads=True) as context:
            token = people.bearer_of(context, self._secret)
            if token is None:
                raise Refusal(401, "no-token", "The token is not good any more.")
            news = messages.since(context, self._after, self._told)
            self._told.update(message.id for message in news)
            self._after = max(self._told)
            oldest = self._after - messages.STRAGGLERS
            self._told = {number for number in self._told if number >= oldest}
            return [
                _shown(message)
                for message in news
                if self._is_wanted(message, token.person)
                and messages.is_for(context, token.person, message)
            ]

    def _is_wanted(self, message: Message, person: Person) -> bool:
        if self._wanted:
            return message.device.uid in self._wanted
        return self._shared or message.device.owner_id == person.id


def _shown(message: Message) -> dict[str, Any]:
    kind = NormalizedMessage if message.type == messages.MESSAGE else NormalizedAction
    return {"type": message.type, **kind.of(message).model_dump(by_alias=True)}


_live: Counter[str] = Counter()  # connections of each person


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Messages and actions of devices as they come, with a ping every 30 s."""
    connection = Live(socket)
    try:
        uid = await run_in_threadpool(connection.begin)
        if _live[uid] >= MOST_LIVE:
            raise Refusal(429, "too-many-connections", "Close another connection first.")
        _live[uid] += 1
        try:
            await socket.accept()  # from here on nothing is missed
            await _serve(socket, connection)
        finally:
            _live[uid] -= 1
    except Refusal as refusal:
        await _refuse(socket, refusal.status, refusal.message)
    except DomainError as error:
        await _refuse(socket, STATUS[type(error)], str(error))


async def _serve(socket: WebSocket, connection: Live) -> None:
    """Tell what is new until the other side closes."""
    closed = asyncio.create_task(_until_closed(socket))
    silent_s = 0.0
    try:
        while not closed.done():
            for message in await run_in_threadpool(connection.look):
                await socket.send_json(message)
            if silent_s >= PING_S:
                await socket.send_json({"type": "ping"})
                silent_s = 0.0
            await asyncio.wait([closed], timeout=LOOK_S)
            silent_s += LOOK_S
    except WebSocketDisconnect:
        pass  # between two looks
    finally:
        closed.cancel()


async def _until_closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _refuse(socket: WebSocket, status: int, message: str) -> None:
    """Say what is wrong as an answer would, and close."""
    body = ErrorEnvelope(error=Error(code=status, message=message))
    with suppress(WebSocketDisconnect):
        if socket.application_state is WebSocketState.CONNECTING:
            await socket.accept()
        await socket.send_json(body.model_dump())
        await socket.close(_POLICY_VIOLATION)
