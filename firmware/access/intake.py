"""The intake of statements: whole or not at all, with a reason.

Imports crypto, policy, store and its siblings. What counts is signature, audience, version and
sequence, never the way by which a statement came; the same one again changes nothing. No statement
makes it raise; OSError of a broken flash passes through.

A signature is checked in slices, and between them anything may happen, other statements included.
What follows is one piece, which first makes sure that who signed still counts.
"""

from ..crypto import cose
from ..crypto.slices import finish
from ..policy import reasons
from ..policy.decision import UNKNOWN, Now
from ..policy.instant import Instant
from ..store import entry
from . import changes, claims
from .batch import Batch
from .snapshot import Page
from .statements import (
    ACK,
    BATCH,
    CHANGE,
    COMMAND,
    GRANT,
    ISSUER,
    SETTINGS,
    SNAPSHOT,
    TIME,
    Command,
    read_ack,
    read_issuer,
    read_settings,
    read_time,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generator

    from ..clock.clock import Clock
    from ..crypto.p256 import PublicKey
    from ..store.log import Log
    from ..store.settings import SettingsStore
    from ..store.strangers import Strangers
    from .remote import Remote
    from .root import Root
    from .sync import Sync

LARGEST = 1024  # bytes of a statement; a grant with eight dated rules has some 400
LARGEST_BATCH = 6144  # 40 grants with the longest ids and three dated rules each, or 60 short ones

NO_KIND = 0xFF  # in the log, for what is no statement

COSE_REASONS = {
    cose.MALFORMED: reasons.MALFORMED,
    cose.HEADER: reasons.CRITICAL_UNKNOWN,
    cose.ALGORITHM: reasons.WRONG_ALGORITHM,
    cose.CRITICAL: reasons.CRITICAL_UNKNOWN,
    cose.KID: reasons.UNKNOWN_ISSUER,
    cose.KEY: reasons.BAD_KEY,
    cose.POINT: reasons.BAD_KEY,
    cose.SIGNATURE: reasons.BAD_SIGNATURE,
}


class Intake:
    """Takes in statements for one lock (its id) from one issuer (its PublicKey) into a cache.

    The cache has the methods of `store.grants.Grants`. What a lock has no part for is a kind that
    it does not know: `sync` for revocations, batches and snapshots, `clock` for times, `settings`,
    `root` for new issuers (it then knows the issuer, too), `remote` for commands, and `log` for
    acknowledgements. Every statement with the right signature is then entered there, whatever
    became of it; all others are counted as `strangers`, which come with a log.
    """

    def __init__(
        self,
        lock: bytes,
        issuer: "PublicKey",
        cache: "Any",
        sync: "Sync | None" = None,
        clock: "Clock | None" = None,
        settings: "SettingsStore | None" = None,
        log: "Log | None" = None,
        strangers: "Strangers | None" = None,
        root: "Root | None" = None,
        remote: "Remote | None" = None,
    ):
        self._lock = lock
        self._issuer = issuer
        self._cache = cache
        self._sync = sync  # type: Any
        self._clock = clock  # type: Any
        self._settings = settings  # type: Any
        self._log = log  # type: Any
        self._strangers = strangers  # type: Any
        self._root = root  # type: Any
        self._remote = remote  # type: Any
        self._now = Now(Instant(), 0, UNKNOWN)
        self._unfinished = False  # a batch or page was begun, and the flash failed
        self._about = (NO_KIND, b"", b"")  # kind, share and key of the statement at hand
        self._takers = {GRANT: self._take_change}
        if sync is not None:
            for kind in CHANGE:
                self._takers[kind] = self._take_change
            self._takers[BATCH] = self._take_batch
            self._takers[SNAPSHOT] = self._take_page
        if clock is not None:
            self._takers[TIME] = self._take_time
        if settings is not None:
            self._takers[SETTINGS] = self._take_settings
        if root is not None:
            self._takers[ISSUER] = self._take_issuer
        if remote is not None:
            self._takers[COMMAND] = self._take_command
        if log is not None:
            self._takers[ACK] = self._take_ack

    def accept(self, token: bytes) -> int:
        """Take in a statement: `ALLOWED` if it is in force now, else why not, and nothing changed.

        For a time it is the number of what happened to the clock.
        """
        reason: int = finish(self.accepting(token))
        return reason

    def accepting(self, token: bytes) -> "Generator[None, None, int]":
        """The same in slices. Left before its end, it has changed nothing."""
        is_signed = False
        try:
            statement = self._parse(token)
            signer = self._signer(statement)
            payload = yield from cose.verifying(statement, signer)
            if self._unfinished:
                self.recover()
            is_signed = signer is self._signer(statement)
            reason = (
                self._take(payload, statement.typ, token) if is_signed else reasons.UNKNOWN_ISSUER
            )
        except (claims.ClaimsError, cose.CoseError) as error:
            reason = _reason_of(error)
        self._enter(reason, is_signed)
        return reason

    def recover(self) -> int:
        """After boot, before anything else: finish what a power cut interrupted.

        `ALLOWED` if there is none or it is done now, otherwise why it cannot be.
        """
        self._unfinished = True  # until it is known
        token = self._sync.journal() if self._sync else None
        if token is None:
            self._unfinished = False
            return reasons.ALLOWED
        self._about = (BATCH - GRANT, b"", b"")
        try:
            reason = self._redo(token)
        except (claims.ClaimsError, cose.CoseError) as error:
            reason = _reason_of(error)
        if reason:
            self._sync.end()
        self._unfinished = False
        self._enter(reason, True)  # it was signed when it came
        return reason

    def _parse(self, token):
        if len(token) > (LARGEST if self._sync is None else LARGEST_BATCH):
            raise claims.ClaimsError(reasons.TOO_LARGE)
        statement = cose.parse(token, LARGEST_BATCH)
        if len(token) > LARGEST and statement.typ not in (BATCH, SNAPSHOT):
            raise claims.ClaimsError(reasons.TOO_LARGE)
        return statement

    def _signer(self, statement):
        """Who has to have signed it: the issuer, or the root if it names an issuer."""
        signer = self._issuer
        if self._root is not None:
            signer = self._root.key if statement.typ == ISSUER else self._root.issuer
        if signer is None:
            raise cose.CoseError(cose.KID)
        return signer

    def _take(self, payload, typ, token):
        self._about = (NO_KIND, b"", b"")
        take = self._takers.get(typ)
        if take is None:
            return reasons.UNKNOWN_KIND
        self._about = (typ - GRANT, b"", b"")
        return take(payload, typ, token)

    def _enter(self, reason, is_signed):
        if self._log is None:
            return
        if not is_signed:
            self._strangers.note(reason)
            return
        if self._clock is not None:
            self._clock.read(self._now)
        kind, share, key = self._about
        self._log.append(entry.STATEMENT, self._now, reason, kind, share, key)

    def _signed(self, issued):
        """A statement of the issuer was taken in: the time of its issue has passed."""
        if self._clock is not None:
            self._clock.signed(issued)
        return reasons.ALLOWED

    # --- grants and revocations ------------------------------------------------------------------

    def _take_change(self, payload, typ, token):
        change = CHANGE[typ](payload)
        self._about = (typ - GRANT, change.share, change.key or b"")
        if change.lock != self._lock:
            return reasons.OTHER_LOCK
        reason = change.check() or self._out_of_order(change)
        if not reason:
            reason = self._keep(change.grant) if change.grant else self._revoke(change)
        return reason or self._signed(change.issued)

    def _out_of_order(self, change):
        """What batches have passed may only renew what is there."""
        sync = self._sync
        if sync is None or not (sync.needs_snapshot() or sync.is_old(change.sequence)):
            return reasons.ALLOWED
        if change.grant and changes.is_renewal(self._cache, change.grant):
            return reasons.ALLOWED
        return reasons.SEQUENCE_LOST if sync.needs_snapshot() else reasons.OLD_SEQUENCE

    def _keep(self, grant):
        reason = changes.passed_on(self._cache, grant) or changes.stale(self._cache, grant)
        if reason or changes.is_held(self._cache, grant):
            return reason
        return reasons.ALLOWED if self._cache.put(grant) else reasons.CACHE_FULL

    def _revoke(self, change):
        return changes.revoke(self._cache, self._sync, change)

    # --- batches ---------------------------------------------------------------------------------

    def _take_batch(self, payload, typ, token):
        batch = Batch(payload)
        if batch.lock != self._lock:
            return reasons.OTHER_LOCK
        if self._sync.needs_snapshot():
            return reasons.SEQUENCE_LOST
        if batch.last <= self._sync.applied:
            return self._signed(batch.issued)
        if batch.first != self._sync.applied + 1:
            return reasons.SEQUENCE_GAP
        reason = changes.obstacle(self._cache, batch)
        return reason or self._apply(token, self._finish, batch)

    def _apply(self, token, finish, change):
        """Do what nothing is in the way of; from here on a cut or broken flash only delays it."""
        self._unfinished = True
        self._sync.begin(token)
        reason = finish(change)
        if reason:
            self._sync.end()
        self._unfinished = False
        return reason or self._signed(change.issued)

    def _redo(self, token):
        """Finish what is in the journal, which is trusted no more than when it came."""
        statement = cose.parse(token, LARGEST_BATCH)
        if statement.typ not in (BATCH, SNAPSHOT):
            return reasons.UNKNOWN_KIND
        self._about = (statement.typ - GRANT, b"", b"")
        payload = cose.verify(statement, self._signer(statement))
        if statement.typ == SNAPSHOT:
            return self._redo_page(Page(payload))
        batch = Batch(payload)
        if batch.lock != self._lock:
            return reasons.OTHER_LOCK
        if self._sync.needs_snapshot():
            return reasons.SEQUENCE_LOST
        if batch.last > self._sync.applied and batch.first != self._sync.applied + 1:
            return reasons.SEQUENCE_GAP
        return self._finish(batch) or self._signed(batch.issued)

    def _finish(self, batch):
        """Do what is left of a batch that is in the journal; each step may be done again."""
        if batch.last > self._sync.applied:
            if not changes.apply(self._cache, batch):
                return reasons.CACHE_FULL
            self._sync.advance(batch.last)
        for share, key, _ in batch.revocations:
            if not self._sync.is_ahead(share, key):
                self._cache.forget(share, key)
        self._forget_passed()
        return reasons.ALLOWED

    def _forget_passed(self):
        for passed in self._sync.passed():
            self._cache.forget(passed.share, passed.key)
        self._sync.drop_passed()
        self._sync.end()

    # --- snapshots -------------------------------------------------------------------------------

    def _take_page(self, payload, typ, token):
        page = Page(payload)
        reason = self._refusal(page)
        if reason:
            return reason
        if self._sync.is_done(page):
            return self._signed(page.issued)
        if page.number == 1 and self._cache.is_hurt():
            self._sync.turn(page, 0)  # no other change may come in where revocations were dropped
            self._cache.mend()
        reason = changes.obstacle(self._cache, page)
        return reason or self._apply(token, self._finish_page, page)

    def _refusal(self, page):
        if page.lock != self._lock:
            return reasons.OTHER_LOCK
        return self._sync.refusal(page, self._root.epoch if self._root else 0)

    def _redo_page(self, page):
        return self._refusal(page) or self._finish_page(page) or self._signed(page.issued)

    def _finish_page(self, page):
        """Do what is left of a page that is in the journal; each step may be done again."""
        if not self._sync.is_done(page):
            page.sweep(self._cache)
            if not changes.apply(self._cache, page):
                return reasons.CACHE_FULL
            if page.number == page.pages:
                self._cache.restored()
            self._sync.turn(page, page.number)
        self._forget_passed()
        return reasons.ALLOWED

    # --- the rest --------------------------------------------------------------------------------

    def _take_time(self, payload, typ, token):
        header, nonce = read_time(payload)
        if header.lock != self._lock:
            return reasons.OTHER_LOCK
        if nonce is None:
            return self._clock.signed(header.issued)
        return self._clock.answered(header.issued, nonce)

    def _take_settings(self, payload, typ, token):
        header, settings = read_settings(payload)
        if header.lock != self._lock:
            return reasons.OTHER_LOCK
        return self._settings.put(settings) or self._signed(header.issued)

    def _take_ack(self, payload, typ, token):
        header, sequence, link = read_ack(payload)
        if header.lock != self._lock:
            return reasons.OTHER_LOCK
        if not self._log.acknowledge(sequence, link):
            return reasons.BAD_ACK
        return self._signed(header.issued)

    def _take_command(self, payload, typ, token):
        command = Command(payload)
        self._about = (typ - GRANT, command.share, b"")
        if command.lock != self._lock:
            return reasons.OTHER_LOCK
        reason = command.check() or self._remote.take(command)
        return reason or self._signed(command.issued)

    def _take_issuer(self, payload, typ, token):
        issued, epoch, key = read_issuer(payload)
        return self._root.name(epoch, key) or self._signed(issued)


def _reason_of(error):
    """A ClaimsError has a reason, a CoseError a code of its own."""
    return error.reason if isinstance(error, claims.ClaimsError) else COSE_REASONS[error.code]
