"""Through whose eyes a page looks."""

from typing import Any

from starlette.datastructures import QueryParams

from ..looking import looking, people
from ..panes import Pane
from ..stand import Stand


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """Who there is, and who looks."""
    with looking(stand, query) as look:
        return {"me": look.me, "people": people(look.ctx)}


PANE = Pane("eyes", "Who is looking", view, kinds=("cloud",))
