"""A voltage at a pin in millivolts, without the noise of one reading.

Imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_READINGS = 4


class Analog:
    """`read_mv` over a `machine.ADC`; `times_100` is the divider before it, in hundredths."""

    def __init__(self, adc: "Any", times_100: int = 100):
        self._adc = adc
        self._times_100 = times_100

    def read_mv(self) -> int:
        """The mean of a few readings, as the chip's own calibration has them."""
        total_uv = 0
        for _ in range(_READINGS):
            total_uv += self._adc.read_uv()
        return total_uv // (_READINGS * 1000) * self._times_100 // 100
