"""A pane: one thing that the page shows, and what can be done to it there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

# What a template is filled with, from the stand and the page's query.
View = Callable[[Any, QueryParams], dict[str, Any] | Awaitable[dict[str, Any]]]
# Does something with a form's fields; the answer is told to who did it. Raises Refused.
Action = Callable[[Any, QueryParams, QueryParams], str | Awaitable[str]]


class Refused(Exception):
    """What was asked for was not done, and why, for people."""


class Denial(str):
    """What an action tells when it was done, and the answer was a no."""


@dataclass(frozen=True)
class Pane:
    """Its template is `NAME.html`; it is made anew when an event of one of `kinds` happens.

    The names of fields in queries are the same for all panes of a page: `me`, for one, is the
    person whose eyes one looks through. `forgets` are those that are dropped once one of the
    `actions` was done.
    """

    name: str
    title: str
    view: View
    kinds: tuple[str, ...] = ()
    actions: Mapping[str, Action] = field(default_factory=dict)
    forgets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Panes below each other."""

    path: str
    title: str
    panes: tuple[Pane, ...]


def threaded(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A view or an action that asks the database, so that the stand does not wait for it."""

    async def wait(*arguments: Any) -> Any:
        return await asyncio.to_thread(function, *arguments)

    return wait


async def settled(result: Any) -> Any:
    """What a plain or an asynchronous function returned."""
    return await result if isinstance(result, Awaitable) else result
