"""How soon garbage is collected: at once while the firmware loads, then when there is no room.

Imports only `gc`. Loading leaves garbage between what stays, and in a heap that is scattered like
that no room for a piece of 4 KB is left long before it is full. Later the numbers of a signature,
200 KB of them, would make every answer wait for collections.
"""

import gc

_THRESHOLD = getattr(gc, "threshold", None)  # CPython has none, and needs none
_SOON_BYTES = 16_384


def collect_soon() -> None:
    """Collect after every few kilobytes: before anything else is loaded."""
    if _THRESHOLD is not None:
        _THRESHOLD(_SOON_BYTES)


def collect_late() -> None:
    """Collect when there is no room, from now on."""
    if _THRESHOLD is not None:
        _THRESHOLD(-1)
