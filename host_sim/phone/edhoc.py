"""The phone's side of EDHOC (RFC 9528 section 5), over the firmware's key schedule.

Imports the firmware's crypto; runs on MicroPython, too.
"""

from firmware.crypto import cbor, ecdh, edhoc, p256
from firmware.crypto.constant_time import equal
from firmware.crypto.edhoc import EdhocError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Generator

    Find = Callable[[dict], "tuple[bytes, bytes] | None"]


class Initiator:
    """One handshake; `state` is START, WAIT_2, WAIT_4, DONE or FAILED.

    `ephemeral` is a scalar that was never used and its public x. `suites` is SUITES_I. Whatever
    raises EdhocError ends the handshake.
    """

    def __init__(
        self,
        aes: "Callable",
        ephemeral: "tuple[int, bytes]",
        random: "Callable[[int], bytes]",
        c_i: bytes = b"\x00",
        suites: "Any" = edhoc.SUITE,
    ) -> None:
        self.state = edhoc.START
        self._x, self._g_x = ephemeral
        self._random = random
        self._c_i = c_i
        self._suites = suites
        self._message_1 = b""
        self._schedule = edhoc.Schedule(aes)
        self.export = self._schedule.export

    def message_1(self) -> bytes:
        """Message 1."""
        self._enter(edhoc.START)
        self._message_1 = (
            cbor.encode(edhoc.METHOD)
            + cbor.encode(self._suites)
            + cbor.encode(self._g_x)
            + edhoc.compact(self._c_i)
        )
        self.state = edhoc.WAIT_2
        return self._message_1

    def take_2(
        self,
        message_2: bytes,
        authenticate: "Find",
        key: int,
        id_cred_i: dict,
        cred_i: bytes,
        ead_3: "list[Any] | tuple[()]" = (),
    ) -> "Generator[None, None, bytes]":
        """Message 3, after the lock has proven to be who `authenticate(ID_CRED_R)` says.

        `key` is the private one of `cred_i`.
        """
        self._enter(edhoc.WAIT_2)
        schedule = self._schedule
        received = edhoc.read_bytes(message_2)
        g_y, ciphertext_2 = received[: p256.COORDINATE_BYTES], received[p256.COORDINATE_BYTES :]
        try:
            peer = yield from ecdh.lift(g_y)
        except p256.InvalidPoint:
            raise EdhocError
        g_xy, g_iy = yield from ecdh.pair(self._x, key, peer, self._random)
        schedule.agree(self._message_1, g_y, g_xy)
        plaintext_2 = schedule.mask(ciphertext_2)
        c_r, id_cred_r, mac_2, *ead_2 = edhoc.members(plaintext_2, 3)
        if not isinstance(id_cred_r, dict):
            id_cred_r = {edhoc.HEADER_KID: edhoc.identifier(id_cred_r)}
        found = authenticate(id_cred_r)
        if found is None:
            raise EdhocError(edhoc.UNKNOWN_CREDENTIAL, True)
        cred_r, point = found
        schedule.prove_r((yield from ecdh.single(self._x, point, self._random)))
        self._x = 0
        c_r = edhoc.compact(edhoc.identifier(c_r))
        mac = schedule.mac_2(c_r, id_cred_r, cred_r, edhoc.encode_ead(ead_2))
        if not isinstance(mac_2, bytes) or not equal(mac, mac_2):
            raise EdhocError
        schedule.close_2(plaintext_2, cred_r)
        schedule.prove_i(g_iy)
        encoded = b"".join([cbor.encode(item) for item in ead_3])
        mac_3 = schedule.mac_3(id_cred_i, cred_i, encoded)
        plaintext_3 = _reference(id_cred_i) + cbor.encode(mac_3) + encoded
        message_3 = cbor.encode(schedule.seal_3(plaintext_3))
        schedule.close_3(plaintext_3, cred_i)
        self.state = edhoc.WAIT_4
        return message_3

    def take_4(self, message_4: bytes) -> None:
        """The lock has verified message 3."""
        self._enter(edhoc.WAIT_4)
        edhoc.encode_ead(edhoc.members(self._schedule.open_4(edhoc.read_bytes(message_4)), 0))
        self.state = edhoc.DONE

    def _enter(self, state: int) -> None:
        """Failed, unless all goes well."""
        before = self.state
        self.state = edhoc.FAILED
        if before != state:
            raise EdhocError


def _reference(id_cred: dict) -> bytes:
    """ID_CRED as it goes: of a key id alone only the id (section 3.5.3.2)."""
    if list(id_cred) == [edhoc.HEADER_KID]:
        return edhoc.compact(id_cred[edhoc.HEADER_KID])
    return cbor.encode(id_cred)
