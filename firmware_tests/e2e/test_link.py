"""A lock on MicroPython, in touch with a cloud over a real broker with TLS, and by itself."""

import json
import time
from hashlib import sha256

import pytest

from firmware.crypto import cbor
from firmware.policy import reasons
from firmware.policy.grant import LOCAL, UNLOCK
from firmware.store import entry
from firmware_tests.cloud.brokers import NAMES
from firmware_tests.e2e.given import (
    AUDIENCE,
    DESK,
    LOCK,
    PASSWORD,
    Web,
    grant,
    now,
    provisioned,
    signed,
)
from host_sim.cloud import issuer
from host_sim.cloud.link.broker import Embedded
from host_sim.cloud.link.certificates import Certificates
from host_sim.world.network import Proxy

OTHER = b"some-other-lock!"
YEAR_S = 31_536_000


@pytest.fixture
def board(tmp_path, blank, broker, cloud):
    made = provisioned(tmp_path, blank, broker.ca, broker.port)
    made.on()
    yield made
    made.off()


def test_a_share_comes_opens_from_afar_and_goes(board, cloud):
    assert cloud.hear("online") == b"online"
    hello = cloud.hear_json("up/hello")
    answer = issuer.time(AUDIENCE, now(), bytes.fromhex(hello["nonce"]))
    assert cloud.push(signed(answer))["reason"] == reasons.TIME_SET

    token = signed(issuer.batch(AUDIENCE, now(), 1, 1, [grant(sequence=1)]))
    assert cloud.push(token) == {
        "statement": sha256(token).digest()[:8].hex(),
        "reason": reasons.ALLOWED,
        "applied": 1,
    }
    assert board.open() == reasons.ALLOWED
    assert cloud.hear_json("state", lock="UNLOCKED")["share"] == b"1".hex()
    assert cloud.hear_json("state", lock="LOCKED")["reason"] == reasons.ALLOWED

    # From afar: once for each challenge, for this lock, and only by the share's own rules.
    challenge = bytes.fromhex(cloud.hear_json("up/hello", applied=1)["challenge"])
    command = signed(issuer.command(AUDIENCE, now(), b"1", UNLOCK, challenge))
    other = signed(issuer.command(OTHER, now(), b"1", UNLOCK, challenge))
    assert cloud.push(other)["reason"] == reasons.OTHER_LOCK
    assert cloud.push(command)["reason"] == reasons.ALLOWED
    cloud.hear_json("state", lock="LOCKED")
    assert cloud.push(command)["reason"] == reasons.CHALLENGE_USED
    closed = grant(version=2, sequence=2, channels=LOCAL)
    assert cloud.push(signed(issuer.batch(AUDIENCE, now(), 2, 2, [closed])))["applied"] == 2
    challenge = bytes.fromhex(cloud.hear_json("up/hello", applied=2)["challenge"])
    command = signed(issuer.command(AUDIENCE, now(), b"1", UNLOCK, challenge))
    assert cloud.push(command)["reason"] == reasons.CHANNEL_CLOSED

    end = issuer.revocation_change(AUDIENCE, now(), b"1", 2, sequence=3)
    assert cloud.push(signed(issuer.batch(AUDIENCE, now(), 3, 3, [end])))["applied"] == 3
    assert board.open() == reasons.UNKNOWN_SHARE


def test_what_the_broker_kept_is_refused_and_a_restart_resumes(board, cloud):
    cloud.hear_json("up/hello")
    token = signed(grant())
    board.off()
    cloud.say("down/statement", token, retain=True)
    board.on()
    cloud.hear_json("up/hello")
    with pytest.raises(AssertionError, match="nothing was heard"):
        cloud.hear("up/result", 3)
    assert board.open() == reasons.UNKNOWN_SHARE
    assert cloud.push(token)["reason"] == reasons.ALLOWED
    assert board.open() == reasons.ALLOWED


def test_duplicates_garbage_and_a_flood_change_nothing_twice(board, cloud):
    cloud.hear_json("up/hello")
    token = signed(issuer.batch(AUDIENCE, now(), 1, 1, [grant(sequence=1, uses=1)]))
    for payload in (token, token, b"", b"garbage", bytes(6000), token):
        cloud.say("down/statement", payload)
    answers = [cloud.hear_json("up/result") for _ in range(6)]
    assert [each["reason"] for each in answers] == [
        reasons.ALLOWED,
        reasons.ALLOWED,
        reasons.MALFORMED,
        reasons.MALFORMED,
        reasons.MALFORMED,
        reasons.ALLOWED,
    ]
    assert board.open() == reasons.ALLOWED
    for _ in range(100):
        cloud.say("down/statement", token[:-1] + bytes([token[-1] ^ 1]))
    assert board.open() == reasons.ALLOWED  # within half a minute it is the same use
    said = cloud.push(signed(grant(version=2, sequence=2)))
    while said["reason"] == reasons.BAD_SIGNATURE:
        said = cloud.hear_json("up/result")
    assert said["reason"] == reasons.ALLOWED


def test_the_log_goes_up_and_its_acknowledgement_comes_back(board, cloud):
    cloud.hear_json("up/hello")
    piece = cloud.hear("up/log")
    last = entry.Entry(piece[-entry.BYTES :])
    ack = issuer.acknowledgement(AUDIENCE, now(), last.sequence, last.link)
    assert cloud.push(signed(ack))["reason"] == reasons.ALLOWED
    cloud.push(signed(grant()))
    assert board.open() == reasons.ALLOWED
    kinds = []
    while entry.DECISION not in kinds:
        piece = cloud.hear("up/log", 100)
        kinds = [piece[at + 4] for at in range(32, len(piece), entry.BYTES)]
    assert int.from_bytes(piece[8:12], "big") == last.sequence


def test_pages_over_https_and_the_time_over_plain_http(tmp_path, blank, broker, cloud):
    asked = []

    def answer(method, path, body, headers):
        asked.append((method, path, headers.get("Authorization")))
        if path.endswith("/time"):
            nonce = bytes.fromhex(json.loads(body)["nonce"])
            return signed(issuer.time(AUDIENCE, now(), nonce))
        return cbor.encode([signed(issuer.batch(AUDIENCE, now(), 1, 1, [grant(sequence=1)]))])

    with Web(Certificates(broker.ca.parent), answer) as web, Web(None, answer) as plain:
        board = provisioned(tmp_path, blank, broker.ca, broker.port, web.port, plain.port)
        board.on(DESK)
        try:
            cloud.hear_json("up/hello")
            board.ask("later", s=21)  # so long it would wait for somebody to bring it
            cloud.say("head", b'{"sequence": 1, "settings": 0}', retain=True)
            said = cloud.hear_json("up/result", 40, applied=1)
            assert said["reason"] == reasons.ALLOWED
            assert board.open() == reasons.ALLOWED
        finally:
            board.off()
    assert ("GET", f"/locks/{LOCK}/changes?after=0", "Bearer " + PASSWORD) in asked
    assert all(token is None for method, _, token in asked if method == "POST")


def _certificates(what, folder):
    """(authority that the lock believes, certificates of the broker that it meets)."""
    mine = Certificates(folder / "tls")
    theirs = Certificates(folder / "thief") if what == "another CA" else mine
    at = int(time.time()) + {"over": -3 * YEAR_S, "not yet": YEAR_S}.get(what, 0)
    theirs.issue(["elsewhere.example"] if what == "another host" else NAMES, at)
    return mine.authority, theirs


@pytest.mark.parametrize("what", ["another CA", "another host", "over", "not yet"])
def test_a_broker_with_a_wrong_certificate_hears_nothing(what, tmp_path, blank):
    authority, certificates = _certificates(what, tmp_path)
    heard = []

    def admit(name, password):
        heard.append(name)
        return True

    with (
        Embedded("127.0.0.1", 0, certificates, admit) as imposter,
        Proxy(imposter.port) as proxy,
    ):
        board = provisioned(tmp_path, blank, authority, proxy.port)
        board.on()
        until = time.monotonic() + 30
        while proxy.connections < 2 and time.monotonic() < until:
            time.sleep(0.1)
        answer = board.open()
        board.off()
    assert answer == reasons.UNKNOWN_SHARE
    assert proxy.connections >= 2 and heard == []
