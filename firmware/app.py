"""The lock as a whole: every part is made here, once, and given to those that need it.

Imports all layers; what it does to the outside goes through `hardware`, see `hal.hardware`. The
bolt, its button and its sensors are served first, and nothing else keeps them from that: all other
work goes through `tasks`, which tells what fails and tries it again. An exception that leaves
`step` ends the program, and main.py starts it anew.
"""

from . import heap
from .access.door import Door
from .access.inbox import Inbox
from .access.intake import Intake
from .access.remote import Remote
from .access.root import Root
from .access.sync import Sync
from .clock import epoch
from .clock.clock import Clock
from .clock.ds3231 import Ds3231
from .clock.ticks import Ticks
from .crypto.kdf import HASH_BYTES, hkdf_expand
from .crypto.slices import finish
from .lock import longpress
from .lock.assembly import make_doorway, make_signal
from .policy import reasons
from .policy.decision import PASSAGE, UNKNOWN, Now
from .policy.instant import Instant
from .store import cloud, damage, entry, identity, wifi
from .store.ends import Ends
from .store.floor import Floor
from .store.grants import Grants
from .store.log import Log
from .store.settings import SettingsStore
from .store.strangers import Strangers
from .tasks import Tasks
from .unload import unload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Generator, Iterator

    from .link.clerk import Clerk
    from .link.gatt import Gatt
    from .store.identity import Identity
    from .store.settings import Settings

    Say = Callable[[str], None]

NOT_PROVISIONED = "This lock is not provisioned: lockctl provision"

VERSION = "0.1.0"
ABOUT = ["Sharelock", VERSION]
TICK_MS = 1000
SCRUB_S = 1200  # until the next segment of the log is checked; less than a day for a full ring
SAFE_AFTER = 3  # crashes in a row; then it does without network and mail
HEALTHY_S = 300  # after so long the crashes before do not count any more,
SAFE_S = 3600  # and after so long in safe mode it tries all of it again
_NAP_MS = 50  # the longest wait, so that a pulse ends and a tick comes in time
_CALENDAR_OFF_S = 1  # how far the board's calendar may be from the clock


class Lock:
    """A provisioned lock on its flash; `start` it, and then call `step` for ever.

    `door` answers requests, `accept` takes statements (`accepting`: in slices, for who must not
    hold the loop), `clock.ask` makes a nonce.
    `say(text)` tells a person at the prompt what happens.
    """

    def __init__(
        self,
        hardware: "Any",
        flash: "Any",
        who: "Identity",
        say: "Say",
        make_clock: "Callable[..., Clock]" = Clock,
    ):
        self._hardware = hardware
        self._watchdog = hardware.watchdog
        self._say = say
        self._tasks = Tasks(hardware.watchdog, self._failed)
        self._now = Now(Instant(), 0, UNKNOWN)
        self._ticked_ms = hardware.ticks_ms()
        self._happened = (reasons.NOTHING, 0)  # at the door, last
        self._applied: "Settings | None" = None
        ticks = self.ticks = Ticks(hardware.ticks_ms, hardware.ticks_diff)
        seal = who.seal()
        self._floor = Floor(flash.pair, seal)
        self.clock = make_clock(ticks, hardware.random, self._floor, Ds3231(hardware.bus))
        self.log = Log(flash.log, flash.state, hkdf_expand(who.device_key, b"log", HASH_BYTES))
        self.grants = Grants(flash.grants, flash.ledger, who.device_key, who.lock)
        self.settings = SettingsStore(flash.pair, seal, who.zone)
        self.sync = Sync(flash.pair, seal)
        self.root = Root(who.root, who.issuer, flash.pair, seal) if who.root else None
        strangers = self.strangers = Strangers(self.log)
        self._ends = Ends(flash.pair, seal)
        self.doorway = make_doorway(hardware, self._ends.record, self._note)
        self._signal = make_signal(hardware)
        self._long_press = longpress.LongPress(hardware.ticks_ms, hardware.ticks_diff)
        self._wipe = flash.wipe
        self._answers = 0  # that people were told
        self.door = Door(
            self.grants, self.log, strangers, self.clock, ticks,
            self.settings.current.clock_zone(), self.doorway,
        )  # fmt: skip
        self.remote = Remote(self.grants, self.door, ticks, hardware.random)
        self.intake = Intake(
            who.lock, who.issuer,
            self.grants, self.sync, self.clock, self.settings, self.log, strangers,
            self.root, self.remote,
        )  # fmt: skip
        self._inbox = Inbox(flash.statements, self.accepting, say)
        self._takes_mail = self._has_mail = True
        self._clerk: "Clerk | None" = None
        self._gatt: "Gatt | None" = None
        self._scan: "Iterator[None]" = iter(())
        self._scrub: "Iterator[None]" = iter(())

    # --- from boot to stop ----------------------------------------------------------------------

    def start(self) -> None:
        """After power came: what was cut off is finished, and the log has the boot.

        The clock comes first, so that the entry has a time. A flash that is broken or full keeps
        nobody from the door.
        """
        run = self._tasks.run
        event = run(b"clock", self.clock.start)
        run(b"log", self._open_log)
        self._enter(event)
        self.clock.read(self._now)
        kept = self.settings, self._floor, self.sync, self.root, self._ends
        damage.enter(self.log, self._now, *kept)
        self._apply_settings()
        run(b"recover", self.intake.recover)
        self._scan = self.grants.scan()
        self._tick()

    def _open_log(self) -> None:
        if not self.log.is_open:
            self.clock.read(self._now)
            self.log.open(self._now)

    def stop(self) -> None:
        """Before power goes, if somebody says so: nothing is left to be found out at boot."""
        self.doorway.stop()
        self.door.tick()
        self.log.close()

    def enter_crashes(self, count: int) -> None:
        """Let the log know that so many runs in a row did not end well."""
        if count:
            self.log.append(entry.BOOT, self._now, entry.CRASHED, count=count)

    def take_no_mail(self) -> None:
        """From now on leave statements in their files alone."""
        self._takes_mail = self._has_mail = False

    def connect(self, clerk: "Clerk") -> None:
        """From now on this one speaks for the lock to its cloud."""
        self._clerk = clerk

    def meet(self, gatt: "Gatt") -> None:
        """From now on phones come this way."""
        self._gatt = gatt

    def key(self) -> bytes:
        """By which phones know the lock, 64 bytes; empty if there are none, or not yet."""
        return self._gatt.visits.point if self._gatt is not None else b""

    def accept(self, token: bytes) -> int:
        """Take in a statement; the number of a reason, or of the clock's event."""
        reason: int = finish(self.accepting(token))
        return reason

    def accepting(self, token: bytes) -> "Generator[None, None, int]":
        """The same in slices."""
        reason = yield from self.intake.accepting(token)
        self._apply_settings()
        return reason

    def _apply_settings(self) -> None:
        settings = self.settings.current
        if settings is not self._applied:
            self._applied = settings
            self.door.zone = settings.clock_zone()
            self.grants.mode = settings.mode
            self.clock.limit(settings.most_error_s)
            self.doorway.auto_lock_ms = settings.auto_lock_s * 1000
            self.doorway.hold(settings.mode == PASSAGE)

    # --- all the time ---------------------------------------------------------------------------

    def step(self) -> int:
        """Do what is due; the ms for which there is nothing to do.

        While the bolt moves, only what cannot wait, because other work has no deadline.
        """
        left_ms = self.doorway.tick()
        self._tell()
        asked = self._long_press.update(self.doorway.is_pushed())
        if asked != longpress.NOTHING:
            self._tasks.run(b"reset", lambda: self._reset(asked))
        if self._clerk is not None:
            self._clerk.note_door(left_ms > 0)
        if self._is_second_over():
            self._tick()
        elif self._gatt is not None and self._tasks.run(b"gatt", self._gatt.work):
            return 0
        elif not left_ms and self._work():
            return 0
        return min(left_ms or _NAP_MS, _NAP_MS)

    def _tell(self) -> None:
        """Let lamp and buzzer show the newest answer."""
        reason = self.door.last_reason
        if self._answers != self.door.answers and reason is not None:
            self._answers = self.door.answers
            self._signal.tell(reason)
        self._signal.tick()

    def _note(self, reason: int, count: int) -> None:
        """Enter what happened at the door, and show it."""
        self._happened = reason, count
        self._tasks.run(b"note", self._note_it)

    def _note_it(self) -> None:
        reason, count = self._happened
        self.clock.read(self._now)
        self.log.append(entry.BOLT, self._now, reason, count=count)
        self._signal.tell(reason)

    def _reset(self, asked):
        """Somebody held the button inside, or has confirmed that all is to be forgotten."""
        if asked == longpress.ASKS:
            self._note(reasons.RESET_ASKED, 0)
            return
        self._wipe()
        self._say("factory reset")
        raise SystemExit

    def _is_second_over(self) -> bool:
        now_ms = self._hardware.ticks_ms()
        if 0 <= self._hardware.ticks_diff(now_ms, self._ticked_ms) < TICK_MS:
            return False
        self._ticked_ms = now_ms
        return True

    def _tick(self) -> None:
        self._has_mail = self._takes_mail
        run = self._tasks.run
        self._tasks.second += 1
        if self._tasks.second % SCRUB_S == 0:
            self._scrub = self.log.scrub(self._now)
        run(b"clock", self._tick_clock)
        run(b"log", self._open_log)
        run(b"door", self.door.tick)
        run(b"calendar", self._set_calendar)
        run(b"remote", self.remote.tick)
        if self._clerk is not None:
            run(b"clerk", self._clerk.tick)
            if self._hardware.network is not None:
                run(b"network", self._look_at_network)
        if self._gatt is not None:
            run(b"phones", self._gatt.tick)
        self._watchdog.begin(b"step")
        self._watchdog.feed()

    def _work(self) -> bool:
        """One piece of what can wait: a statement, a bucket of grants, an entry of the log, the
        cloud. False: done.
        """
        run = self._tasks.run
        if self._has_mail:
            self._has_mail = run(b"inbox", self._inbox.work)
            return True
        if run(b"scan", self._scan_on) or run(b"scrub", self._scrub_on):
            return True
        return self._clerk is not None and run(b"cloud", self._clerk.work)

    def _failed(self, name, text):
        self._say(name.decode() + ": " + text)
        try:
            self.log.append(entry.BOOT, self._now, entry.FAILED, subject=name)
        except Exception:  # noqa: BLE001  # the log is what failed; it was said
            return

    def _scan_on(self) -> bool:
        return not next(self._scan, True)

    def _scrub_on(self) -> bool:
        return not next(self._scrub, True)

    def _tick_clock(self) -> None:
        self._enter(self.clock.tick())

    def _enter(self, event: int) -> None:
        if event != reasons.NOTHING:
            self.clock.read(self._now)
            self.log.append(entry.CLOCK, self._now, event)

    def _look_at_network(self) -> None:
        why = self._hardware.network.look()
        if why:
            self._failed(b"network", why)
        if self._hardware.network.is_lost() and self.doorway.is_calm():
            if self._gatt is None or self._gatt.is_alone():
                self._say("network: lost, so the chip starts anew")
                raise SystemExit

    def _set_calendar(self) -> None:
        """Let the board's calendar show UTC, for certificates and files; no rule asks it."""
        self.clock.read(self._now)
        if self._now.trust == UNKNOWN:
            return
        shown = epoch.from_rtc(self._hardware.calendar.datetime())
        if shown is None or abs(shown.until(self._now.at)) > _CALENDAR_OFF_S:
            self._hardware.calendar.datetime(epoch.rtc_fields(self._now.at))


def run(hardware: "Any", flash: "Any", say: "Say", crash: "Any") -> bool:
    """Be the lock that is on this flash until something ends it; False if there is none.

    `crash` is a `hal.crash.Crash`; after some in a row, the lock is one without network and mail:
    what comes from outside is the likeliest cause, and the door needs neither. Ctrl-C and
    SystemExit are an orderly stop, for the log. Raises whatever ends it.
    """
    from . import selftest

    broken = selftest.run()
    unload(selftest)
    if broken is not None:
        raise RuntimeError(broken + " are broken")
    who = None if flash.is_wiped() else identity.read(flash.pair)
    if who is None:
        say(NOT_PROVISIONED)
        return False
    lock = Lock(hardware, flash, who, say)
    issuer = lock.root.issuer if lock.root else who.issuer
    if issuer is not None:
        issuer.precompute()
    lock.start()
    lock.enter_crashes(crash.count)
    is_safe = crash.count >= SAFE_AFTER
    if is_safe:
        say("safe mode: " + crash.why)
        lock.take_no_mail()
    else:
        _connect(lock, hardware, flash, who)
    _listen(lock, hardware, who)
    hardware.watchdog.start()
    heap.collect_late()
    say("ready")
    try:
        _serve(lock, hardware, say, crash, is_safe)
    except (KeyboardInterrupt, SystemExit):
        lock.stop()
        raise
    return True


def _connect(lock, hardware, flash, who):
    """Let a thread talk to the cloud, if the lock was told of one."""
    known = cloud.read(flash.pair)
    if known is None or hardware.network is None:
        return
    from .link.carrier import Carrier
    from .link.clerk import Clerk
    from .link.post import Post

    joined = wifi.read(flash.pair)
    if joined is not None:
        hardware.network.know(*joined)
    if hardware.network.has_wifi:
        hardware.network.hostname(wifi.read_host(flash.pair))
    post = Post(hardware.network.make_lock())
    lock.connect(Clerk(lock, post, VERSION))
    hardware.network.start(Carrier(post, hardware.network, known, who.lock.decode()).run)


def _listen(lock, hardware, who):
    """Let phones come, if the board has a radio."""
    if hardware.radio is None or hardware.aes is None:
        return
    from .link.gatt import Gatt
    from .link.visits import Visits

    random = hardware.random
    gatt = Gatt(hardware.radio, who.lock, random)
    gatt.visits = Visits(lock, who, hardware.aes, random, lock.ticks, gatt.send, gatt.drop)
    gatt.start()
    lock.meet(gatt)


def _serve(lock, hardware, say, crash, is_safe):
    answer = None
    if hardware.has_console:
        from .link.lines import Lines

        answer = Lines(lock).answer
    since_ms = hardware.ticks_ms()
    left_s = SAFE_S if is_safe else HEALTHY_S
    while True:
        if left_s and hardware.ticks_diff(hardware.ticks_ms(), since_ms) >= TICK_MS:
            since_ms = hardware.ticks_ms()
            left_s -= 1
            if not left_s:
                crash.forget()
                if is_safe:
                    raise SystemExit
        line = hardware.wait(lock.step())
        if line is not None and answer is not None:
            say(answer(line))
