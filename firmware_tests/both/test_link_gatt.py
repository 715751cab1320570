"""Centrals at the lock: many, slow, silent, gone, and what is said to them in pieces."""

from firmware.link.beacon import is_of
from firmware.link.frames import MOST_MESSAGE, Cutter, Joiner
from firmware.link.gatt import (
    ALWAYS,
    MOST_LINKS,
    MOST_UNSENT,
    NOTIFY,
    RENEW_S,
    SERVICE,
    SILENCE_S,
    WRITE,
    Gatt,
)
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.whole_case import Radio

PARTS = {"test_mutated_writes_reach_nobody_else_and_leave_nothing_behind": 50}


class Visits:
    def __init__(self):
        self.heard = []
        self.ticks = 0

    def opened(self, link):
        self.heard.append(("opened", link))

    def closed(self, link):
        self.heard.append(("closed", link))

    def received(self, link, message):
        self.heard.append((link, message))

    def work(self):
        return False

    def tick(self):
        self.ticks += 1


class Lock:
    """A Gatt on a Radio, and `say` to let the radio deliver something."""

    def __init__(self):
        self.radio = Radio()
        self.visits = Visits()
        self.gatt = Gatt(self.radio, b"front-door", soak.Random(1).bytes)
        self.gatt.visits = self.visits
        self.gatt.start()
        self.cutters = {}

    def say(self, *event):
        self.radio.events.append(event)
        self.work()

    def work(self):
        while self.gatt.work():
            pass

    def come(self, link):
        self.cutters[link] = Cutter()
        self.say("connected", link)
        self.say("written", link, self.cutters[link].empty())

    def write(self, link, message):
        for piece in self.cutters[link].cut(message, 20):
            self.say("written", link, piece)

    def live(self, seconds):
        for _ in range(seconds):
            self.gatt.tick()
            self.work()


def test_it_advertises_its_service_and_a_beacon_that_only_its_own_recognise():
    lock = Lock()
    equal(lock.radio.started, (SERVICE, WRITE, NOTIFY))
    ((interval_us, data, answer),) = lock.radio.advertised
    true(100_000 <= interval_us <= 1_000_000)
    uuid = bytes([int(SERVICE.replace("-", "")[at : at + 2], 16) for at in range(0, 32, 2)])
    own = bytes(reversed(list(uuid)))
    true(data.endswith(own), data)
    equal(answer[2:18], own)
    true(is_of(b"front-door", answer[18:25]))


def test_messages_pass_both_ways_in_pieces_of_the_mtu():
    lock = Lock()
    lock.come(1)
    lock.write(1, b"hello, this is a phone, and more")
    equal(lock.visits.heard, [("opened", 1), (1, b"hello, this is a phone, and more")])
    answer = bytes(range(200))
    true(lock.gatt.send(1, answer))
    lock.work()
    joiner = Joiner()
    equal([joiner.join(piece) for piece in lock.radio.notified[1]][-1], [answer])
    equal(max(len(piece) for piece in lock.radio.notified[1]), 20)
    lock.say("sized", 1, 247)
    lock.gatt.send(1, answer)
    lock.work()
    equal(joiner.join(lock.radio.notified[1][-1]), [answer])


def test_nothing_is_said_to_a_central_that_does_not_listen_yet():
    lock = Lock()
    lock.say("connected", 1)
    equal(lock.visits.heard, [])
    lock.say("disconnected", 1)
    equal(lock.visits.heard, [])
    lock.come(1)
    equal(lock.visits.heard, [("opened", 1)])


def test_what_the_radio_has_no_room_for_waits_and_nothing_is_lost():
    lock = Lock()
    lock.come(1)
    lock.radio.room = 3
    for message in (bytes(100), b"second"):
        true(lock.gatt.send(1, message))
    lock.work()
    equal(len(lock.radio.notified[1]), 3)
    true(not lock.gatt.work())  # no busy waiting
    lock.radio.room = 100
    lock.work()
    equal(Joiner().join(b"".join(lock.radio.notified[1])), [bytes(100), b"second"])


def test_a_central_that_takes_nothing_is_dropped_before_it_costs_memory():
    lock = Lock()
    lock.come(1)
    lock.radio.room = 0
    sent = 0
    while lock.gatt.send(1, bytes(1000)):
        sent += 1
        lock.work()
        true(sent < 20)
    true(sent * 1000 <= MOST_UNSENT + 1000, sent)
    equal(lock.radio.dropped, [1])


def test_nothing_can_be_sent_to_a_central_that_is_gone():
    lock = Lock()
    lock.come(1)
    lock.say("disconnected", 1)
    equal(lock.visits.heard, [("opened", 1), ("closed", 1)])
    true(not lock.gatt.send(1, b"x"))
    lock.say("written", 1, b"\x80\x03\x00\x01a")
    lock.say("sized", 1, 100)
    lock.say("disconnected", 1)
    equal(len(lock.visits.heard), 2)


def test_a_wrong_piece_or_a_flood_ends_the_connection():
    lock = Lock()
    lock.come(1)
    lock.say("written", 1, b"\x01\x01a")
    lock.come(2)
    lock.say("flooded", 2)
    equal(lock.radio.dropped, [1, 2])


def test_long_messages_share_what_memory_there_is_and_short_ones_always_pass():
    lock = Lock()
    for link in (1, 2, 3):
        lock.come(link)
    for link in (1, 2):
        lock.say("written", link, next(lock.cutters[link].cut(bytes(MOST_MESSAGE), 20)))
    lock.write(3, bytes(ALWAYS))
    equal(lock.visits.heard[-1], (3, bytes(ALWAYS)))
    lock.say("written", 3, next(lock.cutters[3].cut(bytes(ALWAYS + 1), 20)))
    equal(lock.radio.dropped, [3])
    lock.say("disconnected", 1)
    lock.say("disconnected", 3)
    lock.come(3)
    lock.write(3, bytes(MOST_MESSAGE))
    equal(lock.visits.heard[-1], (3, bytes(MOST_MESSAGE)))


def test_a_central_that_is_silent_is_dropped_and_a_piece_is_no_message():
    lock = Lock()
    lock.come(1)
    lock.come(2)
    for second in range(SILENCE_S - 1):
        lock.live(1)
        lock.write(2, b"I am still here")
        piece = next(lock.cutters[1].cut(bytes(500), 20)) if not second else None
        if piece:
            lock.say("written", 1, piece)
    equal(lock.radio.dropped, [])
    lock.live(1)
    equal(lock.radio.dropped, [1])
    equal(lock.visits.ticks, SILENCE_S)


def test_address_and_beacon_are_made_anew_while_nobody_is_there():
    lock = Lock()
    lock.live(RENEW_S - 1)
    equal((lock.radio.renewed, len(lock.radio.advertised)), (1, 1))
    lock.live(1)
    equal((lock.radio.renewed, len(lock.radio.advertised)), (2, 2))
    first, second = [answer for _, _, answer in lock.radio.advertised]
    true(first != second)
    for said in (first, second):
        true(is_of(b"front-door", said[18:25]))
    lock.live(RENEW_S - 1)
    lock.come(1)
    lock.live(5)
    equal(lock.radio.renewed, 2, "somebody is there")
    lock.say("disconnected", 1)
    lock.live(1)
    equal(lock.radio.renewed, 3)


def test_there_always_is_a_free_place():
    lock = Lock()
    for link in range(1, MOST_LINKS):
        lock.come(link)
        lock.live(1)
    equal(len(lock.radio.advertised), MOST_LINKS)
    lock.write(1, b"x")  # then 2 was silent longest
    lock.come(MOST_LINKS)
    equal(lock.radio.dropped, [2])
    equal(len(lock.radio.advertised), MOST_LINKS)
    lock.say("disconnected", 2)
    equal(len(lock.radio.advertised), MOST_LINKS + 1)


def test_what_could_not_be_advertised_is_tried_again():
    lock = Lock()
    lock.live(3)
    equal(len(lock.radio.advertised), 1)
    lock.radio.is_full = True
    lock.come(1)
    lock.live(2)
    equal(len(lock.radio.advertised), 4)
    lock.radio.is_full = False
    lock.live(3)
    equal(len(lock.radio.advertised), 5)


def test_mutated_writes_reach_nobody_else_and_leave_nothing_behind():
    random = soak.Random(soak.seed())
    lock = Lock()
    lock.come(9)
    for _ in range(soak.count(1_000_000, 10_000) // 4):
        lock.come(1)
        before = len(lock.visits.heard)
        for piece in lock.cutters[1].cut(random.bytes(40), 20):
            data = bytearray(piece)
            data[random.below(len(data))] = random.below(256)
            lock.say("written", 1, bytes(data))
        for link, *_ in lock.visits.heard[before:]:
            equal(link, 1)
        lock.say("disconnected", 1)
        lock.visits.heard.clear()
        lock.radio.advertised.clear()
        lock.radio.dropped.clear()
    lock.write(9, b"nobody disturbed me")
    equal(lock.visits.heard, [(9, b"nobody disturbed me")])
