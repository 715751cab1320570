"""For who has the time: the firmware computes with points in slices. Imports nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generator


def finish(steps: "Generator[None, None, Any]") -> "Any":
    """The result of what computes in slices, all at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
