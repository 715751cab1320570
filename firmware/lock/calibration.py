"""Where the ends of a bolt are on its position sensor: measured on the door, kept as a record.

Imports crypto. The numbers are millivolts at the sensor's pin. Ends that cannot be told apart
from each other or from a cut wire are refused, when they are taught and when they are read back.
"""

from ..crypto import cbor

LEAST_MV = 150  # below, and above the most, an ESP32 measures badly, and a cut wire is there
MOST_MV = 2450
LEAST_THROW_MV = 300
_LEAST_PULL = 5  # the latch's way is at least a fifth of the bolt's, and at most two of them
_MOST_PULL = 2

# Faults.
GOOD = 0
OUTSIDE = 1  # a reading that a cut or short-circuited wire could be
TOO_CLOSE = 2  # the bolt's ends are not far enough from each other
WRONG_PULL = 3  # the pulled end is not beyond the unlocked one, or too far


def fault(locked_mv: int, unlocked_mv: int, pulled_mv: "int | None") -> int:
    """Why a bolt cannot be driven by these ends; GOOD if it can. Without latch no pulled end."""
    for mv in (locked_mv, unlocked_mv, pulled_mv):
        if mv is not None and not LEAST_MV <= mv <= MOST_MV:
            return OUTSIDE
    throw = unlocked_mv - locked_mv
    if abs(throw) < LEAST_THROW_MV:
        return TOO_CLOSE
    if pulled_mv is not None:
        pull = pulled_mv - unlocked_mv if throw > 0 else unlocked_mv - pulled_mv
        if not abs(throw) <= pull * _LEAST_PULL or pull > abs(throw) * _MOST_PULL:
            return WRONG_PULL
    return GOOD


def encode(locked_mv: int, unlocked_mv: int, pulled_mv: "int | None") -> bytes:
    """The record of good ends. Raises ValueError for others."""
    if fault(locked_mv, unlocked_mv, pulled_mv):
        raise ValueError("ends")
    return cbor.encode([locked_mv, unlocked_mv, pulled_mv])


def decode(record: bytes) -> "tuple[int, int, int | None] | None":
    """The ends that `encode` wrote; None if these bytes are not that."""
    try:
        ends = cbor.decode(record)
    except cbor.CborError:
        return None
    if type(ends) is not list or len(ends) != 3:
        return None
    locked, unlocked, pulled = ends
    if type(locked) is not int or type(unlocked) is not int:
        return None
    if pulled is not None and type(pulled) is not int:
        return None
    return None if fault(locked, unlocked, pulled) else (locked, unlocked, pulled)
