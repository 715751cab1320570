"""The phone's modules in a browser, against RFCs, the firmware, and each other's mistakes."""

import json
import re
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.testclient import TestClient

from firmware.crypto import cbor, ccm, cose, ecdh
from firmware.link.credential import key_of_point
from firmware.link.frames import MOST_MESSAGE, Cutter, FrameError, Joiner
from firmware_tests import soak
from firmware_tests.both import test_cbor as cbor_cases
from firmware_tests.both import test_ccm as ccm_cases
from firmware_tests.both import test_edhoc as trace
from firmware_tests.both import test_kdf as kdf_cases
from firmware_tests.web.conftest import opened
from firmware.crypto.slices import finish
from host_sim.phone.wallet import Wallet
from host_sim.runtimes import ROOT
from host_sim.shims.cryptolib import aes
from host_sim.web.phone import app
from tools import visit_example

# What a test's JavaScript has beside the modules, as `m`: bytes go in and out as hexadecimal.
PREPARE = """async () => {
  const names = ["bytes", "cbor", "ccm", "edhoc", "frames", "kdf", "p256", "session", "wallet"];
  globalThis.m = Object.fromEntries(await Promise.all(
    names.map(async (name) => [name, await import(`/${name}.js`)])));
  globalThis.hex = m.bytes.toHex;
  globalThis.raw = m.bytes.fromHex;
  globalThis.privateKey = (jwk) =>
    crypto.subtle.importKey("jwk", jwk, m.p256.ECDH, false, ["deriveBits"]);
  globalThis.failure = (promise) => promise.then(() => null, (error) => error.constructor.name);
}"""


@pytest.fixture(scope="module")
def js(browser):
    """Runs JavaScript with an argument; nothing but the application is asked for files."""
    client = TestClient(app, base_url="http://localhost")

    def answer(route):
        got = client.get(urlsplit(route.request.url).path)
        route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.content)

    with opened(browser, service_workers="block") as page:
        page.route("**/*", answer)
        page.goto("http://localhost/")
        page.evaluate(PREPARE)
        yield page.evaluate


def jwk(scalar):
    """A private key as a browser imports it."""
    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    parts = {"x": numbers.x, "y": numbers.y, "d": scalar}
    coded = {name: urlsafe_b64encode(n.to_bytes(32, "big")) for name, n in parts.items()}
    encoded = {name: text.rstrip(b"=").decode() for name, text in coded.items()}
    return {"kty": "EC", "crv": "P-256", **encoded}


def random():
    return soak.Random(soak.seed())


# --- CBOR ----------------------------------------------------------------------------------------


def fits(value):
    """Whether it is something that handshakes have."""
    if isinstance(value, list):
        return all(map(fits, value))
    if isinstance(value, dict):
        return all(map(fits, value.values()))
    return type(value) in (bytes, str) or (type(value) is int and -(1 << 32) <= value < 1 << 32)


def test_cbor_reads_and_writes_the_examples_of_the_rfc(js):
    good = [text for text, value in cbor_cases.EXAMPLES if fits(value)]
    good += [text for value, text in cbor_cases.EDGES if fits(value)]
    again = js(
        "(all) => all.map((t) => hex(m.cbor.encode(m.cbor.decodeSequence(raw(t))[0])))", good
    )
    assert again == good and len(good) > 40
    values = js(
        "() => ['3903e7', '1affffffff', '62c3bc', '4401020304'].map((text) => "
        "m.cbor.decodeSequence(raw(text))[0]).map((item) => item.length ? [...item] : item)"
    )
    assert values == [-1000, (1 << 32) - 1, ["ü"], [1, 2, 3, 4]]
    assert (
        js("() => hex(m.cbor.encode(new Map([[-1, 1], ['a', 2], [1, 3]])))")
        == cbor.encode({1: 3, -1: 1, "a": 2}).hex()
    )


def test_cbor_refuses_every_other_form(js):
    wrong = [text for text, code, _ in cbor_cases.REFUSED if text and code != cbor.TRAILING]
    wrong += [(b"\x78" + bytes([len(t)]) + t).hex() for t in cbor_cases.NOT_UTF8 if len(t) > 23]
    wrong += [(bytes([0x60 + len(text)]) + text).hex() for text in cbor_cases.NOT_UTF8]
    wrong += ["81" * 6 + "00", "1b0000000100000000"]
    code = """(all) => all.filter((text) => {
      try { m.cbor.decodeSequence(raw(text)); return true; }
      catch (error) { return !(error instanceof m.cbor.CborError); }
    })"""
    assert js(code, wrong) == []
    assert js(code, ["81" * 5 + "00"]) == ["81" * 5 + "00"]


# --- what secrets are made of --------------------------------------------------------------------


def test_hkdf_of_rfc_5869(js):
    for material, salt, info, length, secret, output in kdf_cases.HKDF:
        told = js(
            """async ([material, salt, info, length]) => {
              const secret = await m.kdf.extract(raw(salt), raw(material));
              const key = await m.kdf.hidden(secret);
              const made = await m.kdf.expand(key, raw(info), length);
              const same = await m.kdf.expand(secret, raw(info), length);
              return [hex(secret), hex(made), hex(same), key.extractable];
            }""",
            [material.hex(), salt.hex(), info.hex(), length],
        )
        assert told == [secret, output, output, False]


SEAL = """([key, nonce, text, aad]) =>
  m.ccm.encrypt(...[key, nonce, text, aad].map(raw)).then(hex)"""
OPEN = """([key, nonce, text, aad]) =>
  m.ccm.decrypt(...[key, nonce, text, aad].map(raw)).then((found) => found && hex(found))"""


def test_ccm_packets_of_rfc_3610(js):
    key = bytes(range(0xC0, 0xD0)).hex()
    for nonce, aad_bytes, packet_bytes, sealed in ccm_cases.PACKETS:
        packet = bytes(range(packet_bytes))
        aad, text = packet[:aad_bytes].hex(), packet[aad_bytes:].hex()
        assert js(SEAL, [key, nonce, text, aad]) == sealed
        assert js(OPEN, [key, nonce, sealed, aad]) == text


def test_ccm_messages_of_openssl(js):
    content = (ROOT / "firmware_tests/vectors/crypto-ccm.json").read_text()
    messages = [each for each in json.loads(content)["messages"] if each["tag_bytes"] == 8]
    for each in messages:
        given = [each["key"], each["nonce"]]
        assert js(SEAL, [*given, each["plaintext"], each["aad"]]) == each["sealed"]
        assert js(OPEN, [*given, each["sealed"], each["aad"]]) == each["plaintext"]
    assert len(messages) >= 13


def test_ccm_opens_nothing_that_was_altered(js):
    sealed = ccm.encrypt(aes, bytes(16), bytes(13), b"seventeen bytes..", b"aad")
    altered = []
    for bit in range(8 * len(sealed)):
        each = bytearray(sealed)
        each[bit // 8] ^= 1 << (bit % 8)
        altered.append(bytes(each).hex())
    altered += [sealed[:length].hex() for length in range(len(sealed))]
    code = """async ([all, aad]) => {
      let opened = 0;
      for (const text of all) {
        const args = [new Uint8Array(16), new Uint8Array(13), raw(text), raw(aad)];
        opened += (await m.ccm.decrypt(...args)) !== null;
      }
      return opened;
    }"""
    assert js(code, [altered, b"aad".hex()]) == 0
    assert js(code, [[sealed.hex()], b"aab".hex()]) == 0
    assert js(code, [[sealed.hex()], b"aad".hex()]) == 1


def test_points_of_which_only_x_is_known(js):
    numbers = random()
    code = """async ([jwk, x, y]) => {
      const secret = await privateKey(jwk);
      const lifted = await m.p256.lift(raw(x));
      const whole = await m.p256.publicKey(raw(x + y));
      return [hex(await m.p256.agree(secret, lifted)), hex(await m.p256.agree(secret, whole))];
    }"""
    for _ in range(soak.count(1000, 10)):
        mine, other = (ecdh.scalar_of(numbers.bytes(ecdh.SEED_BYTES)) for _ in range(2))
        theirs = ec.derive_private_key(other, ec.SECP256R1())
        point = theirs.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big").hex() for n in (point.x, point.y))
        own = ec.derive_private_key(mine, ec.SECP256R1())
        shared = own.exchange(ec.ECDH(), theirs.public_key()).hex()
        assert js(code, [jwk(mine), x, y]) == [shared, shared]
    # No point has this x; x - p and x + p would be points; and what is no x at all.
    field = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
    wrong = [
        "00" * 31 + "07",
        field.to_bytes(32, "big").hex(),
        (field + 5).to_bytes(32, "big").hex(),
    ]
    wrong += ["ff" * 32, "05", ""]
    fails = "(x) => m.p256.lift(raw(x)).then(() => 'a key', () => 'none')"
    assert [js(fails, x) for x in wrong] == ["none"] * len(wrong)
    assert js(fails, "00" * 31 + "05") == "a key"


# --- EDHOC ---------------------------------------------------------------------------------------

TRACE = {
    "x": jwk(trace.X),
    "gX": trace.G_X.hex(),
    "self": {"jwk": jwk(trace.SK_I), "kid": trace.KID_I.hex(), "credential": trace.CRED_I.hex()},
    "peer": {
        "kid": trace.KID_R.hex(),
        "credential": trace.CRED_R.hex(),
        "point": trace.POINT_R.hex(),
    },
}
# The phone of the trace, and who is at the other side.
BEGIN = """async (given) => {
  const ephemeral = { secret: await privateKey(given.x), point: raw(given.gX + "00".repeat(32)) };
  const { jwk, kid, credential } = given.self;
  globalThis.self_ = { secret: await privateKey(jwk), credential: raw(credential),
    idCred: new Map([[m.edhoc.KID, raw(kid)]]) };
  globalThis.peer = { kid: raw(given.peer.kid), credential: raw(given.peer.credential),
    key: await m.p256.publicKey(raw(given.peer.point)) };
  globalThis.initiator = () => new m.edhoc.Initiator(ephemeral, [6, 2], -24);
}"""


def test_edhoc_by_the_trace_of_rfc_9529(js):
    js(BEGIN, TRACE)
    told = js(
        """async ([message2, message4]) => {
          const one = initiator();
          const message1 = one.message1();
          const message3 = await one.take2(raw(message2), peer, self_);
          await one.take4(raw(message4));
          const exported = [await one.export(0, 16), await one.export(1, 8)];
          return [message1, message3, ...exported].map(hex);
        }""",
        [trace.MESSAGE_2, trace.MESSAGE_4],
    )
    assert told == [trace.MESSAGE_1, trace.MESSAGE_3, trace.OSCORE_SECRET, trace.OSCORE_SALT]


def flips(text):
    """Every way to flip one bit."""
    message = bytes.fromhex(text)
    for bit in range(8 * len(message)):
        altered = bytearray(message)
        altered[bit // 8] ^= 1 << (bit % 8)
        yield bytes(altered).hex()


def test_edhoc_believes_no_altered_message(js):
    js(BEGIN, TRACE)
    second = """async (all) => {
      const ends = [];
      for (const text of all) {
        const one = initiator();
        one.message1();
        ends.push(await failure(one.take2(raw(text), peer, self_)));
        ends.push(await failure(one.export(0, 16)));
      }
      return [...new Set(ends)];
    }"""
    wrong = [*flips(trace.MESSAGE_2), "", "40", "00", trace.MESSAGE_2 + "00", "58ff", "5f"]
    assert js(second, wrong) == ["EdhocError"]
    fourth = """async ([message2, all]) => {
      const ends = [];
      for (const text of all) {
        const one = initiator();
        one.message1();
        await one.take2(raw(message2), peer, self_);
        ends.push(await failure(one.take4(raw(text))));
      }
      return [...new Set(ends)];
    }"""
    assert js(fourth, [trace.MESSAGE_2, [*flips(trace.MESSAGE_4), "", "40"]]) == ["EdhocError"]
    assert js(fourth, [trace.MESSAGE_2, [trace.MESSAGE_4]]) == [None]


def test_edhoc_takes_each_message_once_and_in_turn(js):
    js(BEGIN, TRACE)
    told = js(
        """async ([message2, message4]) => {
          const take2 = (one) => one.take2(raw(message2), peer, self_);
          const fresh = initiator();
          const begun = initiator();
          begun.message1();
          const other = initiator();
          other.message1();
          const done = initiator();
          done.message1();
          await take2(done);
          await done.take4(raw(message4));
          const again = async (one) => one.message1();
          return Promise.all([failure(take2(fresh)), failure(begun.take4(raw(message4))),
            failure(take2(begun)), failure(again(other)), failure(done.take4(raw(message4))),
            failure(take2(done)), failure(again(done))]);
        }""",
        [trace.MESSAGE_2, trace.MESSAGE_4],
    )
    assert told == ["EdhocError"] * 7


def test_edhoc_with_another_peer_or_another_key(js):
    js(BEGIN, TRACE)
    for changed in ({"kid": "33"}, {"point": trace.POINT_I.hex()}, {"credential": "a0"}):
        js(BEGIN, {**TRACE, "peer": {**TRACE["peer"], **changed}})
        ends = """async (text) => {
          const one = initiator();
          one.message1();
          return failure(one.take2(raw(text), peer, self_));
        }"""
        assert js(ends, trace.MESSAGE_2) == "EdhocError"


# --- visits --------------------------------------------------------------------------------------


class Example:
    """The two visits of docs/protocol.md, and the keys with which they were made."""

    def __init__(self):
        scalars: list[int] = []
        scalar_of = ecdh.scalar_of

        def noted(seed):
            scalars.append(scalar_of(seed))
            return scalars[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ecdh, "scalar_of", noted)
            self.text = "\n".join(visit_example.lines())
        self.visits = [self._visit(part) for part in self.text.split("--- The ")[1:]]
        message_1 = dict(self.visits[0]["said"])["message 1"]
        points = [finish(ecdh.public(scalar, random().bytes)) for scalar in scalars]
        ((self.ephemeral, self.point),) = [
            (jwk(scalar), point.hex())
            for scalar, point in zip(scalars, points, strict=True)
            if point[:32].hex() in message_1
        ]
        (digits,) = re.findall(r"^the lock's private key.*\n(.*)", self.text)
        self.lock = finish(ecdh.public(int(digits.replace(" ", ""), 16), random().bytes)).hex()

    def _visit(self, part):
        found = re.findall(
            r"^(lock|phone), ([^:\n]*?)[:,][^\n]*\n((?:[0-9a-f ]+\n?)+)", part, re.M
        )
        heard = [
            data.replace(" ", "").replace("\n", "") for who, _, data in found if who == "lock"
        ]
        said = [
            (n, data.replace(" ", "").replace("\n", ""))
            for who, n, data in found
            if who == "phone"
        ]
        return {"heard": heard, "said": said}


@pytest.fixture(scope="module")
def example():
    return Example()


# A phone with the private key 2, its lock, and visits whose other side was written down.
VISITS = """async ({ jwk, lock, ephemeral, point }) => {
  const own = raw(jwk.point);
  const { claims, credential } = await m.wallet.credentialOf(own);
  const phone = { secret: await privateKey(jwk), credential,
    idCred: new Map([[m.edhoc.KCCS, claims]]) };
  const pair = { secret: await privateKey(ephemeral), point: raw(point) };
  globalThis.known = { ...(await m.wallet.credentialOf(raw(lock))),
    key: await m.p256.publicKey(raw(lock)), ratchet: null };
  globalThis.visit = async (heard) => {
    const said = [];
    const rest = heard.map(raw);
    const door = {
      send: async (message) => void said.push(hex(message)),
      receive: async () => rest.shift() ?? Promise.reject(new m.session.Failed()),
    };
    let saves = 0;
    const one = new m.session.Visit(door, phone, known, async () => saves++, async () => pair);
    const [answer] = await one.ask([[m.session.ACT, Uint8Array.of(1)]]);
    return { said, saves, reason: m.session.verdict(answer).reason, handshakes: one.handshakes };
  };
}"""


def start(js, example):
    point = finish(ecdh.public(2, random().bytes)).hex()
    given = {"jwk": {**jwk(2), "point": point}, "lock": example.lock}
    js(VISITS, {**given, "ephemeral": example.ephemeral, "point": example.point})


def test_visits_byte_for_byte_as_the_protocol_has_them(js, example):
    assert example.text in (ROOT / "docs/protocol.md").read_text()
    start(js, example)
    for number, each in enumerate(example.visits):
        told = js("(heard) => visit(heard)", each["heard"])
        assert told["said"] == [data for _, data in each["said"]]
        assert (told["reason"], told["handshakes"]) == (0, 1 - number)
        assert told["saves"] == 1  # the step that is taken, or that comes next
    assert js("() => known.ratchet.extractable") is False


def test_a_lock_that_says_something_else_is_not_believed(js, example):
    numbers = random()
    code = """async (all) => {
      const ends = new Set();
      for (const heard of all) {
        known.ratchet = null;
        ends.add(await failure(visit(heard)));
      }
      return [...ends];
    }"""
    start(js, example)
    heard = example.visits[0]["heard"]
    altered = []
    for at in range(1, len(heard)):
        altered += [[*heard[:at], each, *heard[at + 1 :]] for each in flips(heard[at])]
    chosen = [altered[numbers.below(len(altered))] for _ in range(soak.count(len(altered), 80))]
    chosen += [heard[:at] for at in range(len(heard))]
    chosen += [[*heard[:at], *heard[at + 1 :]] for at in range(len(heard))]
    ends = js(code, chosen)
    assert set(ends) <= {"EdhocError", "Failed"} and len(ends) == 2
    assert js(code, [heard]) == [None]


def test_a_credential_as_the_firmware_has_it(js):
    for scalar in (2, 77):
        point = finish(ecdh.public(scalar, random().bytes))
        told = js(
            "(point) => m.wallet.credentialOf(raw(point)).then((made) => "
            "[hex(made.kid), hex(made.credential), hex(m.cbor.encode(made.claims))])",
            point.hex(),
        )
        credential = Wallet(scalar, point).credential.hex()
        assert told == [cose.key_id(key_of_point(point)).hex(), credential, credential]


# --- frames --------------------------------------------------------------------------------------


def test_frames_go_through_both_ways(js):
    numbers = random()
    messages = [numbers.bytes(n) for n in (1, 15, 16, 17, 18, 240, 241, 1000, MOST_MESSAGE)]
    for most in (20, 21, 100, 244, 509):
        joiner, cutter = Joiner(), Cutter()
        code = """([messages, most]) => {
          const cutter = new m.frames.Cutter();
          return [[cutter.empty()], ...messages.map((text) => cutter.cut(raw(text), most))]
            .flat().map(hex);
        }"""
        theirs = js(code, [[each.hex() for each in messages], most])
        ours = [cutter.empty(), *(p for each in messages for p in cutter.cut(each, most))]
        assert theirs == [piece.hex() for piece in ours]
        assert [each for text in theirs for each in joiner.join(bytes.fromhex(text))] == messages


JOIN = """(runs) => runs.map((pieces) => {
  const joiner = new m.frames.Joiner();
  const messages = [];
  try { for (const piece of pieces) messages.push(...joiner.join(raw(piece)).map(hex)); }
  catch (error) { messages.push(error.constructor.name); }
  return messages;
})"""


def joined(pieces):
    joiner, messages = Joiner(), []
    try:
        for piece in pieces:
            messages += [each.hex() for each in joiner.join(piece)]
    except FrameError:
        messages.append("FrameError")
    return messages


def test_frames_are_joined_and_refused_as_the_lock_does_it(js):
    numbers = random()
    runs = []
    for _ in range(soak.count(100_000, 2_000)):
        cutter = Cutter()
        pieces: list[bytes] = []
        for _ in range(numbers.below(3) + 1):
            pieces += cutter.cut(numbers.bytes(numbers.below(60) + 1), 20)
        if numbers.below(4):
            at = numbers.below(len(pieces))
            piece = bytearray(pieces[at])
            piece[numbers.below(min(4, len(piece)))] = numbers.below(256)
            pieces[at] = bytes(piece[numbers.below(2) and numbers.below(len(piece)) :])
        if not numbers.below(4):
            pieces = [b"".join(pieces)]
        runs.append(pieces)
    expected = [joined(pieces) for pieces in runs]
    assert js(JOIN, [[piece.hex() for piece in pieces] for pieces in runs]) == expected
    assert 0.1 < sum("FrameError" in each for each in expected) / len(runs) < 0.9


# --- what is served ------------------------------------------------------------------------------


def test_only_the_page_is_served_and_only_scripts_of_its_own_run():
    client = TestClient(app)
    page = client.get("/")
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy and "<script>" not in page.text and "style=" not in page.text
    for name in ("__init__.py", "../phone/app.js", "%2e%2e/static/live.js", "x.js", "index.html"):
        assert client.get(f"/{name}").status_code == 404
    listed = re.search(r"^const FILES = (.*);$", client.get("/worker.js").text, re.M)
    assert listed
    for name in json.loads(listed[1]):
        answer = client.get(f"/{name}")
        assert answer.status_code == 200 and answer.headers["Content-Type"].split("/")[0] in (
            "application", "image", "text",
        )  # fmt: skip
        # Every module and every style is there without a network.
        for used in re.findall(
            r"""(?:from|src=|href=) ?["']\.?/?([\w.]+\.\w+)["']""", answer.text
        ):
            assert used in json.loads(listed[1]), (name, used)
