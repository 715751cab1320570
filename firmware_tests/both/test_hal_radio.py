"""The adapter over `bluetooth`: nothing of an interrupt is kept, and nothing grows without end."""

import errno

from firmware.hal.radio import MOST_WAITING, Radio, find
from firmware_tests.both.check import equal, raises, true

CONNECTED, DISCONNECTED, WRITTEN, MTU = 1, 2, 3, 21
SCAN_RESULT = 5
HANDLES = (16, 19)
SERVICE = "060fb668-af8a-403f-be06-f347ad1e4029"


class Bluetooth:
    """A `bluetooth` and its BLE; `error` is the number of what every call raises."""

    def __init__(self, error=None):
        self.said = []
        self.value = b""
        self.error = error
        self.handler = None

    def BLE(self):
        return self

    def UUID(self, text):
        return text

    def irq(self, handler):
        self.handler = handler

    def gatts_register_services(self, services):
        self._say("services", services)
        return (HANDLES,)

    def gatts_read(self, handle):
        equal(handle, HANDLES[0])
        return self.value

    def active(self, on):
        self._say("active", on)

    def config(self, **values):
        self._say("config", sorted(values))

    def gatts_set_buffer(self, *values):
        self._say("buffer", *values)

    def gatts_notify(self, *values):
        self._say("notify", *values)

    def gap_disconnect(self, *values):
        self._say("disconnect", *values)

    def gap_advertise(self, interval_us, adv_data=None, resp_data=None):
        self._say("advertise", interval_us, adv_data, resp_data)

    def _say(self, *words):
        if self.error is not None:
            raise OSError(self.error, "")
        self.said.append(words)

    def interrupt(self, event, *members):
        """As NimBLE does: the data are gone when the handler returns."""
        data = list(members)
        self.handler(event, data)
        data.clear()

    def write(self, link, value):
        self.value = value
        self.interrupt(WRITTEN, link, HANDLES[0])


class Listener:
    def __init__(self):
        self.heard = []

    def connected(self, link):
        self.heard.append(("connected", link))

    def disconnected(self, link):
        self.heard.append(("disconnected", link))

    def written(self, link, data):
        self.heard.append(("written", link, data))

    def sized(self, link, mtu):
        self.heard.append(("sized", link, mtu))

    def flooded(self, link):
        self.heard.append(("flooded", link))


def _started(*links):
    bluetooth = Bluetooth()
    radio = Radio(bluetooth, lambda ms: None)
    radio.start(SERVICE, "write", "notify")
    for link in links:
        bluetooth.interrupt(CONNECTED, link, 1, memoryview(bytearray(6)))
    _heard(radio)
    return bluetooth, radio


def _heard(radio):
    listener = Listener()
    while radio.deliver(listener):
        pass
    return listener.heard


def test_another_address_needs_that_nothing_is_advertised():
    bluetooth, radio = _started()
    bluetooth.said = []
    radio.renew()
    equal(bluetooth.said, [("advertise", None, None, None), ("config", ["addr_mode"])])


def test_it_has_one_service_and_a_name_of_no_letters():
    bluetooth, _ = _started()
    service = (SERVICE, (("write", 0x0C), ("notify", 0x10)))
    equal(
        bluetooth.said,
        [
            ("active", True),
            ("config", ["gap_name", "mtu"]),
            ("services", (service,)),
            ("buffer", HANDLES[0], 512, True),
        ],
    )


def test_what_happened_is_delivered_in_its_order_and_in_the_loops_time():
    bluetooth, radio = _started()
    bluetooth.interrupt(CONNECTED, 7, 1, memoryview(bytearray(6)))
    bluetooth.interrupt(MTU, 7, 100)
    bluetooth.write(7, b"a")
    bluetooth.write(7, b"")  # it came with the one before
    bluetooth.interrupt(SCAN_RESULT, 1, 2, 3)
    bluetooth.interrupt(DISCONNECTED, 7, 1, memoryview(bytearray(6)))
    equal(
        _heard(radio),
        [("connected", 7), ("sized", 7, 100), ("written", 7, b"a"), ("disconnected", 7)],
    )
    equal(_heard(radio), [])


def test_a_central_that_floods_the_queue_is_told_of_once_and_others_are_heard():
    bluetooth, radio = _started(1)
    for _ in range(1000):
        bluetooth.write(1, bytes(100))
    bluetooth.interrupt(CONNECTED, 2, 1, memoryview(bytearray(6)))
    bluetooth.write(2, bytes(7000))
    heard = _heard(radio)
    equal(heard.count(("flooded", 1)), 1)
    true(100 * heard.count(("written", 1, bytes(100))) < MOST_WAITING, len(heard))
    equal(heard[-2:], [("connected", 2), ("written", 2, bytes(7000))])
    # There is room again, but not for the same connection.
    bluetooth.write(1, b"x")
    bluetooth.write(2, b"y")
    bluetooth.interrupt(DISCONNECTED, 1, 1, memoryview(bytearray(6)))
    equal(_heard(radio), [("written", 2, b"y"), ("disconnected", 1)])
    bluetooth.interrupt(CONNECTED, 1, 1, memoryview(bytearray(6)))
    bluetooth.write(1, b"z")
    equal(_heard(radio), [("connected", 1), ("written", 1, b"z")])


def test_small_writes_cannot_fill_the_heap_with_events():
    bluetooth, radio = _started(1)
    for _ in range(5000):
        bluetooth.write(1, b"x")
    true(len(_heard(radio)) < 300)


def test_a_notification_without_room_or_receiver_is_no_error():
    bluetooth, radio = _started()
    true(radio.notify(1, b"a"))
    equal(bluetooth.said[-1], ("notify", 1, HANDLES[1], b"a"))
    bluetooth.error = errno.ENOMEM
    true(not radio.notify(1, b"a"))
    true(not radio.advertise(1, b"", b""))
    radio.drop(1)


def test_waiting_ends_when_something_happens():
    bluetooth = Bluetooth()
    slept = []

    def sleep_ms(ms):
        slept.append(ms)
        if sum(slept) >= 20:
            bluetooth.write(1, b"a")

    radio = Radio(bluetooth, sleep_ms)
    radio.start(SERVICE, "write", "notify")
    bluetooth.interrupt(CONNECTED, 1, 1, memoryview(bytearray(6)))
    _heard(radio)
    radio.wait(50)
    equal(sum(slept), 20)
    radio.wait(50)
    equal(sum(slept), 20)
    _heard(radio)
    slept.clear()
    bluetooth.write = lambda link, value: None
    radio.wait(12)
    equal(slept, [5, 5, 2])


def test_a_board_without_bluetooth_has_no_radio():
    equal(find(lambda ms: None), None)  # SHARELOCK_RADIO is not set
    raises(OSError, Radio, Bluetooth(errno.EIO), None)


def test_an_interrupt_without_memory_is_told_until_all_begins_anew():
    bluetooth, radio = _started(1)

    def no_memory(handle):
        raise MemoryError("so many bytes")

    bluetooth.gatts_read = no_memory
    bluetooth.write(1, b"abc")
    for _ in range(2):
        error = raises(RuntimeError, radio.deliver, Listener())
        true("MemoryError" in str(error), error)
