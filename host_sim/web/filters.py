"""How templates write instants, reasons and addresses."""

from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Zone
from host_sim import words
from host_sim.cloud.preview import shown
from host_sim.cloud.terms import read_instant

UTC = Zone("UTC0")


def moment(at_s: int, zone: Zone = UTC) -> str:
    """Unix seconds for people: `Fri 27 Mar 2026, 22:00:00 +01:00`."""
    local = shown(from_unix(at_s), zone)
    offset = "UTC" if zone is UTC else local.isoformat()[-6:]
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S} {offset}"


def instant(text: str, zone: Zone = UTC) -> str:
    """The same for an instant as terms have it."""
    return moment(to_unix(read_instant(text, zone)), zone)


def with_(query: QueryParams, changes: dict[str, str]) -> str:
    """A query with some fields changed; without those that are empty."""
    fields = [each for each in query.multi_items() if each[0] not in changes]
    return urlencode([each for each in (*fields, *changes.items()) if each[1]])


FILTERS = {
    "instant": instant,
    "moment": moment,
    "reason": words.name,
    "sentence": words.text,
    "with": with_,
}
