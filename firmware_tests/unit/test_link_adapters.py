"""The link's MQTT and HTTP on MicroPython, with the libraries of PyPI and those of images.

The unix port has the `requests` of its time inside, as images for the ESP32 have; what is not to
be had here is made from what is known of it. And on CPython, as a lock on a stand has them there.
"""

import errno
import socket
import ssl
import threading
import time

import pytest

from firmware_tests.cloud.brokers import CLOUD_PASSWORD, KINDS, NAMES, Mqtt, broker
from host_sim import runtimes
from host_sim.cloud.link import topics
from host_sim.cloud.link.certificates import Certificates
from tools import libraries

LOCK, PASSWORD = "1" * 16, "5a" * 32
SECRET = "Bearer " + PASSWORD

# What images have since 1.22 under the old name.
FORWARDER = """
def __getattr__(name):
    import requests
    return getattr(requests, name)
"""

# Later versions of requests speak HTTP/1.1, keep headers in a class of their own, and give a body
# that ends by itself.
LATER = """
import socket

class Headers:
    def __init__(self):
        self._kept = {}
    def __setitem__(self, name, value):
        self._kept[name.lower()] = value
    def __getitem__(self, name):
        return self._kept[name.lower()]

class Body:
    def __init__(self, sock, left):
        self._sock, self._left = sock, left
    def read(self, count=-1):
        count = self._left if count < 0 else min(count, self._left)
        found = self._sock.read(count)
        self._left -= len(found)
        return found
    def close(self):
        self._sock.close()

class Response:
    def close(self):
        self.raw.close()

def request(method, url, data=None, json=None, headers=None, stream=None, auth=None,
            timeout=None, parse_headers=True):
    host, path = url.split("/", 3)[2:]
    at = socket.getaddrinfo(host, 80, 0, socket.SOCK_STREAM)[0]
    sock = socket.socket(at[0], socket.SOCK_STREAM, at[2])
    sock.connect(at[-1])
    sock.write(b"%s /%s HTTP/1.1\\r\\n" % (method, path))
    headers["Connection"] = "close"
    if data:
        headers["Content-Length"] = str(len(data))
    for name in headers:
        for piece in (name, b": ", headers[name], b"\\r\\n"):
            sock.write(piece)
    sock.write(b"\\r\\n")
    if data:
        sock.write(data)
    answer = Response()
    answer.status_code = int(sock.readline().split(None, 2)[1])
    answer.headers = Headers()
    line = sock.readline()
    while line not in (b"", b"\\r\\n"):
        parse_headers(line, answer.headers)
        line = sock.readline()
    answer.raw = Body(sock, int(answer.headers["content-length"]))
    return answer
"""

# If a version looked for its socket where the adapter does not put one.
ELSEWHERE = LATER.replace("import socket\n", "", 1).replace(
    "    at = ", "    import socket\n    at = ", 1
)

CPYTHON = "CPython"  # in the place of a folder
HTTP = {
    "PyPI": None,
    "PyPI, CPython": CPYTHON,
    "image": {},
    "image, old name": {"urequests.py": FORWARDER},
    "later image, old name": {"urequests.py": FORWARDER, "requests.py": LATER},
}


def folder_of(files, tmp_path):
    """Where a board would have these modules."""
    if files is CPYTHON:
        return CPYTHON
    if files is None:
        return libraries.fetch_all()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder, program):
    """The program's output; firmware comes from its sources."""
    if folder is CPYTHON:
        libraries.fetch_all()
        path = (runtimes.BOARD, "host_sim/shims", runtimes.LIBRARIES)
        program = f"from host_sim.lock import cpython\n{program}"
        done = runtimes.run("cpython", "-c", program, path=path)
    else:
        done = runtimes.run("micropython", "-c", program, path=[folder])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    made = Certificates(tmp_path_factory.mktemp("tls"))
    made.issue(NAMES, int(time.time()))
    return made


def der(pem):
    return ssl.PEM_cert_to_DER_cert(pem.read_text())


# --- the wire ------------------------------------------------------------------------------------

PIECES = """
from firmware.link.wire import Wire

class Stream:
    def write(self, data):
        print(len(data))
        return min(len(data), 1000)
    def readinto(self, buffer):
        print("read")
        return len(buffer)

wire = Wire(lambda: 0, lambda late, early: 0, "host:1")
wire._stream = Stream()
wire.write("four")
wire.write(b"three of five", 3)
wire.read(1)
wire.read(1)
wire.write(bytes(900))
wire.write(bytes(900))
"""


def test_what_is_written_in_pieces_goes_as_one(tmp_path):
    assert run(tmp_path, PIECES).split() == ["7", "read", "read", "1800", "800"]


ONE_RECORD = """
import time
from firmware.link.wire import Wire, trust
wire = Wire(time.ticks_ms, time.ticks_diff, {where!r}, trust({ca!r}))
wire.allow(5000)
host, port = {where!r}.split(":")
import socket
wire.connect(socket.getaddrinfo(host, int(port))[0][-1])
wire.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(wire.read(1), wire.is_readable(0), wire.read(1), wire.is_readable(0))
"""


@pytest.mark.parametrize("runtime", ["PyPI", "PyPI, CPython"])
def test_what_tls_has_read_already_can_be_read(runtime, certificates, tmp_path):
    folder = folder_of(HTTP[runtime], tmp_path)
    with Server(b"ab", certificates, stays_open=True) as server:
        program = ONE_RECORD.format(where=server.where, ca=der(certificates.authority))
        assert run(folder, program) == "b'a' True b'b' False"


SILENT = """
import time
from firmware.link.wire import Wire, trust
wire = Wire(time.ticks_ms, time.ticks_diff, {where!r}, trust({ca!r}))
wire.allow(1000)
wire.connect(("127.0.0.1", int({where!r}.split(":")[1])))
before = time.process_time()
try:
    wire.write(b"hello")
    wire.read(1)
except OSError as error:
    print(error, time.process_time() - before < 0.3)
"""


def test_a_handshake_that_nobody_answers_is_waited_for_at_rest(certificates):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"localhost:{silent.getsockname()[1]}"
        program = SILENT.format(where=where, ca=der(certificates.authority))
        assert run(CPYTHON, program) == f"{errno.ETIMEDOUT} True"


# --- HTTP ----------------------------------------------------------------------------------------

ASK = """
import time
from firmware.link import http
from firmware.link.wire import Wire, trust
http.PATIENCE_MS = 1500
ca = {ca!r}
wire = Wire(time.ticks_ms, time.ticks_diff, {where!r}, trust(ca) if ca else None)
try:
    print(http.ask(wire, {method!r}, "/locks/7", {body!r}, {{"Authorization": {secret!r}}}))
except Exception as error:
    print("failed:", "ValueError" if isinstance(error, ValueError) else repr(error))
wire.close()
"""


class Server:
    """Takes connections and answers each request with the same bytes; `requests` are theirs."""

    def __init__(self, answer, certificates=None, stays_open=False):
        self.requests = []
        self._answer = answer
        self._stays_open = stays_open
        self._context = None
        if certificates:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificates.broker, certificates.broker_key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.where = f"localhost:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(5)
                try:
                    self._talk(plain)
                except OSError:
                    pass  # the lock went

    def _talk(self, plain):
        if self._context is None:
            return self._exchange(plain)
        with self._context.wrap_socket(plain, server_side=True) as secured:
            return self._exchange(secured)

    def _exchange(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(4096)
            if not piece:
                return
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line[15:]):
                    body += connection.recv(4096)
        self.requests.append((head.decode(), body))
        connection.sendall(self._answer)
        if self._stays_open:
            connection.recv(1)


def answer(body, status="200 OK", head=""):
    length = f"content-length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{head}{length}\r\n".encode() + body


@pytest.fixture(params=HTTP)
def library(request, tmp_path):
    return folder_of(HTTP[request.param], tmp_path)


def ask(folder, server, ca=b"", method="GET", body=None):
    program = ASK.format(ca=ca, where=server.where, method=method, body=body, secret=SECRET)
    return run(folder, program)


def test_an_answer_comes_over_tls(library, certificates):
    body = bytes(range(256)) * 50
    with Server(answer(body), certificates) as server:
        assert ask(library, server, der(certificates.authority)) == repr(body)
    ((head, sent),) = server.requests
    lines = head.split("\r\n")
    assert lines[0].startswith("GET /locks/7 HTTP/1.")
    assert {"Host: localhost", f"Authorization: {SECRET}", "Connection: close"} <= set(lines)
    assert sent == b""


def test_a_body_goes_out(library):
    with Server(answer(b"yes")) as server:
        assert ask(library, server, method="POST", body=b'{"nonce": 7}') == "b'yes'"
    assert server.requests[0][1] == b'{"nonce": 7}'


def test_a_server_with_another_authority_is_told_nothing(library, certificates, tmp_path):
    other = Certificates(tmp_path / "other")
    other.issue(NAMES, int(time.time()))
    with Server(answer(b"x"), certificates) as server:
        assert ask(library, server, der(other.authority)).startswith("failed: ValueError")
    assert server.requests == []


ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 80) for n in range(99))
BAD = {
    "refused": (answer(b"x", "404 Not Found"), "Refused"),
    "too large": (answer(bytes(20_000)), "OSError"),
    "short": (answer(b"four")[:-2], "OSError"),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\nbody", "KeyError"),
    "headers without an end": (ENDLESS * 9, "OSError"),
    "a line without an end": (b"H" * 9_000, "OSError"),
    "elsewhere": (answer(b"x", "302 Found", "Location: http://localhost:1/x\r\n"), ""),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_answer_ends_it(library, what):
    content, error = BAD[what]
    with Server(content) as server:
        assert ask(library, server).startswith("failed: " + error)
    assert len(server.requests) == 1  # nothing is asked twice


def test_silence_ends_it(library):
    with Server(answer(b"four")[:-2], stays_open=True) as server:
        began = time.monotonic()
        assert ask(library, server).startswith("failed: OSError")
        assert 1 < time.monotonic() - began < 10


def test_a_library_that_goes_its_own_way_finds_nobody(tmp_path):
    folder = folder_of({"requests.py": ELSEWHERE}, tmp_path)
    with Server(answer(b"x")) as server:
        assert ask(folder, server).startswith("failed: OSError")
    assert server.requests == []


# --- MQTT ----------------------------------------------------------------------------------------

TALK = """
import time
from firmware.link.mqtt import Mqtt
from firmware.link.wire import Wire, trust
came = []
wire = Wire(time.ticks_ms, time.ticks_diff, {where!r}, trust({ca!r}))
mqtt = Mqtt(wire, {lock!r}, {password!r}, lambda *message: came.append(message))
mqtt.open("locks/{lock}/online", b"offline")
mqtt.publish(b"locks/{lock}/online", b"online", True)
mqtt.subscribe("locks/{lock}/head")
mqtt.subscribe("locks/{lock}/down/statement")
mqtt.publish(b"locks/{lock}/up/hello", b"x" * 300, False)
while len(came) < 3:
    mqtt.listen(5000)
mqtt.ping()
while not mqtt.listen(5000):
    pass
for topic, payload, retained in came:
    print(topic, len(payload), retained)
mqtt.close()
"""

# What 1.4 to 1.8 do differently, as far as a Wire meets it.
CHANGES = {
    "import usocket as socket": "import socket",
    "import ustruct as struct": "import struct",
    "from ubinascii import": "from binascii import",
    "ssl=False, ssl_params={}": "ssl=None, ssl_params={}",
    "def connect(self, clean_session=True)": "def connect(self, clean_session=True, timeout=None)",
    "        self.sock = socket.socket()\n": """
        if self.sock:
            self.sock.close()
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
""",
}


@pytest.fixture(params=["PyPI", CPYTHON, "image"])
def umqtt(request, tmp_path):
    """Version 1.3.4, and as it became."""
    fetched = libraries.fetch_all()
    if request.param == CPYTHON:
        return CPYTHON
    if request.param == "PyPI":
        return fetched
    text = (fetched / "umqtt" / "simple.py").read_text()
    for old, new in CHANGES.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "umqtt").mkdir()
    (tmp_path / "umqtt" / "simple.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_with_a_broker(umqtt, kind, tmp_path):
    mine = f"locks/{LOCK}/{topics.PRESENCE}"
    with (
        broker(kind, tmp_path / "broker", {LOCK: PASSWORD}) as at,
        Mqtt(at, topics.CLOUD, CLOUD_PASSWORD) as service,
    ):
        service.publish(f"locks/{LOCK}/{topics.HEAD}", b"head", retain=True)
        service.subscribe(mine, f"locks/{LOCK}/{topics.HELLO}")
        answering = threading.Thread(target=answer_hello, args=(service,))
        answering.start()
        where = f"localhost:{at.port}"
        program = TALK.format(where=where, ca=der(at.ca), lock=LOCK, password=PASSWORD)
        said = run(umqtt, program).splitlines()
        answering.join()
        assert said == [
            f"b'locks/{LOCK}/head' 4 True",
            f"b'locks/{LOCK}/down/statement' 6000 False",
            f"b'locks/{LOCK}/down/statement' 0 False",
        ]
        message = service.next()
        assert (message.topic, message.payload) == (mine, b"offline")


def answer_hello(service):
    assert service.next().payload == b"online"
    assert service.next().payload == b"x" * 300
    for size in (6000, 0):
        service.publish(f"locks/{LOCK}/{topics.STATEMENT}", bytes(size))
