"""Visits of phones: first and resumed, allowed and denied, in every order that a radio makes."""

from firmware.crypto import ecdh
from firmware.crypto.slices import finish
from firmware.link import credential, session
from firmware.link.carried import Carried
from firmware.link.ratchet import AHEAD, MOST_PLACES, Place, Places, Ratchet
from firmware.link.requests import ACT, CARRY, EXPLAIN, LOG, NONCE, PUT, STATUS
from firmware.link.visits import MOST_TRIES, MOST_VISITS, NONCE_LIFE_S, QUIET_S
from firmware.lock.states import LOCKED, UNLOCKED
from firmware.policy import reasons
from firmware.policy.grant import LOCK as LOCKING
from firmware.policy.grant import UNLOCK, Grant
from firmware.policy.schedule import Rule
from firmware.store import entry
from firmware_tests.both.board_case import ANSWER_S, GRANTS, instead
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.statement_case import run_named
from firmware_tests.both.visit_case import LOCK, OPEN, Scene, scalar_of


def _scene(grant="a guest without limits"):
    scene = Scene()
    if grant:
        equal(scene.board.lock.accept(GRANTS[grant]), reasons.ALLOWED)
    return scene


def _reasons(line):
    return [verdict.reason for verdict in line.verdicts()]


def test_the_first_visit_is_a_handshake_and_the_next_ones_are_not():
    scene = _scene()
    wallet = scene.wallet()
    line = scene.visit(wallet)
    equal(_reasons(line), [reasons.ALLOWED])
    equal([m[0] for m in line.said], [session.MESSAGE_1, session.MESSAGE_3, session.FRAME])
    equal(line.kinds(), [session.GREETING, session.MESSAGE_2, session.MESSAGE_4, session.FRAME])
    equal(scene.pulses(), 1)
    for number in range(6):
        scene.pass_time(4)
        line = scene.visit(wallet)
        equal(_reasons(line), [reasons.ALLOWED])
        equal([m[0] for m in line.said], [session.RESUME])
        equal(line.kinds(), [session.GREETING, session.FRAME])
        equal(scene.pulses(), 2 + number)
    equal(scene.board.log(entry.DECISION), [(reasons.ALLOWED, 0)] * 7)


def test_a_resumed_visit_computes_with_no_point():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    points = (ecdh.public, ecdh.single, ecdh.pair, ecdh.lift)
    try:
        ecdh.public = ecdh.single = ecdh.pair = ecdh.lift = None
        equal(_reasons(scene.visit(wallet)), [reasons.ALLOWED])
    finally:
        ecdh.public, ecdh.single, ecdh.pair, ecdh.lift = points


class Watcher:
    """A bolt that notes what is on flash when it moves."""

    def __init__(self, scene):
        self._flash = scene.board.flash
        self._bolt = scene.board.lock.door._bolt
        self.seen = []
        scene.board.lock.door._bolt = self

    def contents(self):
        flash = self._flash
        folders = [flash.log, flash.state, flash.ledger] + flash.grants
        return [{name: bytes(folder.files[name]) for name in folder.files} for folder in folders]

    def act(self, action):
        self.seen.append(self.contents())
        self._bolt.act(action)


def test_nothing_is_written_before_the_bolt_moves_but_a_use_that_counts():
    for grant, changed in (("a guest without limits", 0), ("uses, and a time after the first", 1)):
        scene = _scene(grant)
        scene.board.set_time()
        wallet = scene.wallet()
        scene.visit(wallet, [(EXPLAIN, b"\x01")])
        scene.pass_time(4)
        watcher = Watcher(scene)
        before = watcher.contents()
        equal(_reasons(scene.visit(wallet)), [reasons.ALLOWED])
        equal(len(watcher.seen), 1)
        equal(watcher.seen[0] != before, bool(changed), grant)
        equal(watcher.seen[0][:2], before[:2], "the log comes later")


def test_a_handshake_is_done_in_many_slices():
    scene = _scene()
    line = scene.connect(scene.wallet(), OPEN)
    while scene.visits.work():
        pass
    slices = []
    for _ in range(3):
        line.take()
        line.give()
        slices.append(0)
        while scene.visits.work():
            slices[-1] += 1
    true(slices[0] > 40, slices)  # as many as `ecdh` has for a point, its two secrets,
    true(slices[1] > 20, slices)  # one secret more, and the next ephemeral key
    equal(_reasons(line), [reasons.ALLOWED])


def test_a_denied_guest_hears_why_and_when_it_will_be_a_yes():
    scene = _scene("a rule over midnight")
    scene.board.set_time()
    wallet = scene.wallet()
    for _ in range(2):
        (verdict,) = scene.visit(wallet).verdicts()
        equal(verdict.reason, reasons.OUTSIDE_RULES)
        true(verdict.next_s > ANSWER_S)
    equal(scene.pulses(), 0)
    equal(scene.board.log(entry.DECISION), [(reasons.OUTSIDE_RULES, 0)] * 2)
    scene = _scene("a guest who may only lock")
    (verdict,) = scene.visit(scene.wallet()).verdicts()
    equal((verdict.reason, verdict.next_s), (reasons.NO_RIGHT, None))


def _shut_for_weeks(scene):
    """The guest's grant with a window each day, that another rule shuts for 60 days."""
    (held,) = scene.board.lock.grants.grants()
    grant = Grant(held.share, held.lock, held.key)
    grant.version = held.version + 1
    grant.issued = held.issued
    day = ANSWER_S // 86_400
    grant.rules = [
        Rule(start_s=3600, end_s=7200, utc=True),
        Rule(start_s=3000, end_s=7200, utc=True, allow=False, last_day=day + 60),
    ]
    true(scene.board.lock.grants.put(grant))
    return (day + 61) * 86_400 + 3600 + 1  # the error of the clock


def test_when_it_will_be_a_yes_is_looked_for_in_slices_that_others_come_between():
    scene = _scene()
    scene.board.set_time()
    wallet = scene.wallet()
    scene.visit(wallet)
    expected_s = _shut_for_weeks(scene)
    others = scene.connect(scene.wallet(b"phone 9"), [(EXPLAIN, b"\x01")])
    scene.settle()
    line = scene.connect(wallet, OPEN)
    line.take()
    line.give()
    slices = asked = 0
    while scene.visits.work():
        slices += 1
        if slices % 3 == 0 and scene.visits._find(line.link).steps is not None:
            asked += 1
            others.outbox += others.visit.ask([(EXPLAIN, b"\x01")])
            others.give()
    line.take()
    (verdict,) = line.verdicts()
    equal((verdict.reason, verdict.next_s), (reasons.OUTSIDE_RULES, expected_s))
    true(slices > 15 and asked > 3, (slices, asked))


def test_nothing_is_promised_to_whose_grant_ends_meanwhile():
    scene = _scene()
    scene.board.set_time()
    wallet = scene.wallet()
    scene.visit(wallet)
    _shut_for_weeks(scene)
    line = scene.connect(wallet, OPEN)
    line.take()
    line.give()
    scene.visits.work()
    (held,) = scene.board.lock.grants.grants()
    scene.board.lock.grants.erase(held.share, held.key, True)
    scene.board.lock.door.question(scene.board.request(held.key))
    scene.settle()
    (verdict,) = line.verdicts()
    equal((verdict.reason, verdict.next_s), (reasons.OUTSIDE_RULES, None))


def test_to_explain_is_not_to_act():
    scene = _scene()
    wallet = scene.wallet()
    line = scene.visit(wallet, [(EXPLAIN, bytes([UNLOCK])), (EXPLAIN, bytes([16]))])
    equal(_reasons(line), [reasons.ALLOWED, reasons.NO_RIGHT])
    equal(scene.pulses(), 0)
    equal(scene.board.log(entry.DECISION), [])
    line = scene.visit(wallet, [(EXPLAIN, bytes([UNLOCK])), (ACT, bytes([UNLOCK]))])
    equal(_reasons(line), [reasons.ALLOWED] * 2)
    equal(len(line.said), 1)


def test_a_stranger_hears_nothing_and_keeps_no_place():
    scene = _scene()
    wallet = scene.wallet(b"phone 7")
    for _ in range(2):
        asked = [
            (ACT, bytes([UNLOCK])),
            (EXPLAIN, bytes([LOCKING])),
            (STATUS, b""),
            (LOG, bytes(4)),
        ]
        line = scene.visit(wallet, asked)
        equal(line.visit.answers, [(what, b"") for what, _ in asked])
        equal(line.visit.handshakes, 1)
    equal(scene.pulses(), 0)
    equal(scene.visits._places.find(bytes(8)), None)
    equal(len(scene.visits._places._places), 0)
    scene.pass_time(1)
    # Two things of the four are decisions; the log was one question a visit.
    equal(scene.board.log(entry.STRANGERS), [(reasons.UNKNOWN_SHARE, 4)])


def test_a_grant_in_the_first_frame_opens():
    scene = _scene(None)
    wallet = scene.wallet()
    line = scene.visit(wallet, [(PUT, GRANTS["a guest without limits"])] + OPEN)
    equal(line.visit.answers, [(PUT, bytes([reasons.ALLOWED])), (ACT, bytes([reasons.ALLOWED]))])
    equal(scene.pulses(), 1)
    equal([m[0] for m in scene.visit(wallet).said], [session.RESUME])


def test_anybody_may_be_a_courier():
    scene = _scene(None)
    courier = scene.wallet(b"phone 9")
    tokens = [GRANTS["a guest without limits"], bytes(30), GRANTS["signed by somebody else"]]
    line = scene.visit(courier, [(PUT, token) for token in tokens])
    wanted = [reasons.ALLOWED, reasons.MALFORMED, reasons.BAD_SIGNATURE]
    equal([content[0] for _, content in line.visit.answers], wanted)
    equal(scene.visits._places._places, [])
    equal(_reasons(scene.visit(scene.wallet())), [reasons.ALLOWED])
    batch = run_named("batches continue each other, and each counts once")[1][0]
    line = scene.visit(courier, [(PUT, batch)] * 2)
    equal([content[0] for _, content in line.visit.answers], [reasons.ALLOWED] * 2)


def test_whoever_brings_forgeries_has_to_go():
    scene = _scene()
    forged = [(PUT, GRANTS["signed by somebody else"])] * 3
    line = scene.connect(scene.wallet(b"phone 9"), forged)
    scene.settle()
    equal((len(line.visit.answers), line.is_open), (3, True))
    line.outbox += line.visit.ask(forged[:1])
    scene.settle()
    equal((len(line.visit.answers), line.is_open), (3, False))


def test_a_courier_brings_the_time():
    scene = _scene()
    scene.board._nonces = 0
    scene.board.hardware.ms = ANSWER_S * 1000
    courier = scene.wallet(b"phone 9")
    line = scene.visit(courier, [(NONCE, b"")])
    equal(line.visit.answers, [(NONCE, b"%016d" % 1)])
    equal(scene.visit(scene.wallet(), [(NONCE, b"")]).visit.answers, line.visit.answers)
    token = run_named("the time")[7][0]
    line = scene.visit(courier, [(PUT, token), (NONCE, b"")])
    equal(line.visit.answers, [(PUT, bytes([reasons.TIME_SET])), (NONCE, b"")])


def test_a_nonce_is_renewed_before_it_dies():
    scene = _scene()
    wallet = scene.wallet()
    first = scene.visit(wallet, [(NONCE, b"")]).visit.answers
    scene.pass_time(25)
    equal(scene.visit(wallet, [(NONCE, b"")]).visit.answers, first)
    scene.pass_time(10)
    true(scene.visit(wallet, [(NONCE, b"")]).visit.answers != first)


def test_status_and_log_are_for_those_who_may():
    scene = _scene("an admin")
    wallet = scene.wallet()
    line = scene.visit(wallet, [(STATUS, b"")] + OPEN + [(STATUS, b"")])
    before, _, after = [content for _, content in line.visit.answers]
    equal((before[0], after[0]), (LOCKED, UNLOCKED))
    equal((len(before), before[3:7]), (15, bytes(4)))
    line = scene.visit(wallet, [(LOG, bytes(4)), (LOG, b"\x00\x00\x00\x01")])
    first, second = [content for _, content in line.visit.answers]
    equal(first[:4], b"SLOG")
    equal(len(first) - len(second), entry.BYTES)
    equal(len(scene.board.log(entry.DECISION)), 2)  # the log itself only once
    scene = _scene()
    line = scene.visit(scene.wallet(), [(LOG, bytes(4))])
    equal(line.visit.answers, [(LOG, bytes([reasons.NO_RIGHT]))])


def test_the_log_travels_sealed():
    scene = _scene()
    line = scene.visit(scene.wallet(b"phone 9"), [(CARRY, b""), (CARRY, b"")])
    one, other = [content for _, content in line.visit.answers]
    shared = finish(ecdh.single(scalar_of(b"issuer"), scene.point, scene.random))
    cloud = Carried(scene.aes, shared)
    export = cloud.open(one)
    equal(export, cloud.open(other))
    true(one[:13] != other[:13])
    equal(len(one), 13 + len(export) + 16)
    equal(export[:4], b"SLOG")
    equal(export[32 + 4], entry.BOOT)
    equal(cloud.open(one[:-1]), None)
    equal(cloud.open(one[:9]), None)
    equal(Carried(scene.aes, bytes(32)).open(one), None)


class NewRoot:
    """Has named another issuer."""

    def __init__(self, issuer):
        self.issuer = issuer


def test_the_log_is_sealed_for_the_issuer_of_today():
    scene = _scene()
    wallet = scene.wallet(b"phone 9")
    scene.visit(wallet, [(CARRY, b"")])
    other = credential.key_of_point(finish(ecdh.public(4711, scene.random)))
    scene.board.lock.root = NewRoot(other)
    scene.settle()
    ((_, sealed),) = scene.visit(wallet, [(CARRY, b"")]).visit.answers
    opened = []
    for scalar in (4711, scalar_of(b"issuer")):
        shared = finish(ecdh.single(scalar, scene.point, scene.random))
        opened.append(Carried(scene.aes, shared).open(sealed) is not None)
    equal(opened, [True, False])
    scene.board.lock.root = NewRoot(None)
    equal(len(scene.visit(wallet, [(CARRY, b"")]).visit.answers), 1)


def test_a_broken_flash_ends_the_visit_and_is_told():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    accepting = scene.board.lock.accepting
    scene.board.lock.accepting = instead(_broken)
    line = scene.connect(wallet, [(PUT, b"anything")])
    raises(OSError, scene.settle)
    equal(line.is_open, False)
    scene.board.lock.accepting = accepting
    equal(_reasons(scene.visit(wallet)), [reasons.ALLOWED])


def _broken(token):
    raise OSError(5)


def test_two_phones_at_once_and_one_handshake_at_a_time():
    scene = _scene()
    first, second = scene.wallet(), scene.wallet(b"phone 9")
    lines = [scene.connect(first, OPEN), scene.connect(second, OPEN), scene.connect(first, OPEN)]
    scene.settle()
    equal([_reasons(line) for line in lines], [[0], [None], [0]])
    equal(scene.pulses(), 1)


def test_whoever_was_here_before_does_not_wait_for_handshakes():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    scene.pass_time(4)
    strangers = [scene.connect(scene.wallet(b"phone 9"), OPEN) for _ in range(MOST_VISITS - 1)]
    for line in strangers:
        line.take()
        line.give()
    for _ in range(20):
        true(scene.visits.work())
    line = scene.connect(wallet, OPEN)
    line.take()
    line.give()
    true(scene.visits.work())  # one slice
    line.take()
    equal(_reasons(line), [reasons.ALLOWED])
    equal(scene.pulses(), 2)
    scene.settle()
    equal([_reasons(line) for line in strangers], [[None]] * 3)


def test_a_flood_of_handshakes_is_slowed_down_and_every_first_visit_has_its_turn():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    member = scene.wallet(b"phone 8")
    flood = scene.wallet(b"phone 9").by_value  # what it says is well-formed; it just never goes on
    true(flood)
    message_1 = b"\x10\x03\x02\x58\x20" + scene.point[:32] + b"\x00"
    done = 0
    for _ in range(40):
        line = scene.connect()
        line.outbox.append(message_1)
        scene.settle()
        done += session.MESSAGE_2 in line.kinds()
        scene.visits.closed(line.link)
    true(8 <= done <= 10, done)
    equal(_reasons(scene.visit(wallet)), [reasons.ALLOWED])
    scene.board.lock.accept(run_named("a share is ended, for every phone and for good")[0][0])
    lines = [scene.connect() for _ in range(MOST_VISITS - 1)]
    late = scene.connect(member, OPEN)
    for _ in range(8):
        for line in lines:
            if line.is_open:
                line.outbox.append(message_1)
        scene.settle()
        scene.pass_time(1)
    scene.settle()
    equal(len(late.verdicts()), 1)


def test_a_visit_that_fails_too_often_is_ended():
    scene = _scene()
    line = scene.connect()
    for _ in range(MOST_TRIES):
        true(line.is_open)
        line.outbox.append(b"\x10" + b"\x03\x06" + bytes(40))
        scene.settle()
    true(not line.is_open)
    equal(line.kinds(), [session.GREETING] + [session.ERROR] * MOST_TRIES)
    scene.pass_time(1)
    equal(scene.board.log(entry.STRANGERS), [(reasons.KEY_UNPROVEN, MOST_TRIES)])


def test_no_replayed_message_does_anything():
    scene = _scene()
    wallet = scene.wallet()
    recorded = []
    for _ in range(2):
        line = scene.visit(wallet)
        recorded.append(line.said)
        scene.pass_time(4)
    equal(scene.pulses(), 2)
    decisions = len(scene.board.log(entry.DECISION))
    for said in recorded:
        line = scene.connect()
        line.outbox += said[:1]
        scene.settle()
        line.outbox += said[1:]
        scene.settle()
        for message in said:
            line = scene.connect()
            line.outbox.append(message)
            scene.settle()
            scene.visits.closed(line.link)
            scene.pass_time(1)
    equal(scene.pulses(), 2)
    equal(len(scene.board.log(entry.DECISION)), decisions)
    # and inside the visit that they belong to
    line = scene.connect(wallet, OPEN)
    scene.settle()
    equal(_reasons(line), [reasons.ALLOWED])
    scene.pass_time(4)
    line.outbox.append(line.said[0])
    scene.settle()
    equal((line.is_open, scene.pulses()), (False, 3))


def test_a_frame_that_comes_twice_or_early_ends_the_visit():
    scene = _scene()
    for order in ((0, 0), (1, 0), (1,), (0, 2)):
        wallet = scene.wallet()
        line = scene.connect(wallet, [(EXPLAIN, b"\x01")])
        scene.settle()
        frames = []
        for _ in range(3):
            frames.append(b"\x21" + line.visit._session.seal(b"\x01\x00\x01\x01"))
        before = scene.pulses()
        for number in order:
            line.outbox.append(frames[number])
            scene.settle()
        equal(line.is_open, False, str(order))
        equal(scene.pulses(), before + (order[0] == 0))
        scene.pass_time(31)


def test_a_disconnect_at_each_message_leaves_nothing_behind():
    scene = _scene()
    for cut in range(1, 8):
        wallet = scene.wallet()
        line = scene.connect(wallet, OPEN)
        events = 0
        while line.is_open and events < cut:
            line.take()
            line.give()
            scene.visits.work()
            events += 1
        scene.visits.closed(line.link)
        while scene.visits.work():
            pass
        equal(scene.visits._visits, [])
        wallet.locks[LOCK].ratchet = None
        equal(_reasons(scene.visit(wallet)), [reasons.ALLOWED])


def test_an_answer_that_got_lost_costs_no_handshake():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    for lost in (1, 2, 3):
        for number in range(lost):
            line = scene.connect(wallet, OPEN)
            line.take()
            if number % 2:
                line.give()  # the command arrives, and the answer does not
                while scene.visits.work():
                    pass
            scene.visits.closed(line.link)
        line = scene.visit(wallet)
        equal((_reasons(line), line.visit.handshakes), ([reasons.ALLOWED], 0))
    for _ in range(4):
        scene.connect(wallet, OPEN).take()
        scene.visits.closed(len(scene.lines) - 1)
    line = scene.visit(wallet)
    equal((_reasons(line), line.visit.handshakes), ([reasons.ALLOWED], 1))
    equal(scene.visit(wallet).visit.handshakes, 0)


def test_a_command_that_was_held_back_is_asked_for_again():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    scene.pass_time(4)
    line = scene.connect(wallet, OPEN)
    line.take()
    scene.pass_time(NONCE_LIFE_S + 1)
    line.give()
    scene.settle()
    equal(line.kinds(), [session.GREETING, session.GREETING, session.FRAME])
    equal((_reasons(line), scene.pulses()), ([reasons.ALLOWED], 2))


def test_a_phone_may_ask_for_another_nonce():
    scene = _scene()
    line = scene.connect()
    line.outbox.append(bytes([session.GREET]))
    scene.settle()
    equal(line.kinds(), [session.GREETING] * 2)
    true(line.heard[0] != line.heard[1])


def test_a_place_goes_with_the_grant():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    true(scene.board.lock.grants.revoke(b"share-1", None, 1))
    line = scene.visit(wallet)
    equal((_reasons(line), line.visit.handshakes), ([None], 0))
    equal(scene.visits._places._places, [])
    line = scene.visit(wallet)
    equal((_reasons(line), line.visit.handshakes), ([None], 1))
    equal(scene.pulses(), 1)


def test_after_a_boot_the_phone_starts_over_by_itself():
    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    scene.board.boot()
    scene.boot()
    line = scene.visit(wallet)
    equal((_reasons(line), line.visit.handshakes), ([reasons.ALLOWED], 1))
    equal(line.kinds()[:2], [session.GREETING, session.START_OVER])


def test_a_key_that_was_here_before_may_be_named_by_its_id():
    scene = _scene()
    wallet = scene.wallet()
    by_value = scene.visit(wallet)
    wallet.locks[LOCK].ratchet = None
    by_kid = scene.visit(wallet, by_kid=True)
    equal((_reasons(by_kid), by_kid.visit.handshakes), ([reasons.ALLOWED], 1))
    equal(len(by_value.said[1]) - len(by_kid.said[1]), 82)
    scene.board.boot()
    scene.boot()
    wallet.locks[LOCK].ratchet = None
    line = scene.visit(wallet, by_kid=True)
    equal((_reasons(line), line.visit.handshakes), ([reasons.ALLOWED], 2))
    equal([m for m in line.heard if m[0] == session.ERROR], [bytes.fromhex("1f03f5")])


def test_a_lock_with_another_key_gets_nothing_from_the_phone():
    scene = _scene()
    wallet = scene.wallet()
    wallet.know(LOCK, wallet.point)
    line = scene.connect(wallet, OPEN)
    scene.settle()
    true(line.failure)
    equal([m[0] for m in line.said], [session.MESSAGE_1])


def test_whoever_says_nothing_or_too_much_has_to_go():
    scene = _scene()
    silent = scene.connect()
    scene.pass_time(14)
    true(silent.is_open)
    scene.pass_time(2)
    true(not silent.is_open)
    wallet = scene.wallet()
    line = scene.connect(wallet, OPEN)
    scene.settle()
    scene.pass_time(QUIET_S - 1)
    true(line.is_open)
    scene.pass_time(2)
    true(not line.is_open)
    for messages in (
        [b"\x22"] * 3,
        [b""],
        [bytes(6401)],
        [bytes(3200), bytes(3201)],
        [b"\x99"],
        [b"\x21" + bytes(30)],
    ):
        line = scene.connect()
        for message in messages:
            scene.visits.received(line.link, message)
        scene.settle()
        true(not line.is_open, messages)
    equal(scene.visits._visits, [])
    scene.visits.received(12345, b"\x22")
    scene.visits.closed(12345)


def test_there_are_so_many_visits_and_no_more():
    scene = _scene()
    lines = [scene.connect() for _ in range(MOST_VISITS + 1)]
    equal([line.is_open for line in lines], [True] * MOST_VISITS + [False])
    scene.visits.closed(lines[0].link)
    true(scene.connect().is_open)


def test_frames_out_of_shape_end_the_visit_after_what_was_in_order():
    for rest in (
        b"\x01",
        b"\x01\x00",
        b"\x01\x00\x02\x01",
        b"\x63\x00\x00",
        b"\x01\x00\x00",
        b"\x06\x00\x01\x00",
    ):
        scene = _scene()
        line = scene.connect(scene.wallet(), [(EXPLAIN, b"\x01")])
        scene.settle()
        line.outbox.append(b"\x21" + line.visit._session.seal(b"\x01\x00\x01\x01" + rest))
        scene.settle()
        equal((line.is_open, scene.pulses()), (False, 1))


def test_sixteen_phones_have_a_place_and_the_longest_away_makes_room():
    places = Places()
    kept = []
    for number in range(MOST_PLACES + 1):
        kept.append(Place(b"%016d" % number, bytes(64), b"%032d" % number))
        places.keep(kept[-1])
    while places.refill():
        pass
    equal([len(place.steps) for place in kept], [0] + [AHEAD] * MOST_PLACES)
    step = kept[1].steps[2][0]
    equal(places.find(step), (kept[1], 2))
    places.used(kept[1], 2)
    equal(places.find(step), None)
    places.keep(Place(b"x" * 16, bytes(64), bytes(32)))
    equal(
        (places.find(kept[2].steps[0][0]), places.find(kept[1].steps[0][0])), (None, (kept[1], 0))
    )
    places.forget(kept[1].key)
    equal(len(places._places), MOST_PLACES - 1)


def test_steps_never_repeat_and_both_sides_agree():
    one, other = Ratchet(bytes(32)), Ratchet(bytes(32))
    steps = [one.step() for _ in range(50)]
    equal([other.step() for _ in range(50)], steps)
    for part in range(2):
        equal(len({step[part] for step in steps}), 50)
