"""What the tests of the link share: statements for the lock, and a board that knows its cloud."""

import time
from pathlib import Path
from typing import Any

from firmware.policy.grant import Grant
from firmware.policy.instant import Instant, from_unix
from firmware_tests.board import ISSUER, PHONE, Board
from firmware_tests.e2e.mosquitto import LOCK, PASSWORD, Authority
from host_sim.cloud import issuer

AUDIENCE = LOCK.encode()


def now() -> Instant:
    return from_unix(int(time.time()))


def grant(
    share: bytes = b"1", version: int = 1, sequence: int | None = None, **terms: Any
) -> issuer.Change:
    made = Grant(share, AUDIENCE, b"")
    made.version, made.issued = version, now()
    for name, value in terms.items():
        setattr(made, name, value)
    return issuer.grant_change(made, PHONE.public, sequence)


def signed(change: issuer.Change) -> bytes:
    return issuer.sign(change, ISSUER)


def provisioned(
    folder: Path, authority: Authority, broker: int, web: int = 1, plain: int = 1
) -> Board:
    """A board that was told of a cloud, by the ports of its parts."""
    board = Board("micropython", folder)
    board.provision(
        LOCK,
        {
            "broker": f"127.0.0.1:{broker}",
            "web": f"127.0.0.1:{web}",
            "plain": f"127.0.0.1:{plain}",
            "ca": authority.der.hex(),
            "secret": PASSWORD,
        },
    )
    return board
