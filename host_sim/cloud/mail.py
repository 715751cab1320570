"""Mail: from the outbox in the database into a folder, or to an SMTP server.

A mail is claimed before it is sent, and not tried again until a while later: a server that hangs
holds no transaction, and two processes do not send the same mail. One that fails at the very end
may come twice; none is lost.
"""

import logging
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine, or_, select

from .database import transaction
from .domain.model import Mail

ATTEMPTS = 8
FIRST_RETRY_S = 30  # doubled each time
_TIMEOUT_S = 20
_AT_ONCE = 50

log = logging.getLogger(__name__)


class MailError(Exception):
    """A mail URL that names no way to send."""


class Carrier(Protocol):
    """A way to send a message."""

    def send(self, message: EmailMessage, name: str) -> None:
        """Send it. Raises OSError, which SMTPException is one of; `name` is stable."""


class Folder:
    """Writes each mail into a file, `NAME.eml`."""

    def __init__(self, path: Path):
        self.path = path

    def send(self, message: EmailMessage, name: str) -> None:
        """Write the file, whole or not at all, readable by its owner only."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.path / f"{name}.part"
        partial.touch(mode=0o600)
        partial.write_bytes(message.as_bytes(policy=SMTPUTF8))
        partial.rename(self.path / f"{name}.eml")


class Smtp:
    """Sends through a server: `smtps` encrypts from the start, `smtp` as soon as it is offered.

    A password is never sent in clear.
    """

    def __init__(self, url: str):
        parts = urlsplit(url)
        self.tls = parts.scheme == "smtps"
        self.host = parts.hostname or "localhost"
        self.port = parts.port or (465 if self.tls else 587)
        self.user = unquote(parts.username or "")
        self.password = unquote(parts.password or "")

    def send(self, message: EmailMessage, name: str) -> None:
        """Hand it to the server."""
        with self._connect() as server:
            if not self.tls:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                elif self.user:
                    raise smtplib.SMTPException("the server offers no encryption for a password")
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        if self.tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_S, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)


def carrier(url: str) -> Carrier:
    """For `folder:PATH`, `smtp://USER:PASSWORD@HOST:PORT` or `smtps://...`. Raises MailError."""
    scheme, _, rest = url.partition(":")
    if scheme == "folder" and rest:
        return Folder(Path(rest))
    if scheme in ("smtp", "smtps") and rest.startswith("//"):
        try:
            return Smtp(url)
        except ValueError:
            pass
    raise MailError("a mail URL is folder:PATH, smtp://HOST or smtps://HOST")


def compose(mail: Mail, sender: str) -> EmailMessage:
    """A row of the outbox as a message; a line break in a field cannot make another header."""
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = sender
    message["To"] = _one_line(mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Message-ID"] = f"<{mail.id}.{mail.created_at}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation replies, please
    # Left as it is where possible, so that links can be copied from the file.
    message.set_content(mail.text, cte="7bit" if mail.text.isascii() else None)
    return message


def deliver(engine: Engine, now: int, by: Carrier, sender: str) -> int:
    """Try each mail that is due; how many went out."""
    sent = 0
    for mail in _claim(engine, now):
        try:
            by.send(compose(mail, sender), f"{mail.id:08}")
        except (OSError, ValueError) as error:
            # Not the text of the error: a server may repeat the mail in it.
            problem = {"mail": mail.id, "attempt": mail.attempts, "error": type(error).__name__}
            log.warning("mail not sent", extra=problem)
            continue
        with transaction(engine) as session:
            session.get_one(Mail, mail.id).sent_at = now
        sent += 1
    return sent


def _claim(engine: Engine, now: int) -> list[Mail]:
    due = or_(
        *(
            (Mail.attempts == tried) & (Mail.created_at <= now - _waited(tried))
            for tried in range(ATTEMPTS)
        )
    )
    with transaction(engine) as session:
        waiting = select(Mail).where(Mail.sent_at.is_(None), due).order_by(Mail.id)
        mails = list(session.scalars(waiting.limit(_AT_ONCE).with_for_update(skip_locked=True)))
        for mail in mails:
            mail.attempts += 1
    return mails


def _waited(tried: int) -> int:
    """How old a mail is, at least, when it is tried again."""
    return FIRST_RETRY_S * (2**tried - 1)


def _one_line(text: str) -> str:
    return " ".join(text.split())
