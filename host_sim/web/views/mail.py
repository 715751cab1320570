"""The e-mails that the cloud sent, the newest first."""

import re
from typing import Any, NamedTuple

from sqlalchemy import select
from starlette.datastructures import QueryParams

from host_sim.cloud.domain.model import Mail

from ..panes import Pane, threaded
from ..stand import Stand

MOST = 30
_LINK = re.compile(r"(https?://\S+)")


class Shown(NamedTuple):
    """A mail; `parts` are its text in turns with the addresses in it, which come second."""

    id: int
    to: str
    subject: str
    parts: list[str]
    created_at: int
    sent: bool


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """The mails of everybody: one person plays them all."""
    with stand.cloud.transaction(reads=True) as ctx:
        newest = select(Mail).order_by(Mail.id.desc()).limit(MOST)
        mails = [
            Shown(
                mail.id,
                mail.to,
                mail.subject,
                _LINK.split(mail.text),
                mail.created_at,
                mail.sent_at is not None,
            )
            for mail in ctx.session.scalars(newest)
        ]
    return {"mails": mails}


PANE = Pane("mail", "E-mails sent", threaded(view), kinds=("mail", "cloud"))
