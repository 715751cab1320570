"""COSE_Sign1, COSE_Key and CWT: examples of the RFCs, and each reason for a refusal."""

from hashlib import sha256

from firmware.crypto import cbor, cose, cwt, p256
from firmware_tests.both.check import equal, raises
from host_sim.cloud import sign1

# RFC 9052 appendix C.2.1, signed by the key "11" of appendix C.7.1.
RFC_9052_X = "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
RFC_9052_Y = "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"
RFC_9052_SIGN1 = (
    "d28443a10126a10442313154546869732069732074686520636f6e74656e742e"
    "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
    "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
)
RFC_9052_SIGNED = "846a5369676e61747572653143a101264054546869732069732074686520636f6e74656e742e"

# RFC 8392 appendix A.3, signed by the key of appendix A.2.3.
RFC_8392_X = "143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f"
RFC_8392_Y = "60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9"
RFC_8392_CWT = (
    "d28443a10126a104524173796d6d657472696345434453413235365850a70175"
    "636f61703a2f2f61732e6578616d706c652e636f6d02656572696b7703781863"
    "6f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a56"
    "10d9f0061a5610d9f007420b7158405427c1ff28d23fbad1f29c4c7c6a555e60"
    "1d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee"
    "743a52b9b63632c57209120e1c9e30"
)

# The example of RFC 9679.
THUMBPRINT_X = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
THUMBPRINT_Y = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"
THUMBPRINT = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"

ANY_SIGNATURE = bytes(range(64))
KID = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def _key(x, y):
    return p256.PublicKey(bytes.fromhex(x), bytes.fromhex(y))


def _rfc_key():
    return _key(RFC_9052_X, RFC_9052_Y)


def _example(text):
    """The parts of an RFC's example; both have their key id where this profile has none."""
    return cbor.decode(bytes.fromhex(text), 18)


def _token(header, unprotected=None, payload=b"payload", signature=ANY_SIGNATURE):
    """A message with a protected header given as a value, or as bytes."""
    protected = header if isinstance(header, bytes) else cbor.encode(header)
    return cbor.encode([protected, unprotected or {}, payload, signature], 18)


def _refusal(function, *args):
    return raises(cose.CoseError, function, *args).code


def test_example_of_rfc_9052():
    protected, _, payload, signature = _example(RFC_9052_SIGN1)
    signed = cose.to_be_signed(protected, payload)
    equal(signed.hex(), RFC_9052_SIGNED)
    equal(p256.verify(sha256(signed).digest(), signature, _rfc_key()), True)
    # Its key id is not protected, so it is not a message for us.
    equal(_refusal(cose.parse, bytes.fromhex(RFC_9052_SIGN1)), cose.KID)


def test_example_of_rfc_8392():
    protected, _, payload, signature = _example(RFC_8392_CWT)
    digest = sha256(cose.to_be_signed(protected, payload)).digest()
    equal(p256.verify(digest, signature, _key(RFC_8392_X, RFC_8392_Y)), True)
    claims = cwt.decode_claims(payload)
    expected = {
        cwt.ISS: "coap://as.example.com",
        cwt.SUB: "erikw",
        cwt.AUD: "coap://light.example.com",
        cwt.EXP: 1444064944,
        cwt.NBF: 1443944944,
        cwt.IAT: 1443944944,
        cwt.CTI: b"\x0b\x71",
    }
    equal(claims, expected)


def test_external_aad_is_signed():
    signed = cose.to_be_signed(b"\xa0", b"payload", b"aad")
    equal(cbor.decode(signed), ["Signature1", b"\xa0", b"aad", b"payload"])


def test_sign_and_parse_agree():
    signed = []

    def signer(message):
        signed.append(message)
        return ANY_SIGNATURE

    token = sign1.sign(b"payload", KID, signer)
    message = cose.parse(token)
    equal(message.kid, KID)
    equal(message.payload, b"payload")
    equal(message.signature, ANY_SIGNATURE)
    equal(message.protected.hex(), "a201260448" + KID.hex())
    equal(signed, [cose.to_be_signed(message.protected, b"payload")])
    equal(token, _token({1: -7, 4: KID}))


def test_verify_wants_the_key_that_the_message_names():
    key = _rfc_key()
    message = cose.parse(_token({1: -7, 4: KID}))
    equal(_refusal(cose.verify, message, key), cose.KID)
    message = cose.parse(_token({1: -7, 4: cose.key_id(key)}))
    equal(_refusal(cose.verify, message, key), cose.SIGNATURE)


def test_signatures_of_a_wrong_length_do_not_verify():
    key = _rfc_key()
    for signature in (b"", bytes(63), bytes(65)):
        token = _token({1: -7, 4: cose.key_id(key)}, None, b"payload", signature)
        equal(_refusal(cose.verify, cose.parse(token), key), cose.SIGNATURE)


def test_messages_of_another_shape_are_malformed():
    good = cbor.encode({1: -7, 4: KID})
    for parts in (
        [],
        [good, {}, b"payload"],
        [good, {}, b"payload", ANY_SIGNATURE, b""],
        [good, {}, None, ANY_SIGNATURE],
        [good, {}, "payload", ANY_SIGNATURE],
        [good, {}, {}, ANY_SIGNATURE],
        [good, [], b"payload", ANY_SIGNATURE],
        [good, b"", b"payload", ANY_SIGNATURE],
        [{1: -7, 4: KID}, {}, b"payload", ANY_SIGNATURE],
        [good, {}, b"payload", None],
        [good, {}, b"payload", [ANY_SIGNATURE]],
        {},
        b"",
        0,
    ):
        equal(_refusal(cose.parse, cbor.encode(parts, 18)), cose.MALFORMED, parts)


def test_the_tag_is_part_of_a_message():
    token = _token({1: -7, 4: KID})
    equal(token[0], 0xD2)
    for changed in (token[1:], b"\xd1" + token[1:], b"\xd2" + token, b"\xd8\x3d" + token, b""):
        equal(_refusal(cose.parse, changed), cose.MALFORMED)
    equal(_refusal(cose.parse, token + b"\x00"), cose.MALFORMED)
    for length in range(len(token)):
        equal(_refusal(cose.parse, token[:length]), cose.MALFORMED)


def test_a_message_is_no_larger_than_allowed():
    token = _token({1: -7, 4: KID}, None, bytes(9000))
    equal(_refusal(cose.parse, token), cose.MALFORMED)
    equal(cose.parse(token, 10000).payload, bytes(9000))


def test_the_protected_header_is_a_deterministic_map():
    for header in (b"", b"\x80", b"\x01", b"\xf6", cbor.encode(b"")):
        expected = cose.MALFORMED
        equal(_refusal(cose.parse, _token(header)), expected, header)
    for text in (
        "a20448" + KID.hex() + "0126",
        "a2013806" + "0448" + KID.hex(),
        "bf0126" + "0448" + KID.hex() + "ff",
        "a30126" + "0126" + "0448" + KID.hex(),
        "a201260448" + KID.hex() + "00",
    ):
        equal(_refusal(cose.parse, _token(bytes.fromhex(text))), cose.MALFORMED, text)


def test_the_algorithm_is_es256():
    for algorithm in (-8, -35, -36, 7, 0, None, "ES256", b"\xf9", [-7], True, -9, -47):
        equal(_refusal(cose.parse, _token({1: algorithm, 4: KID})), cose.ALGORITHM, algorithm)
    equal(_refusal(cose.parse, _token({4: KID})), cose.ALGORITHM)
    equal(_refusal(cose.parse, _token({})), cose.ALGORITHM)
    # Not even named without protection.
    equal(_refusal(cose.parse, _token({4: KID}, {1: -7})), cose.ALGORITHM)


def test_the_key_id_is_8_protected_bytes():
    for kid in (b"", KID[:7], KID + b"\x09", "12345678", 1, None, [KID]):
        equal(_refusal(cose.parse, _token({1: -7, 4: kid})), cose.KID, kid)
    equal(_refusal(cose.parse, _token({1: -7})), cose.KID)
    equal(_refusal(cose.parse, _token({1: -7}, {4: KID})), cose.KID)


def test_unknown_parameters_are_refused():
    for label in (3, 5, 6, 15, 33, -1, "x", b"x"):
        equal(_refusal(cose.parse, _token({1: -7, 4: KID, label: 0})), cose.HEADER, label)
        equal(_refusal(cose.parse, _token({1: -7, 4: KID}, {label: 0})), cose.HEADER, label)
    for label in (1, 2, 4):
        equal(_refusal(cose.parse, _token({1: -7, 4: KID}, {label: 0})), cose.HEADER, label)


def test_a_message_may_say_what_its_payload_is():
    # RFC 9596: an integer or a text.
    equal(cose.parse(_token({1: -7, 4: KID})).typ, None)
    for typ in (0, 65000, -1, "application/cwt"):
        equal(cose.parse(_token({1: -7, 4: KID, 16: typ})).typ, typ)
        token = sign1.sign(b"payload", KID, lambda _: ANY_SIGNATURE, b"", typ)
        equal(token, _token({1: -7, 4: KID, 16: typ}))
    for typ in (None, True, False, b"x", [1], {}):
        equal(_refusal(cose.parse, _token({1: -7, 4: KID, 16: typ})), cose.HEADER, typ)
    equal(_refusal(cose.parse, _token({1: -7, 4: KID}, {16: 0})), cose.HEADER)


def test_critical_parameters_have_to_be_understood():
    for labels in ([15], [1, 15], [15, 1], ["x"], [1, 4, "x"]):
        header = {1: -7, 2: labels, 4: KID, 15: 0, "x": 0}
        equal(_refusal(cose.parse, _token(header)), cose.CRITICAL, labels)
    # A list of itself says nothing about what it lists.
    equal(_refusal(cose.parse, _token({1: -7, 2: [2], 4: KID})), cose.CRITICAL)
    for labels in ([1], [4], [16], [1, 4, 16]):
        equal(cose.parse(_token({1: -7, 2: labels, 4: KID, 16: 0})).kid, KID)


def test_critical_lists_are_lists_of_labels_that_are_there():
    for labels in ([], None, 1, "x", {}, [15], ["x"], [None], [True], [b"x"], [[1]], [1, 15]):
        equal(_refusal(cose.parse, _token({1: -7, 2: labels, 4: KID})), cose.MALFORMED, labels)


def test_a_critical_parameter_is_reported_before_the_algorithm():
    header = {1: -8, 2: [15], 15: 0}
    equal(_refusal(cose.parse, _token(header)), cose.CRITICAL)


def test_thumbprint_of_rfc_9679():
    key = _key(THUMBPRINT_X, THUMBPRINT_Y)
    equal(cose.thumbprint(key).hex(), THUMBPRINT)
    equal(cose.key_id(key).hex(), THUMBPRINT[:16])
    equal(cose.encode_key(key).hex(), "a401022001215820" + key.x.hex() + "225820" + key.y.hex())


def test_keys_survive_encoding():
    key = _rfc_key()
    decoded = cose.decode_key(cose.encode_key(key))
    equal((decoded.x, decoded.y, decoded.table), (key.x, key.y, None))
    named = cose.key_map(key)
    named[2] = cose.key_id(key)
    equal(cose.decode_key(cbor.encode(named)).x, key.x)


def test_keys_of_another_profile_are_refused():
    good = cose.key_map(_rfc_key())
    x, y = good[-2], good[-3]
    for label, value, code in (
        (1, 1, cose.KEY),
        (1, 3, cose.KEY),
        (1, None, cose.KEY),
        (1, "EC2", cose.KEY),
        (-1, 2, cose.KEY),
        (-1, 8, cose.KEY),
        (-1, None, cose.KEY),
        (-1, True, cose.KEY),
        (-2, x[1:], cose.KEY),
        (-2, b"\x00" + x, cose.KEY),
        (-2, None, cose.KEY),
        (-2, x.hex(), cose.KEY),
        (-3, y[:31], cose.KEY),
        (-3, True, cose.KEY),
        (-3, False, cose.KEY),
        (-3, b"", cose.KEY),
        (3, -7, cose.KEY),
        (4, [2], cose.KEY),
        (-4, bytes(32), cose.KEY),
        ("x", 1, cose.KEY),
        (2, KID, cose.KID),
        (2, 1, cose.KID),
        (2, None, cose.KID),
        (-2, y, cose.POINT),
        (-3, bytes(32), cose.POINT),
        (-3, b"\xff" * 32, cose.POINT),
    ):
        changed = dict(good)
        changed[label] = value
        equal(_refusal(cose.decode_key, cbor.encode(changed)), code, (label, value))
    for label in good:
        changed = dict(good)
        del changed[label]
        equal(_refusal(cose.decode_key, cbor.encode(changed)), cose.KEY, label)


def test_keys_are_deterministic_maps():
    encoded = cose.encode_key(_rfc_key())
    for changed in (encoded + b"\x00", encoded[:-1], b"\xd2" + encoded, b""):
        equal(_refusal(cose.decode_key, changed), cose.MALFORMED)
    for value in ([], 0, b"", None):
        equal(_refusal(cose.decode_key, cbor.encode(value)), cose.KEY)


def test_claims_have_their_registered_types():
    for label, values in (
        (cwt.ISS, (b"x", 1, None, ["x"], True)),
        (cwt.SUB, (b"x", 1)),
        (cwt.AUD, (b"x", ["x"])),
        (cwt.EXP, ("1", None, True, False, -1, b"")),
        (cwt.NBF, ("1", -1)),
        (cwt.IAT, ("1", False)),
        (cwt.CTI, ("x", 1)),
        (cwt.CNF, ([], b"", 1)),
    ):
        for value in values:
            payload = cbor.encode({label: value})
            equal(_refusal(cwt.decode_claims, payload), cose.MALFORMED, (label, value))


def test_private_claims_pass_through():
    claims = {-65537: [1, {2: None}], 300: b"x", "text": True, cwt.EXP: 0, cwt.IAT: 1 << 40}
    equal(cwt.decode_claims(cbor.encode(claims)), claims)


def test_claims_are_a_deterministic_map():
    for payload in (b"", b"\x80", b"\xf6", b"\xa0\x00", b"\xbf\xff", cbor.encode(b"\xa0")):
        equal(_refusal(cwt.decode_claims, payload), cose.MALFORMED)
    equal(cwt.decode_claims(b"\xa0"), {})
    many = cbor.encode({0: list(range(20))})
    equal(_refusal(cwt.decode_claims, many, 22), cose.MALFORMED)
    equal(len(cwt.decode_claims(many, 23)[0]), 20)


def test_confirmation_is_one_key_by_value():
    key = _rfc_key()
    claims = cwt.decode_claims(cbor.encode({cwt.CNF: sign1.confirmation(key)}))
    found = cwt.confirmation_key(claims)
    equal((found.x, found.y), (key.x, key.y))
    for method in (None, {}, {3: KID}, {1: cose.key_map(key), 3: KID}, {1: None}, {1: {}}, 1):
        claims = {} if method is None else {cwt.CNF: method}
        equal(_refusal(cwt.confirmation_key, claims), cose.KEY, method)
    off = cose.key_map(key)
    off[-3] = key.x
    equal(_refusal(cwt.confirmation_key, {cwt.CNF: {1: off}}), cose.POINT)


def test_errors_tell_their_code():
    equal(str(raises(cose.CoseError, cose.parse, _token({4: KID}))), str(cose.ALGORITHM))
