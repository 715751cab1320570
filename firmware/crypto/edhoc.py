"""EDHOC (RFC 9528) in one profile: cipher suite 2, method 3; the lock is the responder.

Imports CBOR, HKDF, AES-CCM and Diffie-Hellman. Suite 2 is AES-CCM-16-64-128, SHA-256 and P-256;
in method 3 both sides authenticate with static Diffie-Hellman keys. What a credential looks like,
and whose it is, is the caller's business. Ids of connections and keys are bytes here; section
3.3.2 says how those travel that are the encoding of a small integer.

`Schedule` is what both sides compute alike. Values are named as in the RFC.
"""

from hashlib import sha256

from . import cbor, ccm, ecdh, p256
from .constant_time import equal
from .kdf import HASH_BYTES, hkdf_expand, hkdf_extract

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Generator

METHOD = 3
SUITE = 2
HEADER_KID = 4  # labels of ID_CRED (RFC 9052, RFC 9528 section 3.5.3.2)
HEADER_KCCS = 14

# Error codes (section 6).
UNSPECIFIED = 1
WRONG_SUITE = 2
UNKNOWN_CREDENTIAL = 3

# States of either side (section 5). From each there is one way on, and one to FAILED.
START = 0
WAIT_2 = 1
WAIT_3 = 2
WAIT_4 = 3
DONE = 4
FAILED = 5

MAC_BYTES = 8
_KEY_BYTES = 16
_MOST_BYTES = 512  # of a message: a credential by value has 89, the rest is for EAD
_MOST_ITEMS = 48
_MOST_DEPTH = 6

# Labels of EDHOC_KDF (section 4.1.2, figure 6).
_KEYSTREAM_2 = 0
_SALT_3E2M = 1
_MAC_2 = 2
_K_3 = 3
_IV_3 = 4
_SALT_4E3M = 5
_MAC_3 = 6
_PRK_OUT = 7
_K_4 = 8
_IV_4 = 9
_PRK_EXPORTER = 10


class EdhocError(Exception):
    """The handshake is over. `code` and `info` are what an error message tells the other side.

    `told` is True if it is the other side who said so.
    """

    def __init__(self, code: int = UNSPECIFIED, info: "Any" = "", told: bool = False):
        super().__init__(code)
        self.code = code
        self.info = info
        self.told = told

    def message(self) -> bytes:
        """The error message (section 6)."""
        return cbor.encode(self.code) + cbor.encode(self.info)


def read_error(message: bytes) -> EdhocError:
    """The other side's error message; one that is malformed counts as unspecified."""
    try:
        code, info = members(message, 2)
        return EdhocError(code, info, True)
    except (EdhocError, ValueError):
        return EdhocError(told=True)


class Schedule:
    """What both sides compute: the key schedule (section 4), further with each call."""

    def __init__(self, aes: "Callable") -> None:
        self._aes = aes
        self._th = b""  # TH_2, TH_3, TH_4
        self._prk_2e = b""
        self._prk_3e2m = b""
        self._prk_4e3m = b""
        self._prk_exporter = b""

    def agree(self, message_1: bytes, g_y: bytes, g_xy: bytes) -> None:
        """Both ephemeral keys are known: TH_2 and PRK_2e."""
        self._th = _hash(cbor.encode(g_y) + cbor.encode(_hash(message_1)))
        self._prk_2e = hkdf_extract(self._th, g_xy)

    def mask(self, text: bytes) -> bytes:
        """CIPHERTEXT_2 of PLAINTEXT_2, and the other way round."""
        stream = _kdf(self._prk_2e, _KEYSTREAM_2, self._th, len(text))
        mixed = int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")
        return mixed.to_bytes(len(text), "big")

    def prove_r(self, g_rx: bytes) -> None:
        """The responder's key comes in: PRK_3e2m."""
        salt = _kdf(self._prk_2e, _SALT_3E2M, self._th, HASH_BYTES)
        self._prk_3e2m = hkdf_extract(salt, g_rx)

    def mac_2(self, c_r: bytes, id_cred_r: dict, cred_r: bytes, ead_2: bytes) -> bytes:
        """MAC_2; `c_r` and `ead_2` are encoded."""
        before = c_r + cbor.encode(id_cred_r)
        return self._mac(self._prk_3e2m, _MAC_2, before, cred_r + ead_2)

    def close_2(self, plaintext_2: bytes, cred_r: bytes) -> None:
        """Message 2 is complete: TH_3."""
        self._th = _hash(cbor.encode(self._th) + plaintext_2 + cred_r)

    def seal_3(self, plaintext_3: bytes) -> bytes:
        """CIPHERTEXT_3."""
        return self._seal(self._prk_3e2m, _K_3, plaintext_3)

    def open_3(self, ciphertext_3: bytes) -> bytes:
        """PLAINTEXT_3; raises EdhocError."""
        return self._open(self._prk_3e2m, _K_3, ciphertext_3)

    def prove_i(self, g_iy: bytes) -> None:
        """The initiator's key comes in: PRK_4e3m."""
        salt = _kdf(self._prk_3e2m, _SALT_4E3M, self._th, HASH_BYTES)
        self._prk_4e3m = hkdf_extract(salt, g_iy)

    def mac_3(self, id_cred_i: dict, cred_i: bytes, ead_3: bytes) -> bytes:
        """MAC_3; `ead_3` is encoded."""
        return self._mac(self._prk_4e3m, _MAC_3, cbor.encode(id_cred_i), cred_i + ead_3)

    def close_3(self, plaintext_3: bytes, cred_i: bytes) -> None:
        """Message 3 is complete: TH_4 and PRK_exporter."""
        self._th = _hash(cbor.encode(self._th) + plaintext_3 + cred_i)
        prk_out = _kdf(self._prk_4e3m, _PRK_OUT, self._th, HASH_BYTES)
        self._prk_exporter = _kdf(prk_out, _PRK_EXPORTER, b"", HASH_BYTES)

    def seal_4(self, plaintext_4: bytes) -> bytes:
        """CIPHERTEXT_4."""
        return self._seal(self._prk_4e3m, _K_4, plaintext_4)

    def open_4(self, ciphertext_4: bytes) -> bytes:
        """PLAINTEXT_4; raises EdhocError."""
        return self._open(self._prk_4e3m, _K_4, ciphertext_4)

    def export(self, label: int, length: int, context: bytes = b"") -> bytes:
        """EDHOC_Exporter (section 4.2.1); after message 3."""
        return _kdf(self._prk_exporter, label, context, length)

    def _mac(self, prk, label, before, after):
        return _kdf(prk, label, before + cbor.encode(self._th) + after, MAC_BYTES)

    def _seal(self, prk, label, plaintext):
        key, nonce = self._cipher(prk, label)
        return ccm.encrypt(self._aes, key, nonce, plaintext, self._aad())

    def _open(self, prk, label, ciphertext):
        key, nonce = self._cipher(prk, label)
        plaintext = ccm.decrypt(self._aes, key, nonce, ciphertext, self._aad())
        if plaintext is None:
            raise EdhocError
        return plaintext

    def _cipher(self, prk, label):
        key = _kdf(prk, label, self._th, _KEY_BYTES)
        return key, _kdf(prk, label + 1, self._th, ccm.NONCE_BYTES)

    def _aad(self):
        return cbor.encode(["Encrypt0", b"", self._th])


class Responder:
    """The lock's side of one handshake (section 5); `state` is START, WAIT_3, DONE or FAILED.

    `credential` is CRED_R with its key id and private `key`. `ephemeral` is a scalar that was
    never used and its G_Y. `authenticate(ID_CRED_I)` gives CRED_I and its point, 64 bytes that
    are on the curve, or None. Whatever raises EdhocError ends the handshake.
    """

    def __init__(
        self,
        aes: "Callable",
        credential: bytes,
        kid: bytes,
        key: int,
        ephemeral: "tuple[int, bytes]",
        random: "Callable[[int], bytes]",
        c_r: bytes = b"\x00",
    ) -> None:
        self.state = START
        self._credential = credential
        self._kid = kid
        self._key = key
        self._y, self._g_y = ephemeral
        self._random = random
        self._c_r = compact(c_r)
        self._schedule = Schedule(aes)
        self.export = self._schedule.export

    def take_1(self, message_1: bytes) -> "Generator[None, None, bytes]":
        """Message 2, in slices of `ecdh`."""
        self._enter(START)
        method, suites, g_x, c_i, *ead_1 = members(message_1, 4)
        _check_suites(suites)
        if method != METHOD or type(g_x) is not bytes:
            raise EdhocError
        identifier(c_i)
        encode_ead(ead_1)
        try:
            peer = yield from ecdh.lift(g_x)
        except p256.InvalidPoint:
            raise EdhocError
        g_xy, g_rx = yield from ecdh.pair(self._y, self._key, peer, self._random)
        schedule = self._schedule
        schedule.agree(message_1, self._g_y, g_xy)
        schedule.prove_r(g_rx)
        mac_2 = schedule.mac_2(self._c_r, {HEADER_KID: self._kid}, self._credential, b"")
        plaintext_2 = self._c_r + compact(self._kid) + cbor.encode(mac_2)
        ciphertext_2 = schedule.mask(plaintext_2)
        schedule.close_2(plaintext_2, self._credential)
        self.state = WAIT_3
        return cbor.encode(self._g_y + ciphertext_2)

    def take_3(
        self,
        message_3: bytes,
        authenticate: "Callable[[dict], tuple[bytes, bytes] | None]",
    ) -> "Generator[None, None, None]":
        """Find out who it is, in slices of `ecdh`; then the exporter works."""
        self._enter(WAIT_3)
        schedule = self._schedule
        plaintext_3 = schedule.open_3(read_bytes(message_3))
        id_cred_i, mac_3, *ead = members(plaintext_3, 2)
        if type(id_cred_i) is not dict:
            id_cred_i = {HEADER_KID: identifier(id_cred_i)}
        ead_3 = encode_ead(ead)
        found = authenticate(id_cred_i)
        if found is None:
            raise EdhocError(UNKNOWN_CREDENTIAL, True)
        cred_i, point = found
        g_iy = yield from ecdh.single(self._y, point, self._random)
        self._y = 0
        schedule.prove_i(g_iy)
        if type(mac_3) is not bytes or not equal(mac_3, schedule.mac_3(id_cred_i, cred_i, ead_3)):
            raise EdhocError
        schedule.close_3(plaintext_3, cred_i)
        self.state = DONE

    def message_4(self) -> bytes:
        """Message 4, for an initiator who wants to be sure before it says more."""
        return cbor.encode(self._schedule.seal_4(b""))

    def _enter(self, state):
        """Failed, unless all goes well."""
        before = self.state
        self.state = FAILED
        if before != state:
            raise EdhocError


def members(message: bytes, least: int) -> "list[Any]":
    """The members of a message or plaintext, so many or more; raises EdhocError."""
    try:
        found = cbor.decode_sequence(message, _MOST_BYTES, _MOST_DEPTH, _MOST_ITEMS)
    except cbor.CborError:
        raise EdhocError
    if len(found) < least:
        raise EdhocError
    return found


def read_bytes(message: bytes) -> bytes:
    """The byte string that is all of a message 2, 3 or 4; raises EdhocError."""
    found = members(message, 1)
    if len(found) != 1 or type(found[0]) is not bytes:
        raise EdhocError
    return found[0]


def identifier(item: "Any") -> bytes:
    """A key's or connection's id as it came (section 3.3.2); raises EdhocError."""
    if type(item) is bytes:
        if not _is_small(item):
            return item
    elif type(item) is int and -24 <= item < 24:
        return cbor.encode(item)
    raise EdhocError


def compact(raw: bytes) -> bytes:
    """An id as it goes: itself, if it is the encoding of a small integer."""
    return raw if _is_small(raw) else cbor.encode(raw)


def encode_ead(items: "list[Any]") -> bytes:
    """External authorization data (section 3.8) as it came; raises EdhocError.

    None is known here: what is critical is an error, and the rest is left aside.
    """
    encoded = b""
    is_value_next = False
    for item in items:
        if type(item) is int and item >= 0:
            is_value_next = True
        elif type(item) is bytes and is_value_next:
            is_value_next = False
        else:
            raise EdhocError
        encoded += cbor.encode(item)
    return encoded


def _check_suites(suites):
    """SUITES_I is the selected suite, or a list that ends with it (section 5.2.2)."""
    if type(suites) is int:
        suites = [suites]
    elif type(suites) is not list or len(suites) < 2:
        raise EdhocError
    for suite in suites:
        if type(suite) is not int:
            raise EdhocError
    if suites[-1] != SUITE or SUITE in suites[:-1]:
        raise EdhocError(WRONG_SUITE, SUITE)


def _is_small(raw):
    return len(raw) == 1 and raw[0] & 0x1F < 24 and raw[0] < 0x40


def _hash(data):
    return sha256(data).digest()


def _kdf(prk, label, context, length):
    """EDHOC_KDF (section 4.1.2)."""
    info = cbor.encode(label) + cbor.encode(context) + cbor.encode(length)
    return hkdf_expand(prk, info, length)
