"""Improv Wi-Fi: packets as the standard has them, in and out, and what is none."""

from firmware.link import improv
from firmware.link.improv import Improv
from firmware_tests.both.check import equal

# The standard's own example of credentials.
CREDENTIALS = b"\x01\x1e\x0cMyWirelessAP\x10mysecurepassword"


class Wifi:
    """One network in the air, and its password."""

    def __init__(self):
        self.host = "sharelock"
        self.joined = ""

    def is_up(self):
        return self.joined != ""

    def hostname(self, name=None):
        self.host = name or self.host
        return self.host

    def scan(self):
        return [("MyWirelessAP", -60, False), ("Caf\u00e9", -71, True)]

    def try_out(self, name, password):
        if (name, password) != ("MyWirelessAP", "mysecurepassword"):
            raise OSError(110)
        self.joined = name


class Talk:
    """An Improv, and what it says."""

    def __init__(self):
        self.wifi = Wifi()
        self.kept = []
        self.sent = []
        self.fault = None
        self.improv = Improv(
            self.wifi, self._keep, self._keep_host, ["A", "1", "ESP32"], self.sent.append
        )

    def _keep(self, *what):
        if self.fault is not None:
            raise self.fault
        self.kept.append(what)

    def _keep_host(self, host):
        if "_" in host:
            raise ValueError("no name")
        self._keep(host)

    def ask(self, data, packet=None):
        """(type, data) of each packet that answers a command."""
        for byte in packet or packed(3, data):
            self.improv.take(bytes([byte]))
        said = []
        for each in self.sent:
            equal((each[:1], each[-1:]), (b"\n", b"\n"))
            kind, content = each[8], each[10:-2]
            equal(each[1:-1], packed(kind, content))
            said.append((kind, bytes(content)))
        self.sent.clear()
        return said


def packed(kind, data):
    """A packet around data."""
    packet = b"IMPROV\x01" + bytes([kind, len(data)]) + data
    return packet + bytes([sum(packet) % 256])


FINE = (2, b"\x00")


def test_credentials_are_tried_and_then_kept():
    talk = Talk()
    equal(talk.ask(CREDENTIALS), [FINE, (1, b"\x03"), (1, b"\x04"), (4, b"\x01\x00")])
    equal(talk.kept, [("MyWirelessAP", "mysecurepassword")])
    equal(talk.ask(b"\x02\x00"), [FINE, (1, b"\x04"), (4, b"\x02\x00")])
    equal(talk.ask(b"\x07\x00"), [FINE, (4, b"\x07\x02\x013")])


def test_credentials_that_do_not_work_are_not_kept():
    talk = Talk()
    wrong = CREDENTIALS[:-1] + b"D"
    equal(talk.ask(wrong), [FINE, (1, b"\x03"), (1, b"\x02"), (2, b"\x03")])
    equal(talk.kept, [])
    equal(talk.ask(b"\x02\x00"), [FINE, (1, b"\x02")])
    equal(talk.ask(b"\x07\x00"), [FINE, (4, b"\x07\x02\x012")])


def test_a_flash_that_does_not_keep_them_is_an_unknown_error():
    talk = Talk()
    talk.fault = OSError(28)
    equal(talk.ask(CREDENTIALS)[-1], (2, b"\xff"))


def test_who_it_is_and_what_it_hears():
    talk = Talk()
    equal(talk.ask(b"\x03\x00")[1], (4, b"\x03\x14\x01A\x011\x05ESP32\x09sharelock"))
    equal(
        talk.ask(b"\x04\x00")[1:],
        [
            (4, b"\x04\x15\x0cMyWirelessAP\x03-60\x03YES"),
            (4, b"\x04\x0d\x05Caf\xc3\xa9\x03-71\x02NO"),
            (4, b"\x04\x00"),
        ],
    )


def test_its_name_is_told_and_set_and_a_bad_one_refused():
    talk = Talk()
    for command in (b"\x05", b"\x06"):
        equal(talk.ask(command + b"\x00")[1], (4, command + b"\x0a\x09sharelock"))
    equal(talk.ask(b"\x05\x02_a"), [FINE, (2, b"\x05")])
    equal(talk.ask(b"\x06\x04door")[1], (4, b"\x06\x05\x04door"))
    equal((talk.kept, talk.wifi.host), ([("door",)], "door"))


def test_what_is_malformed_changes_nothing():
    talk = Talk()
    right = packed(3, CREDENTIALS)
    wrong = [right[:-1] + b"\x00"]  # the sum
    for data in (
        b"",
        b"\x01",
        b"\x01\x00",
        b"\x01\x05\x02ab\x01",
        CREDENTIALS + b"x",
        b"\x02\x00x",
        CREDENTIALS[:3] + CREDENTIALS[4:],
        b"\x01\x04\x01\xff\x01a",
        b"\x01\x03\x02ab",
    ):
        wrong.append(packed(3, data))
    for packet in wrong:
        equal(talk.ask(None, packet)[-1], (2, b"\x01"), packet)
    equal(talk.kept, [])
    equal(talk.ask(b"\x08\x00"), [FINE, (2, b"\x02")])
    for kind in (1, 2, 4, 9):
        equal(talk.ask(None, packed(kind, b"\x02\x00")), [], "not for a device")
    equal(talk.ask(None, b"IMPROV\x02\x03\x02\x02\x00\x00"), [], "another version")


def test_bytes_of_no_packet_are_left_to_others():
    talk = Talk()
    taken = [talk.improv.take(bytes([byte])) for byte in b"\x03II\x03IMPROV\x02\r\n"]
    equal(taken, [False, True, True, False] + [True] * 6 + [False] * 3)
    for noise in (b"", b"I", b"IMPRO"):
        packet = noise + packed(3, b"\x02\x00")
        equal(talk.ask(None, packet), [FINE, (1, bytes([improv.AUTHORIZED]))], noise)
    for byte in packed(3, CREDENTIALS)[:20]:
        equal(talk.improv.take(bytes([byte])), True)
    talk.improv.forget()
    equal(talk.improv.take(b"\x03"), False)
