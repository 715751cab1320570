"""The lock's settings: versioned, checked when written and when read, defaults when they are lost.

Imports crypto, policy and its siblings. The version never goes back, and a version stands for one
content. Signatures are the intake's business.
"""

from ..crypto import cbor
from ..policy import reasons
from ..policy.decision import LONGEST_ERROR_S, NORMAL, PASSAGE
from ..policy.grant import FIRST_DAY, LAST_DAY, MOST_VERSION
from ..policy.instant import DAY_S, Instant
from ..policy.zone import Zone, ZoneError
from .copies import Copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files
    from .seal import Seal

LEAST_ERROR_S = 60
MOST_AUTO_LOCK_S = 3600

_FIELDS = 8


class Settings:
    """What can be set. A new one holds the defaults, whose version is 0.

    `zone` and `next_zone` are POSIX TZ strings; the latter, None if there is none, takes over at
    the Instant `next_from`. `auto_lock_s` is 0 to leave the bolt alone. `mode` is one of policy's.
    `most_error_s`: with a larger error the clock counts as unknown.
    """

    def __init__(self, zone: str = "UTC0") -> None:
        self.version = 0
        self.zone = zone
        self.next_zone: "str | None" = None
        self.next_from: "Instant | None" = None
        self.auto_lock_s = 0
        self.mode = NORMAL
        self.most_error_s = 600

    def clock_zone(self) -> Zone:
        """The zone with its successor, ready to use. Raises ZoneError."""
        if self.next_zone is None:
            return Zone(self.zone)
        return Zone(self.zone, Zone(self.next_zone), self.next_from)


def fault(settings: Settings) -> int:
    """The reason for which no lock may take these settings, `ALLOWED` if there is none."""
    if not _within(settings.version, 1, MOST_VERSION):
        return reasons.BAD_VERSION
    if not _within(settings.auto_lock_s, 0, MOST_AUTO_LOCK_S):
        return reasons.BAD_SETTINGS
    if not _within(settings.mode, NORMAL, PASSAGE):
        return reasons.BAD_SETTINGS
    if not _within(settings.most_error_s, LEAST_ERROR_S, LONGEST_ERROR_S):
        return reasons.BAD_SETTINGS
    if (settings.next_zone is None) != (settings.next_from is None):
        return reasons.BAD_SETTINGS
    if settings.next_from is not None:
        if not _within(settings.next_from.day, FIRST_DAY, LAST_DAY):
            return reasons.BAD_DATES
        if not _within(settings.next_from.second, 0, DAY_S - 1):
            return reasons.BAD_DATES
    try:
        settings.clock_zone()
    except ZoneError:
        return reasons.BAD_SETTINGS
    return reasons.ALLOWED


def _within(value: object, least: int, most: int) -> bool:
    """Whether it is an int in that range; True and False are none, on CPython either."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


class SettingsStore:
    """The settings in two folders; `current` is what counts now, at first defaults in a `zone`.

    `damaged`: some copy was not whole when it was read. `lost`: none was, so these are the
    defaults, and the cloud has to send them again. `floor`: the highest version ever, in files of
    its own, so that no older settings are taken then.
    """

    def __init__(self, folders: "tuple[Files, Files]", seal: "Seal", zone: str = "UTC0") -> None:
        self._copies = Copies(folders, "settings", seal)
        self._version = Copies(folders, "version", seal)
        content = self._copies.read()
        found = None if content is None else _decode(content)
        version = self._version.read() or b""
        self.damaged = (
            self._copies.present > self._copies.whole
            or self._version.present > self._version.whole
        )
        self.lost = found is None and self._copies.present > 0
        self.current = found or Settings(zone)
        if content is not None:
            self._copies.heal(content)
        self.floor = max(int.from_bytes(version, "big"), self.current.version)
        if self.floor:
            self._version.heal(_number(self.floor))

    def put(self, settings: Settings) -> int:
        """Keep new settings; `ALLOWED` if they count now, else why not, and nothing changed."""
        reason = fault(settings)
        if reason:
            return reason
        content = _encode(settings)
        if settings.version == self.current.version:
            same = content == _encode(self.current)
            return reasons.ALLOWED if same else reasons.CHANGED_TERMS
        if settings.version < self.floor:
            return reasons.OLD_VERSION
        self._copies.write(content)
        kept = _decode(content)
        if kept is None:
            return reasons.BAD_SETTINGS
        self.current = kept
        if settings.version > self.floor:
            self.floor = settings.version
            self._version.write(_number(self.floor))  # after a cut before this, the next boot does
        return reasons.ALLOWED


def _number(version: int) -> bytes:
    return version.to_bytes(4, "big")


def _encode(settings: Settings) -> bytes:
    at = settings.next_from
    return cbor.encode(
        [
            settings.version,
            settings.zone,
            settings.next_zone,
            at.day if at else None,
            at.second if at else None,
            settings.auto_lock_s,
            settings.mode,
            settings.most_error_s,
        ]
    )


def _decode(content: bytes) -> "Settings | None":
    """The settings, None if these bytes are not what `fault` lets through."""
    try:
        fields = cbor.decode(content)
    except cbor.CborError:
        return None
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        return None
    settings = Settings()
    settings.version, settings.zone, settings.next_zone, day, second = fields[:5]
    settings.auto_lock_s, settings.mode, settings.most_error_s = fields[5:]
    if (day is None) != (second is None):
        return None
    settings.next_from = None if day is None else Instant(day, second)
    return None if fault(settings) else settings
