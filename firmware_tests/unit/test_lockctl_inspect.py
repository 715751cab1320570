"""`lockctl grant inspect`: whatever it is given, it says what that is, and who signed it."""

from base64 import b64encode, urlsafe_b64encode
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.access import claims
from firmware.crypto import cbor, cose, cwt
from firmware.policy import reasons
from firmware_tests.unit.desk import Desk
from host_sim import words
from host_sim.cloud import sign1
from host_sim.story import key_of
from tools.lockctl.tokens import octets

ISSUER = key_of("issuer")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("token"))
    return desk.grant("--rule", "mon-fri 08:00-16:00", "--parent", "6").read_bytes()


def sign(payload: bytes, typ: int | None = claims.TYPE) -> bytes:
    return sign1.sign(payload, cose.key_id(ISSUER.public), ISSUER.sign, typ=typ)


def altered(token: bytes, claim: int, value: Any) -> bytes:
    """The token with one claim set anew, and signed again."""
    members = cbor.decode(cose.parse(token).payload)
    members[claim] = value
    return sign(cbor.encode(members))


def altered_term(token: bytes, term: int, value: Any) -> bytes:
    """The token with one of its terms set anew, and signed again."""
    terms = cbor.decode(cose.parse(token).payload)[claims.TERMS]
    return altered(token, claims.TERMS, {**terms, term: value})


# --- the forms of a token -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        lambda token: token,
        lambda token: token.hex().encode(),
        lambda token: token.hex().upper().encode() + b"\n",
        lambda token: b"\n".join([token.hex().encode()[:100], token.hex().encode()[100:]]),
        urlsafe_b64encode,
        lambda token: urlsafe_b64encode(token).rstrip(b"=") + b"\r\n",
    ],
)
def test_a_token_is_read_in_any_form(desk, token, form):
    shown = desk.json("grant", "inspect", "-", stdin=form(token))
    assert shown["reason"] == "allowed" and shown["bytes"] == len(token)


@given(st.binary(max_size=80))
def test_no_form_is_taken_for_another(rest):
    raw = b"\xd2\x84" + rest  # every token begins so
    assert octets(raw) == raw
    assert octets(raw.hex().encode()) == raw
    assert octets(urlsafe_b64encode(raw)) == raw
    assert octets(urlsafe_b64encode(raw).rstrip(b"=")) == raw


# --- who signed it ------------------------------------------------------------------------------


def test_the_right_issuer_makes_it_valid(desk, token):
    for name in ("issuer.pub.pem", "issuer.pem"):
        result = desk.run("grant", "inspect", "-", "--issuer", desk.path(name), stdin=token)
        assert result.exit_code == 0 and "signature  VALID" in result.stdout


def test_without_an_issuer_it_is_loudly_unverified(desk, token):
    result = desk.run("grant", "inspect", "-", stdin=token)
    assert result.exit_code == 0
    assert "UNVERIFIED" in result.stdout and "anybody" in result.stdout


def test_another_key_makes_it_invalid(desk, token):
    result = desk.run("grant", "inspect", "-", "--issuer", desk.path("anna.pem"), stdin=token)
    assert result.exit_code == 1
    assert "INVALID" in result.stdout and " VALID" not in result.stdout


def test_a_changed_claim_makes_it_invalid(desk, token):
    forged = token.replace(b"front-door", b"front-d00r")
    issuer = ("--issuer", desk.path("issuer.pem"))
    result = desk.run("grant", "inspect", "-", *issuer, stdin=forged)
    assert result.exit_code == 1 and "INVALID" in result.stdout
    assert desk.json("grant", "inspect", "-", *issuer, stdin=forged)["signature"] == "invalid"
    assert desk.run("grant", "inspect", "-", stdin=forged).exit_code == 0  # nobody asked


def test_every_flipped_bit_of_a_signature_makes_it_invalid(desk, token):
    for place in range(1, 65, 7):
        forged = bytearray(token)
        forged[-place] ^= 1
        shown = desk.json(
            "grant", "inspect", "-", "--issuer", desk.path("issuer.pem"), stdin=bytes(forged)
        )
        assert shown["signature"] == "invalid"


# --- what it says -------------------------------------------------------------------------------


def test_people_see_header_claims_terms_and_sizes(desk, token):
    output = desk.run("grant", "inspect", "-", stdin=token).stdout
    parsed = cose.parse(token)
    for part in (
        f"{len(token)} bytes: header {len(parsed.protected)}, claims {len(parsed.payload)}",
        f"alg ES256, kid {cose.key_id(ISSUER.public).hex()}",
        'sub   "anna"',
        'aud   "front-door"',
        "cti   h'37'",
        "rules           mon-fri 08:00-16:00",
        "parent          6",
    ):
        assert part in output


def test_claims_are_in_the_notation_of_an_independent_decoder(desk, token):
    shown = desk.json("grant", "inspect", "-", stdin=token)["claims"]
    decoded = cbor2.loads(cbor2.loads(token).value[2])
    assert shown["iat"] == str(decoded[6])
    assert shown["cti"] == f"h'{decoded[7].hex()}'"
    assert shown["terms"].startswith("{0: 1, 1: 0, 2: 7, 3: 3, 5: [[0, 31, 28800, 57600]]")


def test_no_control_character_of_a_strangers_reaches_the_terminal(desk, token):
    hostile = altered(token, cwt.SUB, "an\x1b[31mna\r\x9b")
    result = desk.run("grant", "inspect", "-", stdin=hostile)
    assert result.exit_code == 0
    assert not set("\x1b\r\x9b") & set(result.stdout)


@pytest.mark.parametrize(("holder", "shown"), [("Paweł", "Paweł"), ("a\u202eb", '"a\\u202eb"')])
def test_a_holder_is_shown_as_text_if_it_can_be(desk, token, holder, shown):
    result = desk.json("grant", "inspect", "-", stdin=altered(token, cwt.SUB, holder))
    assert result["grant"]["holder"] == shown


def test_square_brackets_are_not_markup(desk, token):
    result = desk.run("grant", "inspect", "-", stdin=altered(token, cwt.SUB, "[red]anna[/nobody]"))
    assert "[red]anna[/nobody]" in result.stdout


@pytest.mark.parametrize(
    ("alter", "key", "value", "reason"),
    [
        (altered, cwt.CTI, b"x" * 17, reasons.BAD_ID),
        (altered, cwt.CTI, "7", reasons.MALFORMED),
        (altered, cwt.IAT, -1, reasons.MALFORMED),
        (altered, cwt.NBF, 1 << 63, reasons.BAD_DATES),  # beyond any calendar
        (altered, cwt.CNF, {1: {1: 2, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32}}, reasons.BAD_KEY),
        (altered, claims.TERMS, {}, reasons.MALFORMED),
        (altered_term, claims.VERSION, 0, reasons.BAD_VERSION),
        (altered_term, claims.RULES, [[0, 0, 0, 86_400]], reasons.BAD_WEEKDAYS),
        (altered_term, claims.PARENT, b"", reasons.BAD_ID),
        (altered_term, 19, 1, reasons.CRITICAL_UNKNOWN),
    ],
)
def test_what_no_lock_takes_in_is_named(desk, token, alter, key, value, reason):
    odd = alter(token, key, value)
    result = desk.run("grant", "inspect", "-", "--issuer", desk.path("issuer.pem"), stdin=odd)
    assert result.exit_code == 1
    assert f"({words.name(reason)}, {reason})" in result.stdout
    assert "signature  VALID" in result.stdout  # it is the issuer's fault


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", reasons.MALFORMED),
        (b"hello", reasons.MALFORMED),
        (b"a", reasons.MALFORMED),
        (b"\x00" * 500, reasons.MALFORMED),
        (b"\xd2" * 1025, reasons.TOO_LARGE),
        (b64encode(b"\xff" * 60), reasons.MALFORMED),
        (sign(b"\xff"), reasons.MALFORMED),
        (sign(b"\x01"), reasons.MALFORMED),
        (sign(b"\xa0"), reasons.BAD_KEY),  # it has none
        (sign(b"\xa0", typ=None), reasons.UNKNOWN_KIND),
        (sign(b"\xa0", typ=1), reasons.UNKNOWN_KIND),
        (cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x27", {}, b"", b""])), reasons.WRONG_ALGORITHM),
    ],
    ids=str,
)
def test_garbage_is_named_and_not_a_crash(desk, content, reason):
    for extra in ((), ("--issuer", desk.path("issuer.pem")), ("--json",)):
        result = desk.run("grant", "inspect", "-", *extra, stdin=content)
        assert result.exit_code == 1
        assert words.name(reason) in result.stdout


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_token_never_crashes_it(desk, token, data):
    broken = bytearray(token)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(broken) - 1))
        broken[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    for extra in ((), ("--json",)):
        assert desk.run("grant", "inspect", "-", *extra, stdin=bytes(broken)).exit_code in (0, 1)


@given(st.recursive(st.integers() | st.text() | st.binary() | st.booleans() | st.none(), st.lists))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_payload_under_a_good_signature_never_crashes_it(desk, value):
    try:
        payload = cbor.encode({2: value, claims.TERMS: {0: value}})
    except cbor.CborError:
        return
    result = desk.run("grant", "inspect", "-", stdin=sign(payload))
    assert result.exit_code == 1
