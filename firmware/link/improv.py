"""Improv Wi-Fi at a serial line: a web page or a program tells the lock which Wi-Fi to join.

Imports nothing. The standard is https://www.improv-wifi.com/serial/, version 1 of its packets.
Bytes go in one by one and packets come out; who stands at the line is the caller's business.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

# States, see `Improv.state`.
AUTHORIZED = 2
PROVISIONING = 3
PROVISIONED = 4

NO_ERROR = 0
INVALID_PACKET = 1
UNKNOWN_COMMAND = 2
UNABLE_TO_CONNECT = 3
BAD_HOSTNAME = 5
UNKNOWN_ERROR = 255

_HEADER = b"IMPROV\x01"
_STATE, _ERROR, _COMMAND, _RESULT = 1, 2, 3, 4
_WIFI, _ASK_STATE, _ASK_INFO, _SCAN, _HOSTNAME, _NAME, _NETWORK = 1, 2, 3, 4, 5, 6, 7
_TYPE, _LENGTH, _DATA = 7, 8, 9  # where they are in a packet
_ONLINE, _HAS_WIFI = 1, 2


class Improv:
    """The device of the standard, which its people have authorized.

    `wifi` is a `hal.wifi.Wifi`; `keep(name, password)` and `keep_host(host)` store what was joined
    and how to be called, or raise ValueError. `about` is firmware, version and chip; `send` takes
    packets.
    """

    def __init__(
        self,
        wifi: "Any",
        keep: "Callable[[str, str], None]",
        keep_host: "Callable[[str], None]",
        about: "list[str]",
        send: "Callable[[bytes], Any]",
    ) -> None:
        self._wifi = wifi
        self._keep = keep
        self._keep_host = keep_host
        self._about = about
        self._send = send
        self._packet = bytearray()

    @property
    def state(self) -> int:
        """Whether it has a network; PROVISIONING only while it joins one."""
        return PROVISIONED if self._wifi.is_up() else AUTHORIZED

    def take(self, byte: bytes) -> bool:
        """Take the line's next byte, answer if it ends a packet; False if it is of none."""
        packet = self._packet
        packet += byte
        if packet[:_TYPE] != _HEADER[: len(packet)]:
            self._packet = bytearray(byte if byte == b"I" else b"")
            return byte == b"I"
        if len(packet) > _LENGTH and len(packet) > _DATA + packet[_LENGTH]:
            self._packet = bytearray()
            if packet[_TYPE] == _COMMAND:
                self._obey(packet)
        return True

    def forget(self) -> None:
        """What has come so far will not be a packet."""
        self._packet = bytearray()

    # --- what it is asked -----------------------------------------------------------------------

    def _obey(self, packet):
        data = packet[_DATA:-1]
        if sum(packet[:-1]) & 0xFF != packet[-1] or len(data) < 2 or len(data) != 2 + data[1]:
            self._fail(INVALID_PACKET)
            return
        self._fail(NO_ERROR)
        try:
            error = self._do(data[0], bytes(data[2:]))
        except UnicodeError:
            error = INVALID_PACKET
        except (OSError, ValueError):
            error = UNKNOWN_ERROR
        if error != NO_ERROR:
            self._fail(error)

    def _do(self, command, data):
        """Carry out a command and answer it; the number of an error, or NO_ERROR."""
        if command == _WIFI:
            return self._join(data)
        if command == _HOSTNAME or command == _NAME:
            return self._call(command, data)
        if command == _ASK_STATE:
            state = self.state
            self._packet_of(_STATE, bytes([state]))
            if state == PROVISIONED:
                self._answer(command)
        elif command == _ASK_INFO:
            self._answer(command, *self._about, self._wifi.hostname())
        elif command == _SCAN:
            for name, dbm, is_open in self._wifi.scan():
                self._answer(command, name, str(dbm), "NO" if is_open else "YES")
            self._answer(command)
        elif command == _NETWORK:
            self._answer(command, str(_HAS_WIFI | (_ONLINE if self._wifi.is_up() else 0)))
        else:
            return UNKNOWN_COMMAND
        return NO_ERROR

    def _join(self, data):
        end = 1 + data[0] if data else 0
        if len(data) <= end or len(data) != end + 1 + data[end]:
            return INVALID_PACKET
        name = data[1:end].decode()
        password = data[end + 1 :].decode()
        self._packet_of(_STATE, bytes([PROVISIONING]))
        try:
            self._wifi.try_out(name, password)
        except OSError:
            self._packet_of(_STATE, bytes([AUTHORIZED]))
            return UNABLE_TO_CONNECT
        self._keep(name, password)
        self._packet_of(_STATE, bytes([PROVISIONED]))
        self._answer(_WIFI)
        return NO_ERROR

    def _call(self, command, data):
        """Tell the host's name, which is the device's, too, or set it and tell it."""
        if data:
            host = data.decode()
            try:
                self._keep_host(host)
            except ValueError:
                return BAD_HOSTNAME
            self._wifi.hostname(host)
        self._answer(command, self._wifi.hostname())
        return NO_ERROR

    # --- packets --------------------------------------------------------------------------------

    def _fail(self, error):
        self._packet_of(_ERROR, bytes([error]))

    def _answer(self, command, *texts):
        strings = bytearray()
        for text in texts:
            encoded = text.encode()
            strings.append(len(encoded))
            strings += encoded
        self._packet_of(_RESULT, bytes([command, len(strings)]) + strings)

    def _packet_of(self, kind, data):
        packet = _HEADER + bytes([kind, len(data)]) + data
        # On a line of its own, because programs look for packets only where a line begins.
        self._send(b"\n" + packet + bytes([sum(packet) & 0xFF]) + b"\n")
