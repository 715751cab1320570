"""Time zones by their names: the POSIX string that a lock keeps for `Europe/Warsaw`."""

from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

from firmware.policy.zone import Zone, ZoneError


def posix(name: str) -> str:
    """The POSIX TZ string of a zone of the tz database, or `name` itself if it is such a string.

    It tells the zone's rule from its last change of law on. Raises ZoneError.
    """
    if name in available_timezones():
        *folders, file = name.split("/")
        package = ".".join(["tzdata", "zoneinfo", *folders])
        data = resources.files(package).joinpath(file).read_bytes()
        return data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")
    try:
        Zone(name)
    except ZoneError as error:
        if "/" in name and "," not in name:
            raise ZoneError(name, 0, "is no zone of the tz database") from None
        raise error
    return name


def known(name: str) -> ZoneInfo | None:
    """The zone of the tz database with this name, None for a POSIX string."""
    return ZoneInfo(name) if name in available_timezones() else None
