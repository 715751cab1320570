"""Damage to what is kept in two copies beside the log, as entries of the log.

Imports `entry`. The log and the grants report theirs themselves.
"""

from . import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..policy.decision import Now
    from .log import Log


def enter(
    log: "Log",
    now: "Now",
    settings: "Any",
    floor: "Any",
    sync: "Any",
    root: "Any" = None,
    ends: "Any" = None,
) -> None:
    """After boot: an entry for each of them that lost a copy, which is made again by now."""
    for reason, kept in (
        (entry.SETTINGS_COPIES, settings),
        (entry.FLOOR_COPIES, floor),
        (entry.SYNC_COPIES, sync),
        (entry.ISSUER_COPIES, root),
        (entry.ENDS_COPIES, ends),
    ):
        if kept is not None and kept.damaged:
            log.append(entry.DAMAGE, now, reason)
