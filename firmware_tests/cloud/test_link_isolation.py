"""Both brokers: by no verb of MQTT does a lock reach what is another's.

The plain ones are in test_link_broker.py; here are those that go round the back.
"""

from contextlib import suppress

import pytest

from firmware_tests.cloud.brokers import CLOUD_PASSWORD, KINDS, Mqtt, Refused, broker
from host_sim.cloud.link import topics

ONE, TWO, HOME, OTHER = "1" * 16, "2" * 16, "a" * 32, "b" * 32
LOGINS = {ONE: "one's", TWO: "two's", HOME: "home's", OTHER: "other's"}

# Of lock TWO, of Home Assistant's share HOME, and of the service.
THEIRS = (
    f"locks/{TWO}/{topics.STATEMENT}",
    f"locks/{TWO}/{topics.HEAD}",
    f"locks/{TWO}/{topics.HELLO}",
    f"locks/{TWO}/{topics.LOG}",
    f"locks/{TWO}/{topics.STATE}",
    f"locks/{TWO}/{topics.PRESENCE}",
    f"home/{HOME}/{topics.HOME_STATE}",
    f"home/{HOME}/{topics.HOME_EVENT}",
    f"home/{HOME}/{topics.COMMAND}",
    f"homeassistant/lock/{HOME}/lock/config",
    "cloud/other",
)
FILTERS = (
    "#",
    "+/#",
    "+/+/+",
    "+/+/+/+/+",
    "locks/+/down/+",
    f"locks/{TWO}/#",
    f"home/{HOME}/#",
    "homeassistant/#",
    "cloud/#",
    "$SYS/#",
    "$share/group/#",
    f"$share/group/locks/{TWO}/#",
    f"$share/group/locks/{TWO}/{topics.HEAD}",
    *THEIRS,
)


@pytest.fixture(params=KINDS, scope="module")
def at(request, tmp_path_factory):
    with broker(request.param, tmp_path_factory.mktemp(request.param), LOGINS) as made:
        yield made


@pytest.fixture
def service(at):
    with Mqtt(at, topics.CLOUD, CLOUD_PASSWORD) as made:
        yield made


def heard(client, last):
    """What came before a payload that comes in the end."""
    found = []
    message = client.next()
    while message.payload != last:
        found.append(message.topic)
        message = client.next()
    return found


def kept(at):
    """What the broker keeps of THEIRS: payloads by topic."""
    with Mqtt(at, topics.CLOUD, CLOUD_PASSWORD) as later:
        later.subscribe(*THEIRS, topics.ONLINE)
        later.publish("cloud/end", b"", retain=False)
        later.subscribe("cloud/end")
        later.publish("cloud/end", b"the end")
        found = {}
        message = later.next()
        while message.topic != "cloud/end":
            found[message.topic] = message.payload
            message = later.next()
        return found


READERS = {
    "a lock": (ONE, f"locks/{ONE}/{topics.STATEMENT}", True),
    "a lock whose session stays": (ONE, f"locks/{ONE}/{topics.STATEMENT}", False),
    "Home Assistant": (OTHER, f"home/{OTHER}/{topics.HOME_EVENT}", True),
}


@pytest.mark.parametrize("who", READERS)
def test_no_filter_brings_what_is_anothers(at, service, who):
    name, mine, clean = READERS[who]
    for topic in THEIRS:
        service.publish(topic, b"kept", retain=True)
    with Mqtt(at, name, LOGINS[name], clean_session=clean) as reader:
        for each in FILTERS:
            reader.subscribe(each)
        reader.subscribe(mine)
        for topic in THEIRS:
            service.publish(topic, b"live")
        service.publish(mine, b"mine")
        assert heard(reader, b"mine") == []
    with Mqtt(at, name, LOGINS[name], clean_session=clean) as again:  # nor does what was queued
        again.subscribe(mine)
        service.publish(mine, b"mine, later")
        assert set(heard(again, b"mine, later")) <= {mine}


@pytest.mark.parametrize("name", [ONE, OTHER])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("payload", [b"forged", b""], ids=["written", "cleared"])
def test_nothing_kept_is_changed_by_others(at, service, name, qos, payload):
    for topic in (*THEIRS, topics.ONLINE):
        service.publish(topic, b"kept", retain=True)
    with Mqtt(at, name, LOGINS[name]) as writer:
        for topic in (*THEIRS, topics.ONLINE):
            writer.client.publish(topic, payload, qos, retain=True)
        mine = topics.HELLO if name == ONE else topics.COMMAND
        writer.publish(f"{'locks' if name == ONE else 'home'}/{name}/{mine}", b"the last")
    assert kept(at) == dict.fromkeys((*THEIRS, topics.ONLINE), b"kept")


@pytest.mark.parametrize("payload", [b"forged", None], ids=["written", "cleared"])
def test_nor_by_anybodys_last_will(at, service, payload):
    for topic in (*THEIRS, topics.ONLINE):
        service.publish(topic, b"kept", retain=True)
    mine = f"locks/{ONE}/{topics.PRESENCE}"
    for topic in (*THEIRS, topics.ONLINE, "$SYS/broker/uptime"):
        with suppress(Refused):
            Mqtt(at, ONE, LOGINS[ONE], will=(topic, payload, 2, True)).vanish()
    # One of its own comes: so the others would have come.
    service.subscribe(mine)
    Mqtt(at, ONE, LOGINS[ONE], will=(mine, b"gone", 1, False)).vanish()
    assert service.next().payload == b"gone"
    assert kept(at) == dict.fromkeys((*THEIRS, topics.ONLINE), b"kept")


def test_home_assistant_comes_as_it_does_everywhere_and_nobody_hears(at, service):
    """By default it has a last will and a word of greeting, on a topic that all of them share."""
    with Mqtt(at, OTHER, LOGINS[OTHER]) as other:
        other.subscribe("#", topics.HOME_STATUS)
        mine = f"home/{OTHER}/{topics.HOME_EVENT}"
        with Mqtt(at, HOME, LOGINS[HOME], will=(topics.HOME_STATUS, b"offline")) as home:
            home.publish(topics.HOME_STATUS, b"online", retain=True)
            home.vanish()
        service.publish(mine, b"mine")
        assert set(heard(other, b"mine")) <= {topics.ONLINE}
