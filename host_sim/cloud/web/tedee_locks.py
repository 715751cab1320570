"""tedee's locks: what somebody may see of theirs, and what they ask them to do.

There is no bridge here: a lock is connected when it says so itself. `Device.state` is what it last
said: `lock` (0 unlocked, 1 locked, 2 pulled), `jammed`, `door`, `battery` in percent, `charging`
and `connected`, as far as it knows.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query

from ..domain import devices, operations, permissions, terms
from ..domain.model import OWNERSHIP, Device, Operation
from .auth import Call, caller
from .fields import instant
from .problems import Refusal
from .tedee import VERSIONS, Answer, Envelope, Id, failures, identity, routes
from .tedee_shares import ShareItem, item

LOCK_PRO = 2  # tedee's type of all our locks
NO_ACCESS = 3
WITH_PULL = 4

Reader = Annotated[Call, caller("Device.Read")]
Operator = Annotated[Call, caller("Lock.Operate")]

_STATES = {0: 2, 1: 6, 2: 7}  # of Device.state, to unlocked, locked, pulled
_MOVING = {"UNLOCKING": 4, "LOCKING": 5}
_UNKNOWN = 9
_DOORS = {"open": 2, "closed": 3}
_NO_CONTACT = 0
_TYPES = {"lock": 0, "unlock": 1, "pull": 2}

router = routes(*VERSIONS)


class State(Answer):
    """What a lock last said; `state` 2 is unlocked, 6 locked, 7 pulled, 9 unknown.

    `doorState` is 2 open, 3 closed, 0 for a lock that has no contact at its door.
    """

    state: int
    is_charging: bool
    battery_level: int | None
    door_state: int
    state_change_result: int
    last_state_changed_date: datetime | None


class Settings(Answer):
    """Settings of a lock, as far as it has them."""

    auto_lock_enabled: bool
    auto_lock_delay: int
    pull_spring_enabled: bool = True
    auto_pull_spring_enabled: bool = False


class Lock(Answer):
    """A lock; `lockProperties` and `deviceState` are the same, for older and newer clients."""

    id: int
    connected_to_id: int | None = None
    serial_number: str
    name: str
    user_identity: UUID
    type: int = LOCK_PRO
    created: datetime
    revision: int
    device_revision: int
    target_device_revision: int
    time_zone: str
    is_connected: bool
    access_level: int
    share_details: ShareItem | None
    device_settings: Settings
    lock_properties: State | None
    device_state: State | None
    software_versions: list[None] = []


class Details(Answer):
    """All devices of somebody by their kind."""

    bridges: list[None] = []
    locks: list[Lock]
    keypads: list[None] = []
    gates: list[None] = []
    dry_contacts: list[None] = []


class Sync(Answer):
    """What may have changed about a lock."""

    id: int
    is_connected: bool
    lock_properties: State | None
    device_state: State | None
    revision: int


class Accepted(Answer):
    """An operation that was taken in, and is now up to the lock."""

    operation_id: str
    last_state_changed_date: datetime | None


class Progress(Answer):
    """An operation; its `result` is 0 for done, or the number of the lock's reason."""

    device_id: int
    operation_id: str
    result: int | None
    status: Literal["PENDING", "COMPLETED"]
    type: int


Locks = Envelope[list[Lock]]
OneLock = Envelope[Lock]
AllDetails = Envelope[Details]
Syncs = Envelope[list[Sync]]
OneSync = Envelope[Sync]
Begun = Envelope[Accepted]
Polled = Envelope[Progress]
Bridges = Envelope[list[None]]


@router.get("/my/lock/", include_in_schema=False)
@router.get("/my/lock", responses=failures())
@router.get("/my/device/", include_in_schema=False)
@router.get("/my/device", responses=failures())
def list_locks(
    call: Reader,
    page: Annotated[int, Query(alias="Page", ge=1, le=10_000)] = 1,
    items: Annotated[int, Query(alias="ItemsPerPage", ge=1, le=10_000)] = 10_000,
) -> Locks:
    """All locks that the caller may see."""
    known = devices.known_to(call.context, call.person)
    return Locks(result=[_lock(call, each) for each in known[(page - 1) * items : page * items]])


@router.get("/my/device/details", responses=failures())
def list_details(call: Reader) -> AllDetails:
    """All devices that the caller may see, by their kind."""
    known = devices.known_to(call.context, call.person)
    return AllDetails(result=Details(locks=[_lock(call, each) for each in known]))


@router.get("/my/bridge/", include_in_schema=False)
@router.get("/my/bridge", responses=failures())
def list_bridges(call: Reader) -> Bridges:
    """None: locks reach the cloud by themselves."""
    return Bridges(result=[])


@router.get("/my/lock/sync", responses=failures())
def sync_all(call: Reader, ids: Annotated[list[Id] | None, Query(alias="id")] = None) -> Syncs:
    """The states of all locks, or of those that are named."""
    known = devices.known_to(call.context, call.person)
    return Syncs(result=[_sync(each) for each in known if ids is None or each.id in ids])


@router.get("/my/lock/{lock_id}", responses=failures(404))
def get_lock(call: Reader, lock_id: Id) -> OneLock:
    """A lock."""
    return OneLock(result=_lock(call, devices.find(call.context, call.person, lock_id)))


@router.get("/my/lock/{lock_id}/sync", responses=failures(404))
def sync_one(call: Reader, lock_id: Id) -> OneSync:
    """The state of a lock."""
    return OneSync(result=_sync(devices.find(call.context, call.person, lock_id)))


@router.post("/my/lock/{lock_id}/operation/{action}", status_code=202, responses=failures(404))
def operate(
    call: Operator,
    lock_id: Id,
    action: Annotated[Literal["lock", "unlock", "pull"], Path()],
    mode: Annotated[int, Query(ge=0, le=WITH_PULL)] = 0,
) -> Begun:
    """Ask a lock for something. It decides itself, and `my/device/operation` tells what.

    `unlock` with mode 4 pulls the latch, too; other modes make no difference.
    """
    device = devices.find(call.context, call.person, lock_id)
    if mode == WITH_PULL and action == "unlock":
        action = "pull"
    operation = operations.ask(call.context, call.person, device, action)
    return Begun(
        result=Accepted(operation_id=operation.uid, last_state_changed_date=_changed(device)),
        status_code=202,
    )


@router.get("/my/device/operation/{operation_id}", responses=failures(404))
def poll(call: Reader, operation_id: str) -> Polled:
    """What has become of an operation that the caller asked for."""
    return _polled(operations.find(call.context, call.person, operation_id))


@router.get("/my/device/{device_id}/operation/{operation_id}", responses=failures(404))
def poll_of_device(call: Reader, device_id: Id, operation_id: str) -> Polled:
    """The same under its device."""
    operation = operations.find(call.context, call.person, operation_id)
    if operation.device_id != device_id:
        raise Refusal(404, "not-found", "There is no such operation.")
    return _polled(operation)


def _polled(operation: Operation) -> Polled:
    return Polled(
        result=Progress(
            device_id=operation.device_id,
            operation_id=operation.uid,
            result=operation.result,
            status="PENDING" if operation.done_at is None else "COMPLETED",
            type=_TYPES[operation.action],
        )
    )


def _lock(call: Call, device: Device) -> Lock:
    share = permissions.share_of(call.context, call.person, device)
    auto_lock_s = device.settings.get("auto_lock_s", 0)
    return Lock(
        **_state(device),
        id=device.id,
        serial_number=device.lock_id,
        name=device.name,
        user_identity=identity(device.owner.uid),
        created=instant(device.created_at),
        revision=device.settings_version,
        device_revision=device.settings_version,
        target_device_revision=device.settings_version,
        time_zone=device.zone,
        access_level=NO_ACCESS if share is None else terms.level(share),
        share_details=None if share is None or share.origin == OWNERSHIP else item(share),
        device_settings=Settings(auto_lock_enabled=auto_lock_s > 0, auto_lock_delay=auto_lock_s),
    )


def _sync(device: Device) -> Sync:
    return Sync(**_state(device), id=device.id, revision=device.settings_version)


def _state(device: Device) -> dict[str, Any]:
    said = device.state
    state = device.state_at and State(
        state=_MOVING.get(said.get("moving") or "") or _STATES.get(said.get("lock", -1), _UNKNOWN),
        is_charging=said.get("charging", False),
        battery_level=said.get("battery"),
        door_state=_DOORS.get(said.get("door") or "", _NO_CONTACT),
        state_change_result=int(said.get("jammed", False)),
        last_state_changed_date=_changed(device),
    )
    return {
        "is_connected": said.get("connected", False),
        "lock_properties": state,
        "device_state": state,
    }


def _changed(device: Device) -> datetime | None:
    return None if device.state_at is None else instant(device.state_at)
