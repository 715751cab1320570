"""Both brokers with certificates of our own, and a client to try them with."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from host_sim.cloud.domain.credentials import hashed, matches
from host_sim.cloud.link import mosquitto
from host_sim.cloud.link.broker import Embedded
from host_sim.cloud.link.bus import close
from host_sim.cloud.link.certificates import Certificates

KINDS = ("embedded", "mosquitto")
NAMES = ("localhost", "127.0.0.1")
CLOUD_PASSWORD = "the service's own"
PATIENCE_S = 10


class Broker:
    """A broker on a port, whose certificate `ca` vouches for. `logins` are names and passwords."""

    def __init__(self, port: int, ca: Path):
        self.port = port
        self.ca = ca
        self.url = f"mqtts://cloud:{CLOUD_PASSWORD}@localhost:{port}"


@contextmanager
def broker(kind: str, folder: Path, logins: dict[str, str], port: int = 0) -> Iterator[Broker]:
    """One that knows the cloud and some more users; only the embedded one takes a port."""
    certificates = Certificates(folder / "tls")
    certificates.issue(NAMES, int(time.time()))
    known = {name: hashed(password) for name, password in logins.items()}
    if kind == "embedded":
        known["cloud"] = hashed(CLOUD_PASSWORD)

        def admit(name: str, password: str) -> bool:
            return name in known and matches(password, known[name])

        with Embedded("127.0.0.1", port, certificates, admit) as embedded:
            yield Broker(embedded.port, certificates.authority)
        return
    with _mosquitto(folder, certificates, known) as port:
        yield Broker(port, certificates.authority)


@contextmanager
def _mosquitto(folder: Path, certificates: Certificates, known: dict[str, str]) -> Iterator[int]:
    port = free_port()
    files = folder / "mosquitto"
    mosquitto.write(files, known.items(), certificates, CLOUD_PASSWORD, port)
    with running(files, port):
        yield port


def free_port() -> int:
    """One on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def running(files: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A mosquitto with the files that were made for it."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    command = [program, "-c", str(files / "mosquitto.conf")]
    if os.getuid() == 0:  # it drops its rights, and could not read them then
        conf = files / "as-root.conf"
        conf.write_text(f"{(files / 'mosquitto.conf').read_text()}user root\n")
        command = [program, "-c", str(conf)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(port, process)
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(PATIENCE_S * 20):
        assert process.poll() is None, "mosquitto ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("mosquitto does not listen")


class Refused(Exception):
    """The broker did not let a client in."""


class Mqtt:
    """A client of a broker, on a thread of its own; a context manager.

    `heard` are messages in their order. Raises Refused.
    """

    def __init__(self, at: Broker, name: str, password: str, **options: Any):
        self.heard: Queue[MQTTMessage] = Queue()
        self._acks: Queue[int] = Queue()
        self._codes: Queue[Any] = Queue()
        will = options.pop("will", None)
        client_id = options.pop("client_id", name)
        self.client = Client(CallbackAPIVersion.VERSION2, client_id, **options)
        self.client.username_pw_set(name, password)
        self.client.tls_set_context(ssl.create_default_context(cafile=str(at.ca)))
        if will is not None:
            self.client.will_set(*will)
        self.client.on_message = lambda _, __, message: self.heard.put(message)
        self.client.on_connect = lambda _, __, ___, code, ____: self._codes.put(code)
        self.client.on_subscribe = lambda _, __, mid, *___: self._acks.put(mid)
        self.client.connect("localhost", at.port, keepalive=30)
        self.client.loop_start()
        code = self._codes.get(timeout=PATIENCE_S)
        if code.is_failure:
            self.close()
            raise Refused(code)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def subscribe(self, *filters: str) -> None:
        """Subscribe, and wait until the broker has."""
        for each in filters:
            self.client.subscribe(each, qos=1)
            self._acks.get(timeout=PATIENCE_S)

    def publish(self, topic: str, payload: bytes | str, retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def next(self, patience_s: float = PATIENCE_S) -> MQTTMessage:
        """The next message. Raises AssertionError if none comes."""
        try:
            return self.heard.get(timeout=patience_s)
        except Empty:
            raise AssertionError("nothing was heard") from None

    def nothing(self, patience_s: float = 0.5) -> bool:
        """Whether nothing comes."""
        try:
            message = self.heard.get(timeout=patience_s)
        except Empty:
            return True
        raise AssertionError(f"{message.topic}: {message.payload!r}")

    def vanish(self) -> None:
        """End without a word, as a network does."""
        self.client.loop_stop()
        self.client._reset_sockets()

    def close(self) -> None:
        """Say goodbye."""
        close(self.client)
