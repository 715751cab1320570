"""A mosquitto of a test's own, with TLS, and somebody who speaks for the cloud over it."""

import contextlib
import json
import os
import queue
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

LOCK = "0123456789abcdef"
PASSWORD = "5a" * 32
PROGRAM = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Authority:
    """A CA, and certificates of servers that it signs, as PEM files in a folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, folder.name)])
        made = self._sign(self._name, self._key.public_key(), True, [], datetime.now(UTC), 3650)
        self.der = made.public_bytes(Encoding.DER)
        self.pem = folder / "ca.pem"
        self.pem.write_bytes(made.public_bytes(Encoding.PEM))

    def server(
        self, name: str, host: str = "127.0.0.1", start: datetime | None = None, days: int = 30
    ) -> tuple[Path, Path]:
        """Files of a server's certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        alternative: Any = x509.DNSName(host)
        if host[0].isdigit():
            alternative = x509.IPAddress(ip_address(host))
        start = start or datetime.now(UTC) - timedelta(days=1)
        made = self._sign(subject, key.public_key(), False, [alternative], start, days)
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(made.public_bytes(Encoding.PEM))
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files

    def _sign(
        self, subject: Any, key: Any, ca: bool, names: list[Any], start: datetime, days: int
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca, None), True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self._key, SHA256())


class Mosquitto:
    """A broker on a port of 127.0.0.1 over TLS, as a context manager."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path]):
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        passwords = folder / "passwords"
        passwords.write_text("")
        passwords.chmod(0o600)
        for user in (LOCK, "cloud"):
            command = ["mosquitto_passwd", "-b", str(passwords), user, PASSWORD]
            subprocess.run(command, check=True, capture_output=True)
        self._log = folder / "log"
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\n"
            f"certfile {certificate[0]}\nkeyfile {certificate[1]}\n"
            f"password_file {passwords}\nallow_anonymous false\nuser root\n"
            f"log_dest file {self._log}\nlog_type all\n"
        )

    def __enter__(self) -> "Mosquitto":
        assert PROGRAM
        command = [PROGRAM, "-c", str(self._config)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("mosquitto does not start")

    def log(self) -> str:
        """What it wrote down, all of it once it has ended."""
        return self._log.read_text()

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


class Cloud:
    """What a lock says, topic by topic, and a way to answer; a context manager."""

    def __init__(self, port: int, authority: Authority):
        self._heard: dict[str, queue.Queue[tuple[bytes, bool]]] = {}
        self._guard = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, "cloud")
        self._client.username_pw_set("cloud", PASSWORD)
        self._client.tls_set(str(authority.pem))
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(f"locks/{LOCK}/#", 1)
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> "Cloud":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _: Any, __: Any, message: Any) -> None:
        self._queue(message.topic).put((message.payload, message.retain))

    def _queue(self, topic: str) -> "queue.Queue[tuple[bytes, bool]]":
        with self._guard:
            return self._heard.setdefault(topic, queue.Queue())

    def hear(self, what: str, seconds: float = 20) -> bytes:
        """The next payload of a topic below the lock's."""
        try:
            return self._queue(f"locks/{LOCK}/{what}").get(timeout=seconds)[0]
        except queue.Empty:
            raise AssertionError(f"nothing on {what}") from None

    def hear_json(self, what: str, seconds: float = 20, **wanted: Any) -> dict[str, Any]:
        """The next that has these members."""
        while True:
            said = json.loads(self.hear(what, seconds))
            if all(said.get(name) == value for name, value in wanted.items()):
                return said

    def forget(self, what: str) -> None:
        """What was said on a topic so far does not count."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue(f"locks/{LOCK}/{what}").get_nowait()

    def say(self, what: str, payload: bytes, retain: bool = False) -> None:
        """Publish, until the broker has it."""
        self._client.publish(f"locks/{LOCK}/{what}", payload, 1, retain).wait_for_publish(10)

    def push(self, token: bytes) -> dict[str, Any]:
        """A statement, and the lock's answer."""
        self.say("down/statement", token)
        return self.hear_json("up/result")


class Web:
    """What the cloud answers over HTTP: `pages` in their order, and to a nonce `time(nonce)`."""

    def __init__(self, certificate: tuple[Path, Path] | None, answer: Any):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body: bytes) -> None:
                content = answer(self.command, self.path, body, self.headers)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Web":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def needed() -> None:
    """Skip where there is no mosquitto; in CI a skip is a failure."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
