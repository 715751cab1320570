"""Long calculations are generators: what they yield is a place to do something else.

Imports nothing. Between two such places there are at most SLICE field multiplications, some 20 ms
of a chip.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generator

SLICE = 160


def finish(steps: "Generator[None, None, Any]") -> "Any":
    """The result, for who has the time to wait for it."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
