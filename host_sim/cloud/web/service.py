"""What all requests share: configuration, database, clock, limits, metrics."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import Engine, func, select

from firmware.policy.instant import from_unix

from .. import issuer, mail
from ..config import Config
from ..database import transaction
from ..domain import issuing
from ..domain.context import Context
from ..domain.model import Mail
from ..issuers import Issuers
from ..keys import KeyFileError
from ..link.certificates import Certificates
from .limits import Limits

Clock = Callable[[], int]

log = logging.getLogger(__name__)


class Service:
    """One running share service. Raises MailError and KeyFileError."""

    def __init__(self, config: Config, engine: Engine, clock: Clock):
        self.config = config
        self.engine = engine
        self.clock = clock
        self.limits = Limits()
        self.issuers = Issuers.prepare(config.keys_folder, clock())
        self.certificates = Certificates(config.tls_folder)
        self.metrics = Metrics()
        self.new_mail: Callable[[], None] = lambda: None
        self.news_for: Callable[[set[int]], None] = lambda devices: None
        self._carrier = mail.carrier(config.mail_url)

    @contextmanager
    def transaction(self, *, reads: bool = False) -> Iterator[Context]:
        """A transaction at this instant; what it mails goes out once it is done.

        One that only `reads` cannot change anything, and waits for nobody.
        """
        with transaction(self.engine, reads=reads) as session:
            base_url = self.config.base_url.rstrip("/")
            context = Context(session, self.clock(), self.issuers, base_url)
            yield context
        if context.mailed:
            self.new_mail()
        if context.touched:
            self.news_for(context.touched)

    def time(self, lock: str, nonce: bytes | None) -> bytes:
        """The time for the lock with an id, as it travels."""
        change = issuer.time(lock.encode(), from_unix(self.clock()), nonce)
        return issuer.sign(change, self.issuers.key(self.issuers.current))

    def deliver_mail(self) -> int:
        """Send what is due; how many mails went out."""
        sender = f"sharelock@{self.config.host}"
        sent = mail.deliver(self.engine, self.clock(), self._carrier, sender)
        self.metrics.mails.inc(sent)
        return sent

    def renew_leases(self) -> int:
        """Renew what needs it; how many grants."""
        with self.transaction() as context:
            return issuing.renew_leases(context)

    def read_keys(self) -> None:
        """Let the newest key of the issuer sign, if there is another one now."""
        try:
            fresh = self.issuers.again(self.clock())
        except (KeyFileError, OSError) as error:
            log.error("keys not read", extra={"error": str(error)})
            return
        if fresh.current != self.issuers.current:
            log.info("new issuer", extra={"kid": fresh.current.hex()})
        self.issuers = fresh

    def waiting_mails(self) -> int:
        """How many mails were not sent yet."""
        with transaction(self.engine, reads=True) as session:
            waiting = select(func.count()).select_from(Mail).where(Mail.sent_at.is_(None))
            return session.scalar(waiting) or 0


class Metrics:
    """What Prometheus reads. Labels are names of routes, never of people or things."""

    def __init__(self) -> None:
        self.registry = into = CollectorRegistry()
        route = ("method", "route")
        self.requests = Counter(
            "sharelock_requests", "Answers by status.", (*route, "status"), registry=into
        )
        self.seconds = Histogram(
            "sharelock_request_seconds", "From request to answer.", route, registry=into
        )
        self.mails = Counter("sharelock_mails_sent", "Mails that went out.", registry=into)
        self.waiting = Gauge(
            "sharelock_mails_waiting", "Mails that did not go out yet.", registry=into
        )
