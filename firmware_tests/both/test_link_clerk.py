"""What a lock says to its cloud, and what it does with what comes: without any network."""

import json
from binascii import hexlify
from hashlib import sha256

from firmware.clock.clock import CLOUD
from firmware.crypto import cbor
from firmware.link import post as kinds
from firmware.link.clerk import LOG_AGAIN_S, PAGES_AFTER_S, Clerk
from firmware.link.post import MOST_BYTES, MOST_ITEMS, Post
from firmware.lock.battery import percent_of
from firmware.policy import reasons
from firmware.policy.grant import PULL
from firmware.store import ends, entry
from firmware.store.export import HEAD_BYTES, read_head
from firmware_tests.both.board_case import GRANTS, WHO, Board, instead
from firmware_tests.both.check import equal, true
from firmware_tests.both.door_case import RECORD
from firmware_tests.both.statement_case import run_named
from firmware_tests.both.whole_case import OneThread
from host_sim.world.door import Door


class Linked(Board):
    """A board with a clerk; the test is its carrier."""

    def boot(self):
        super().boot()
        self.post = Post(OneThread())
        self.lock.connect(Clerk(self.lock, self.post, "1"))

    def carried(self, seconds=2):
        """What goes out within some seconds: [(kind, where, what)]."""
        found = []
        for _ in range(seconds):
            self.live(1)
            item = self.post.collect()
            while item is not None:
                found.append(item)
                item = self.post.collect()
        return found

    def hellos(self, seconds=2):
        return [json.loads(w) for _, where, w in self.carried(seconds) if where == b"up/hello"]

    def results(self, seconds=2):
        return [json.loads(w) for _, where, w in self.carried(seconds) if where == b"up/result"]

    def set_time_as_asked(self):
        self.lock.clock.read(self.lock._now)
        return self.lock.clock.answered(self.lock._now.at, self.lock.clock._nonces[CLOUD])

    def online(self):
        self.post.deliver(kinds.ONLINE)

    def bring(self, token):
        true(self.post.deliver(kinds.STATEMENT, token))


def _where(items):
    return [where for _, where, _ in items]


def test_nothing_is_said_before_there_is_a_session_but_what_time_is_it():
    board = Linked()
    items = board.carried(10)
    equal([kind for kind, _, _ in items], [kinds.TIME])
    equal(items[0][2], hexlify(b"%016d" % 2))  # the first was the challenge
    equal([kind for kind, _, _ in board.carried(60)], [kinds.TIME])


def test_a_session_begins_with_hello_and_state_and_the_log():
    board = Linked()
    board.live(2)
    board.post.collect()
    board.online()
    items = board.carried()
    # The second hello has the digest, which is not there at once.
    equal(_where(items), [b"up/hello", b"up/log", b"state", b"up/hello"])
    equal([kind for kind, _, _ in items].index(kinds.RETAIN), 2)
    hello = json.loads(items[0][2])
    equal((hello["digest"], json.loads(items[3][2])["digest"]), (None, "00" * 32))
    lock = board.lock
    equal(hello["challenge"], hexlify(lock.remote.challenge).decode())
    equal((hello["applied"], hello["settings"], hello["issuer"]), (0, 0, 0))
    equal((hello["lost"], hello["page"], hello["version"]), (False, 0, "1"))
    equal(json.loads(items[2][2])["lock"], "LOCKED")


class Phones:
    """In place of the Gatt and its Visits."""

    point = b""

    def __init__(self):
        self.visits = self

    def work(self):
        return False

    def tick(self):
        pass


def test_the_key_for_phones_is_said_as_soon_as_it_is_computed():
    board = Linked()
    phones = Phones()
    board.lock.meet(phones)
    board.online()
    equal(board.hellos(3)[-1]["key"], None)
    phones.point = bytes(range(64))
    equal([hello["key"] for hello in board.hellos(3)], [hexlify(phones.point).decode()])


def test_hello_is_said_again_when_something_changes_and_not_before():
    board = Linked()
    board.online()
    equal(board.hellos(3)[-1]["digest"], "00" * 32)
    equal(board.hellos(20), [])
    first = board.lock.remote.challenge
    later = board.hellos(60)
    true(later[-1]["challenge"] != hexlify(first).decode())
    board.post.deliver(kinds.OFFLINE)
    equal(board.hellos(5), [])
    board.online()
    equal(len(board.hellos(3)), 1)


def test_each_statement_is_answered_by_its_name():
    board = Linked()
    board.online()
    board.carried()
    tokens = [token for token, _ in run_named("batches continue each other, and each counts once")]
    for token in tokens[:2]:
        board.bring(token)
    items = board.carried(4)
    said = [json.loads(what) for _, where, what in items if where == b"up/result"]
    hellos = [json.loads(what) for _, where, what in items if where == b"up/hello"]
    equal([each["statement"] for each in said], [sha256(t).digest()[:8].hex() for t in tokens[:2]])
    equal([each["reason"] for each in said], [reasons.SEQUENCE_GAP, reasons.ALLOWED])
    equal([each["applied"] for each in said], [0, 4])
    digest = hexlify(board.lock.grants.digest()).decode()
    equal((hellos[-1]["applied"], hellos[-1]["digest"]), (4, digest))


def test_no_hello_has_the_digest_of_what_was_there_before():
    """The cloud would take it for damage, and send a snapshot."""
    board = Linked()
    board.online()
    board.carried()
    for token, _ in run_named("batches continue each other, and each counts once")[:2]:
        board.lock.accept(token)
    digest = hexlify(board.lock.grants.digest()).decode()
    said = [(hello["applied"], hello["digest"]) for hello in board.hellos(4)]
    equal(said, [(4, None), (4, digest)])


def test_statements_are_taken_in_although_nothing_goes_out():
    """A carrier that waits for room in one direction empties the other one only afterwards."""
    board = Linked()
    board.online()
    board.carried()
    while board.post.send(kinds.PUBLISH, b"full", b""):
        pass
    tokens = run_named("a share is ended, for every phone and for good")
    for place in (0, 2):
        board.bring(tokens[place][0])
    board.live(5)
    equal(board.lock.grants.count(), 2)
    equal(board.post.receive(), None)


def test_what_the_broker_kept_is_counted_and_not_looked_at():
    board = Linked()
    board.online()
    board.carried()
    board.post.deliver(kinds.RETAINED)
    board.live(62)
    equal(board.log(entry.STRANGERS), [(reasons.RETAINED, 1)])


def test_the_time_is_asked_for_until_it_is_answered_and_again_some_day():
    board = Linked()
    board.online()
    equal(len(board.hellos()[0]["nonce"]), 32)
    equal(len({hello["nonce"] for hello in board.hellos(61)}), 2)
    board.lock.accepting = instead(lambda token: board.set_time_as_asked())
    board.bring(b"an answer")
    equal(board.hellos()[-1]["nonce"], None)
    equal([hello["nonce"] for hello in board.hellos(400)], [None] * 6)


def test_the_log_goes_up_until_it_is_acknowledged():
    board = Linked()
    board.online()
    first = [what for _, where, what in board.carried(3) if where == b"up/log"]
    equal(len(first), 1)
    equal(read_head(first[0][:HEAD_BYTES]), (0, bytes(16)))
    true((len(first[0]) - HEAD_BYTES) % entry.BYTES == 0)
    equal(_where(board.carried(LOG_AGAIN_S - 5)).count(b"up/log"), 0)
    equal(_where(board.carried(10)).count(b"up/log"), 1)
    log = board.lock.log

    def acknowledge(token):
        log.flush()
        record = bytearray(entry.BYTES)
        log._segments.find(log.sequence, record)
        log.acknowledge(log.sequence, entry.link(record))
        board.lock.clock.read(board.lock._now)
        log.append(entry.STATEMENT, board.lock._now, 0, 5)
        return reasons.ALLOWED

    board.lock.accepting = instead(acknowledge)
    board.bring(b"an acknowledgement")
    board.live(2)
    equal(log.sequence, log.acknowledged + 1)  # the acknowledgement's own entry is left
    equal(_where(board.carried(3 * LOG_AGAIN_S)).count(b"up/log"), 0)
    board.lock.clock.read(board.lock._now)
    log.append(entry.CLOCK, board.lock._now, reasons.RTC_READ)
    pieces = [what for _, where, what in board.carried(3) if where == b"up/log"]
    equal([len(piece) for piece in pieces], [HEAD_BYTES + 2 * entry.BYTES])


def test_what_the_cloud_has_and_does_not_bring_is_fetched():
    board = Linked()
    board.online()
    board.post.deliver(kinds.HEAD, b'{"sequence": 7, "settings": 1}')
    equal([k for k, _, _ in board.carried(PAGES_AFTER_S - 3) if k == kinds.CHANGES], [])
    asked = [what for kind, _, what in board.carried(6) if kind == kinds.CHANGES]
    equal(asked, [b"0"])
    tokens = [t for t, _ in run_named("batches continue each other, and each counts once")]
    board.post.deliver(kinds.PAGE, cbor.encode([tokens[1], tokens[0]]))
    equal([each["reason"] for each in board.results()][0], reasons.ALLOWED)
    equal(board.lock.sync.applied, 7)


def test_a_page_may_be_as_large_as_the_carrier_reads():
    board = Linked()
    board.online()
    board.carried(3)
    tokens = [t for t, _ in run_named("batches continue each other, and each counts once")]
    room = MOST_BYTES - len(tokens[1]) - 20
    board.post.deliver(kinds.PAGE, cbor.encode([bytes(room), tokens[1]]))
    equal([each["reason"] for each in board.results(3)][-1], reasons.ALLOWED)


def test_hello_tells_why_there_was_none_for_a_while():
    board = Linked()
    board.online()
    hello = board.hellos()[-1]
    equal((hello["ended"], hello["error"]), (0, ""))
    for error in (b"OSError(110,)", b"ValueError()"):
        board.post.deliver(kinds.OFFLINE, error)
    board.online()
    hello = board.hellos()[-1]
    equal((hello["ended"], hello["error"]), (2, "ValueError()"))


def test_hints_and_pages_that_are_garbage_do_nothing():
    board = Linked()
    board.online()
    board.carried(3)
    for head in (b"", b"7", b"[]", b"{}", b'{"sequence": "9"}', b'{"sequence": null}', b"\xff"):
        board.post.deliver(kinds.HEAD, head)
    for page in (b"", b"\x80", b"\xa0", b"\x81\x01", b"garbage", b"\x9f\xff"):
        board.post.deliver(kinds.PAGE, page)
    items = board.carried(PAGES_AFTER_S + 5)
    equal([item for item in items if item[0] == kinds.CHANGES], [])
    equal([where for where in _where(items) if where == b"up/result"], [])


def test_the_state_tells_of_an_opening_and_its_end():
    board = Linked()
    board.lock.accept(GRANTS["an admin"])
    board.online()
    board.carried()
    board.ask()
    states = [json.loads(what) for _, where, what in board.carried(6) if where == b"state"]
    equal([state["lock"] for state in states], ["UNLOCKED", "LOCKED"])
    equal(states[0]["reason"], reasons.ALLOWED)
    true(states[0]["share"])


def test_the_state_tells_of_bolt_door_and_battery():
    door = Door("motor", "position", x=0.0)
    board = Linked(door=door)
    ends.write(board.flash.pair, WHO.seal(), RECORD)
    board.boot()
    board.online()

    def told(seconds=2):
        items = board.carried(seconds)
        carried = [json.loads(what) for _, where, what in items if where == b"state"]
        for state in carried:
            equal(state["charge"], percent_of(state["battery"], board.hardware.board.charge_mv))
        return [(state["lock"], state["door"], (state["battery"] + 25) // 50) for state in carried]

    equal(told(), [("LOCKED", "closed", 80)])
    board.lock.doorway.act(PULL)
    equal([lock for lock, _, _ in told(8)], ["UNLOCKING", "PULLED", "UNLOCKED"])
    door.swing()
    equal(told(), [("UNLOCKED", "open", 80)])
    door.battery_mv = 3000
    true(told(30)[-1][2] < 70)
    door.cut.add("position")
    equal(told()[-1][0], "UNKNOWN")


def test_the_carrier_hears_of_somebody_at_the_door():
    board = Linked()
    board.lock.accept(GRANTS["an admin"])
    board.live(1)
    equal(board.post.is_busy(), False)
    board.ask()
    board.lock.step()
    equal(board.post.is_busy(), True)
    board.live(5)
    equal(board.post.is_busy(), False)


def test_a_flood_waits_outside():
    post = Post(OneThread())
    for number in range(MOST_ITEMS):
        equal(post.deliver(kinds.STATEMENT, b"%d" % number), True)
    equal(post.deliver(kinds.STATEMENT, b"one more"), False)
    equal(post.receive(), (kinds.STATEMENT, b"", b"0"))
    equal(post.deliver(kinds.STATEMENT, b"one more"), True)
    large = Post(OneThread())
    equal(large.deliver(kinds.PAGE, bytes(MOST_BYTES + 1)), True)
    equal(large.deliver(kinds.STATEMENT, b""), False)
    large.receive()
    equal(large.deliver(kinds.STATEMENT, bytes(MOST_BYTES - 1)), True)
    equal(large.deliver(kinds.STATEMENT, bytes(2)), False)
    equal(large.deliver(kinds.STATEMENT, bytes(1)), True)
