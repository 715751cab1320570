"""What every function of the domain works with: one transaction, one instant."""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from ..issuers import Issuers
from . import model


@dataclass
class Context:
    """A transaction: its session, the time (Unix seconds), and with what statements are signed."""

    session: Session
    now: int
    issuers: Issuers
    base_url: str  # of this service, for links in mails, without a slash at its end
    mailed: bool = False
    touched: set[int] = field(default_factory=set)  # ids of devices for whose locks there is news

    def mail(self, to: str, subject: str, text: str, *, is_sent: bool = False) -> None:
        """Send a mail when the transaction is done, and not if it fails; `is_sent` never goes."""
        if to.endswith(".invalid"):  # RFC 6761: to nobody
            return
        sent_at = self.now if is_sent else None
        self.session.add(
            model.Mail(to=to, subject=subject, text=text, created_at=self.now, sent_at=sent_at)
        )
        self.mailed = True
