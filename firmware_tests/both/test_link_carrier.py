"""When the thread tries again, what it tells the loop, whom it waits for; without a network."""

import sys

from firmware.hal.network import SILENT_MS
from firmware.link.post import CHANGES, MOST_ITEMS, OFFLINE, ONLINE, PAGE, PUBLISH, STATEMENT, Post
from firmware_tests.both.check import equal, true
from firmware_tests.both.test_link_clerk import OneThread

LACKS = ("sockets",)


class Library:
    """Stands for MicroPython's libraries, which are on the board only."""

    usocket = simple = None


for name in ("umqtt", "urequests"):
    sys.modules[name] = Library

from firmware.link import carrier, http  # noqa: E402  # they import the libraries

carrier.trust = carrier.Wire = lambda *_: Library


class End(BaseException):
    """Of the test: the thread itself never ends."""


class Network:
    """Time passes when somebody sleeps or listens; `pauses` are those between sessions."""

    def __init__(self, pauses):
        self.ms = 0
        self.beats_ms = [0]
        self.pauses = []
        self._most = pauses
        self.while_napping = lambda: None

    def ticks_ms(self):
        return self.ms

    def ticks_diff(self, late, early):
        return late - early

    def random(self, count):
        return bytes(count)

    def bring_up(self):
        pass

    def beat(self):
        self.beats_ms.append(self.ms)

    def sleep_ms(self, ms):
        self.ms += ms
        if ms == carrier._NAP_MS:
            self.while_napping()
            return
        self.pauses.append(ms)
        if len(self.pauses) == self._most:
            raise End


class Broker:
    """Sessions with it last as many ms as `lasts` says, one after the other; None: no session."""

    def __init__(self, network, lasts):
        self._network = network
        self._lasts = list(lasts)
        self.opened_ms = []

    def __call__(self, *_):
        return self

    def open(self, *_):
        self.opened_ms.append(self._network.ms)
        lasts_ms = self._lasts.pop(0)
        if lasts_ms is None:
            raise OSError(111)
        self._until_ms = self._network.ms + lasts_ms

    def listen(self, ms):
        self._network.ms += ms
        if self._network.ms > self._until_ms:
            raise ValueError("gone")
        return True

    def publish(self, *_):
        pass

    subscribe = publish

    def close(self):
        pass


class Cloud:
    ca = b""
    broker = web = plain = "host:1"

    def secret_text(self):
        return "secret"


Library.close = lambda *_: None


def run(lasts, post=None, prepare=None):
    """The network after sessions of these lengths, the broker, and what the loop was told."""
    network = Network(len(lasts))
    broker = carrier.Mqtt = Broker(network, lasts)
    post = post or Post(OneThread())
    if prepare:
        prepare(network)
    try:
        carrier.Carrier(post, network, Cloud(), "1").run()
    except End:
        pass
    told = []
    item = post.receive()
    while item is not None:
        told.append(item)
        item = post.receive()
    return network, broker, told


def test_pauses_double_up_to_five_minutes():
    pauses = run([None] * 12)[0].pauses
    equal(pauses[:5], [500, 1000, 2000, 4000, 8000])
    equal(pauses[-2:], [150_000] * 2)


def test_only_a_session_that_held_makes_the_pause_short_again():
    equal(
        run([None, None, 50_000, None, 61_000, None])[0].pauses, [500, 1000, 2000, 4000, 500, 1000]
    )


def test_a_thread_that_lives_is_never_silent_for_long():
    post = Post(OneThread())

    def prepare(network):
        network.while_napping = post.receive

    network = run([None] * 12 + [1_200_000] + [None] * 12, post, prepare)[0]
    gaps = [late - early for early, late in zip(network.beats_ms, network.beats_ms[1:])]
    true(max(gaps) <= max(network.pauses) + 2 * carrier._NAP_MS, max(gaps))
    true(carrier.LONGEST_PAUSE_MS <= SILENT_MS // 2)


def test_the_end_of_a_session_is_told_with_its_reason():
    told = run([1000, None])[2]
    equal([kind for kind, _, _ in told], [ONLINE, OFFLINE, OFFLINE])
    true(b"gone" in told[1][2])
    true(b"111" in told[2][2])


def test_a_loop_that_is_behind_is_told_as_soon_as_it_takes_something():
    post = Post(OneThread())
    for _ in range(MOST_ITEMS):
        post.deliver(STATEMENT, b"")
    naps = []

    def nap():
        naps.append(post.receive() if len(naps) == 4 else None)

    def prepare(network):
        network.while_napping = nap

    told = run([None], post, prepare)[2]
    equal((len(naps), told[-1][0]), (5, OFFLINE))


def test_nobody_at_the_door_meets_a_handshake():
    post = Post(OneThread())
    post.set_busy(True)
    equal(run([1000], post)[1].opened_ms, [10_000])  # but it does not wait for ever

    def prepare(network):
        network.while_napping = lambda: post.set_busy(network.ms < 3000)

    equal(run([1000], post, prepare)[1].opened_ms, [3000])


def test_nor_one_of_http():
    post = Post(OneThread())
    asked_ms = []

    def prepare(network):
        def ask(*_):
            asked_ms.append(network.ms)
            return b"page"

        http.ask = ask
        post.set_busy(True)
        network.while_napping = lambda: post.set_busy(network.ms < 3000)
        post.send(CHANGES, b"", b"7")

    told = run([1000], post, prepare)[2]
    equal(asked_ms, [3000])
    equal((told[0][0], told[0][2]), (PAGE, b"page"))


def test_what_waited_for_a_session_is_out_of_date():
    post = Post(OneThread())
    post.send(PUBLISH, b"up/hello", b"")
    said = []
    publish, Broker.publish = Broker.publish, lambda _, topic, *__: said.append(topic)
    run([1000], post)
    Broker.publish = publish
    equal(said, [b"locks/1/online"])
