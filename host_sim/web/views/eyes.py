"""Through whose eyes a page looks."""

from typing import Any

from starlette.datastructures import QueryParams

from ..looking import looking, people
from ..panes import Pane, threaded
from ..stand import Stand


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """Who there is, and who looks."""
    with looking(stand, query) as look:
        everybody = [(each.email_key, each.name) for each in people(look.ctx)]
        return {"me": look.me.email_key, "people": everybody}


PANE = Pane("eyes", "Who is looking", threaded(view), kinds=("cloud",))
