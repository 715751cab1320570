"""Two visits of a phone, byte for byte, for docs/protocol.md."""

import tempfile
from hashlib import sha256

from firmware.app import Lock
from firmware.crypto import ecdh
from firmware.crypto.slices import finish
from firmware.link import credential, session
from firmware.link.requests import ACT
from firmware.link.visits import Visits
from firmware.policy.grant import UNLOCK, Grant
from firmware.policy.instant import Instant
from firmware.store import identity
from firmware.store.flash import Flash
from host_sim.cloud.keys import PrivateKey, short
from host_sim.phone.session import Visit
from host_sim.phone.wallet import Wallet
from host_sim.shims.cryptolib import aes
from host_sim.world.hardware import Hardware

_NAMES = {
    session.GREETING: "greeting: a nonce",
    session.MESSAGE_1: "message 1: method 3, suite 2, G_X, C_I",
    session.MESSAGE_2: "message 2: G_Y, and sealed C_R, the lock's key id, MAC 2",
    session.MESSAGE_3: "message 3: sealed the phone's credential, MAC 3",
    session.MESSAGE_4: "message 4: sealed nothing",
    session.RESUME: "resumption: id of the step, the first frame",
    session.FRAME: "a frame",
}
_PHONE = 2
_DEVICE_KEY = bytes(range(32))


class _Random:
    """Bytes that are the same each time."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, count: int) -> bytes:
        self._count += 1
        return sha256(b"%d" % self._count).digest()[:count].ljust(count, b"\x00")


def lines() -> list[str]:
    """A first visit and a resumed one."""
    random = _Random()
    with tempfile.TemporaryDirectory() as folder:
        flash = Flash(folder)
        issuer = PrivateKey.from_scalar(1).public
        who = identity.Identity(b"front-door", issuer, _DEVICE_KEY)
        identity.write(flash.pair, who)
        hardware = Hardware(1_607_947_200, random)
        lock = Lock(hardware, flash, who, lambda text: None)
        lock.start()
        wallet = Wallet(_PHONE, finish(ecdh.public(_PHONE, random)))
        secret = credential.private_key(_DEVICE_KEY)
        known = wallet.know("front-door", finish(ecdh.public(secret, random)))
        grant = Grant(b"share-1", b"front-door", short(credential.key_of_point(wallet.point)))
        grant.issued = Instant(18_610, 0)
        lock.grants.put(grant)
        heard: list[bytes] = []

        def send(link: int, message: bytes) -> bool:
            heard.append(message)
            return True

        visits = Visits(lock, who, aes, random, lock.ticks, send, lambda link: None)
        said = [
            "the lock's private key, from its device key 00 01 .. 1f",
            *rows(secret.to_bytes(32, "big")),
            "",
            "its credential, 89 bytes",
            *rows(known.credential),
            "",
            "the phone's credential, 89 bytes",
            *rows(wallet.credential),
        ]
        for title in ("The first visit", "The second visit"):
            said += ["", f"--- {title} ---"]
            said += _visit(visits, heard, Visit(wallet, known, aes, random))
        return said


def _visit(visits: Visits, heard: list[bytes], phone: Visit) -> list[str]:
    shown = []
    phone.ask([(ACT, bytes([UNLOCK]))])
    visits.opened(1)
    while heard:
        told, heard[:] = list(heard), []
        for message in told:
            shown += _message("lock", message)
            for said in phone.received(message):
                shown += _message("phone", said)
                visits.received(1, said)
        while visits.work():
            pass
    visits.closed(1)
    what, content = phone.answers[0]
    frames = (("phone", ACT, bytes([UNLOCK])), ("lock", what, content))
    for who, kind, body in frames:
        plaintext = bytes([kind]) + len(body).to_bytes(2, "big") + body
        shown += ["", f"in the {who}'s frame", plaintext.hex(" ")]
    return shown


def _message(who: str, message: bytes) -> list[str]:
    return ["", f"{who}, {_NAMES[message[0]]}, {len(message)} bytes", *rows(message)]


def rows(data: bytes) -> list[str]:
    """Hexadecimal digits, 32 bytes a line."""
    return [data[at : at + 32].hex(" ") for at in range(0, len(data), 32)]
