"""Both brokers: nobody gets in, reads or writes but where they may, last wills and all.

What amqtt leaves open as it comes has a test here each: retained messages, last wills, other
people's sessions, sizes, silence.
"""

import gc
import socket
import ssl
import time

import pytest

from firmware_tests.cloud.brokers import (
    CLOUD_PASSWORD,
    KINDS,
    NAMES,
    PATIENCE_S,
    Broker,
    Mqtt,
    Refused,
    broker,
)
from host_sim.cloud.link import broker as embedded
from host_sim.cloud.link import topics
from host_sim.cloud.link.certificates import Certificates

ONE, TWO, HOME = "1" * 16, "2" * 16, "a" * 32
LOGINS = {ONE: "one's", TWO: "two's", HOME: "home's"}


@pytest.fixture(params=KINDS, scope="module")
def at(request, tmp_path_factory):
    with broker(request.param, tmp_path_factory.mktemp(request.param), LOGINS) as made:
        yield made


def cloud(at):
    return Mqtt(at, topics.CLOUD, CLOUD_PASSWORD)


def lock(at, name, **options):
    return Mqtt(at, name, LOGINS[name], **options)


def theirs(name, patterns):
    return [pattern.replace("%u", name).replace("+", "x") for pattern in patterns]


OF_LOCKS = [p for p in (*topics.READ, *topics.WRITE) if p.startswith("locks")]


# --- who gets in ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, password",
    [(ONE, "two's"), (ONE, ""), ("", ""), ("x", "one's"), ("cloud", "one's"), (f"{ONE}+", "")],
)
def test_nobody_gets_in_with_a_wrong_password(at, name, password):
    with pytest.raises(Refused):
        Mqtt(at, name, password)


def test_a_client_that_trusts_others_does_not_trust_this_broker(at):
    with (
        socket.create_connection(("127.0.0.1", at.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


def test_the_certificate_is_for_its_names_only(at):
    context = ssl.create_default_context(cafile=str(at.ca))
    for name in NAMES:
        with socket.create_connection(("127.0.0.1", at.port)) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    with (
        socket.create_connection(("127.0.0.1", at.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="example.org")


def test_the_authority_stays_and_the_certificate_is_new(tmp_path):
    first = Certificates(tmp_path)
    first.issue(NAMES, int(time.time()))
    before = first.authority.read_bytes(), first.broker.read_bytes()
    again = Certificates(tmp_path)
    again.issue(NAMES, int(time.time()))
    assert again.authority.read_bytes() == before[0]
    assert again.broker.read_bytes() != before[1]
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0


# --- who reads and writes what -------------------------------------------------------------------


def test_a_lock_reads_what_is_for_it_and_nothing_else(at):
    with cloud(at) as service, lock(at, ONE) as one:
        one.subscribe("#", "locks/#", f"locks/{TWO}/#", "+/+/+/+", *theirs(TWO, OF_LOCKS))
        one.subscribe(*theirs(ONE, OF_LOCKS))
        for topic in theirs(TWO, OF_LOCKS) + theirs(HOME, topics.READ[2:6]):
            service.publish(topic, "for others")
        service.publish(f"locks/{ONE}/up/hello", "what it may write it may not read")
        service.publish(f"locks/{ONE}/{topics.STATEMENT}", b"mine")
        assert one.next().payload == b"mine"
        while not one.heard.empty():
            assert one.heard.get().payload == b"mine"  # by another of its filters


def test_a_lock_writes_what_is_its_own_and_nothing_else(at):
    with cloud(at) as service:
        service.subscribe("#")
        with lock(at, ONE) as one:
            for topic in theirs(TWO, OF_LOCKS) + [
                f"locks/{ONE}/{topics.STATEMENT}",
                f"locks/{ONE}/{topics.HEAD}",
                f"locks/{ONE}/up/hello/more",
                f"home/{HOME}/command",
                "homeassistant/lock/x/lock/config",
                topics.ONLINE,
            ]:
                one.client.publish(topic, "forged", qos=1)
                one.client.publish(topic, "forged", qos=1, retain=True)
            one.publish(f"locks/{ONE}/{topics.HELLO}", b"mine")
        message = service.next()
        assert (message.topic, message.payload) == (f"locks/{ONE}/{topics.HELLO}", b"mine")
        assert service.nothing()
    with cloud(at) as later:
        later.subscribe("#")
        assert all(b"forged" != message.payload for message in drained(later))


def test_home_assistant_commands_its_own_share_only(at):
    with cloud(at) as service, Mqtt(at, HOME, LOGINS[HOME]) as home:
        service.subscribe("home/#", "locks/#")
        home.subscribe("homeassistant/+/+/+/config", "homeassistant/+/+/config", "home/#")
        service.publish(f"homeassistant/lock/{ONE}/lock/config", "another's", retain=True)
        service.publish(f"homeassistant/lock/{HOME}/lock/config", "mine", retain=True)
        assert home.next().payload == b"mine"
        for topic in (f"home/{'b' * 32}/command", f"locks/{ONE}/up/hello"):
            home.client.publish(topic, "LOCK", qos=1)
        home.publish(f"home/{HOME}/command", "LOCK")
        assert service.next().topic == f"home/{HOME}/command"
        assert service.nothing()
        assert home.nothing()


def drained(client):
    """What comes until it is quiet."""
    messages = []
    while True:
        try:
            messages.append(client.next(0.5))
        except AssertionError:
            return messages


# --- retained messages ---------------------------------------------------------------------------


def test_a_retained_message_reaches_whom_it_is_for_when_they_come(at):
    with cloud(at) as service:
        service.publish(f"locks/{ONE}/{topics.HEAD}", b"7", retain=True)
        with lock(at, TWO) as two:
            two.subscribe("locks/+/head", f"locks/{ONE}/head", "#")
            assert two.nothing()
        with lock(at, ONE) as one:
            one.subscribe("locks/+/head")
            message = one.next()
            assert (message.payload, message.retain) == (b"7", True)


def test_connecting_brings_nobody_what_others_subscribed_to(at):
    with cloud(at) as service:
        service.subscribe("locks/#")
        service.publish(f"locks/{ONE}/{topics.STATE}", b"secret", retain=True)
        with lock(at, TWO) as two:
            assert two.nothing()
        with lock(at, TWO, clean_session=False) as two:
            assert two.nothing()


# --- last wills ----------------------------------------------------------------------------------


def test_a_last_will_comes_when_a_lock_falls_silent(at):
    mine = f"locks/{ONE}/{topics.PRESENCE}"
    with cloud(at) as service:
        service.subscribe(mine)
        one = lock(at, ONE, will=(mine, "offline", 1, True))
        one.publish(mine, "online", retain=True)
        assert service.next().payload == b"online"
        one.vanish()
        assert service.next().payload == b"offline"
    with cloud(at) as later:
        later.subscribe(mine)
        assert later.next().payload == b"offline"


@pytest.mark.parametrize("retain", [False, True])
def test_a_last_will_cannot_be_for_others(at, retain):
    for topic in (f"locks/{TWO}/{topics.STATE}", f"locks/{ONE}/{topics.STATEMENT}", "x"):
        with cloud(at) as service:
            service.subscribe(topic)
            try:
                lock(at, ONE, will=(topic, "forged", 1, retain)).vanish()
            except Refused:
                pass
            assert service.nothing(1)
        with cloud(at) as later:
            later.subscribe(topic)
            assert later.nothing()


# --- sessions ------------------------------------------------------------------------------------


def test_nobody_takes_over_anothers_session(at):
    with cloud(at) as service, lock(at, ONE) as one:
        one.subscribe(f"locks/{ONE}/{topics.STATEMENT}")
        with pytest.raises(Refused):
            Mqtt(at, TWO, "wrong", client_id=ONE)
        with lock(at, TWO, client_id=ONE, clean_session=False) as two:
            service.publish(f"locks/{ONE}/{topics.STATEMENT}", b"mine")
            assert one.next().payload == b"mine"
            assert two.nothing()


def test_a_lock_that_comes_again_is_online_in_the_end(at):
    mine = f"locks/{ONE}/{topics.PRESENCE}"
    will = (mine, "offline", 1, True)
    first = lock(at, ONE, will=will, reconnect_on_failure=False)
    first.publish(mine, "online", retain=True)
    with lock(at, ONE, will=will) as second:  # the first one did not say goodbye
        second.publish(mine, "online", retain=True)
        with cloud(at) as service:
            service.subscribe(mine)
            assert [message.payload for message in drained(service)][-1] == b"online"
        assert not first.client.is_connected()
    first.close()


# --- what a stranger can cost --------------------------------------------------------------------


def raw(at: Broker) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(at.ca))
    plain = socket.create_connection(("127.0.0.1", at.port), PATIENCE_S)
    return context.wrap_socket(plain, server_hostname="localhost")


def ended(connection: ssl.SSLSocket) -> bool:
    """Whether the other side ends a connection without an answer, or says no."""
    try:
        return connection.recv(4)[:2] in (b"", b"\x20\x02")
    except OSError:
        return True


@pytest.mark.parametrize("first", [b"GET / HTTP/1.0\r\n\r\n", b"\x10\xff\xff\xff\x7f", bytes(64)])
def test_what_is_no_connect_ends_the_connection(tmp_path, first, monkeypatch):
    monkeypatch.setattr(embedded, "_CONNECT_S", 1)
    with broker("embedded", tmp_path, LOGINS) as at:
        with raw(at) as connection:
            connection.sendall(first)
            assert ended(connection)
        with lock(at, ONE) as one:  # others are served
            one.publish(f"locks/{ONE}/{topics.HELLO}", b"{}")


def test_it_ends_with_all_its_connections(tmp_path):
    for name in "abcdef":
        with broker("embedded", tmp_path / name, LOGINS) as at:
            one = lock(at, ONE, reconnect_on_failure=False)
        one.close()
    gc.collect()  # warns of each that is open, which fails this test


def test_a_packet_that_is_too_large_ends_the_connection(at):
    with cloud(at) as service:
        service.subscribe(f"locks/{ONE}/{topics.LOG}")
        one = lock(at, ONE, reconnect_on_failure=False)
        one.client.publish(f"locks/{ONE}/{topics.LOG}", bytes(40_000), qos=1)
        assert service.nothing(1)
        one.close()


def test_who_falls_silent_is_gone_after_a_while(at):
    mine = f"locks/{TWO}/{topics.PRESENCE}"
    with cloud(at) as service, raw(at) as connection:
        service.subscribe(mine)
        # CONNECT with a keep-alive of 1 s and a last will, and not a word more.
        password = LOGINS[TWO]
        fields = (TWO, mine, "offline", TWO, password)
        payload = b"".join(len(f).to_bytes(2, "big") + f.encode() for f in fields)
        body = b"\x00\x04MQTT\x04\xee\x00\x01" + payload
        connection.sendall(b"\x10" + bytes([len(body)]) + body)
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        assert service.next().payload == b"offline"
