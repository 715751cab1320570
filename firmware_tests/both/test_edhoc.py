"""EDHOC: the trace of RFC 9529 section 3, and how a handshake ends that does not go well."""

from firmware.crypto import cbor, ecdh, edhoc
from firmware.crypto.edhoc import EdhocError
from firmware.crypto.slices import finish
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.soft_aes import aes
from host_sim.phone.edhoc import Initiator

# RFC 9529 section 3: method 3, cipher suite 2, both credentials CWT claims sets by kid.
X = 0x368EC1F69AEB659BA37D5A8D45B21BDC0299DCEAA8EF235F3CA42CE3530F9525
Y = 0xE2F4126777205E853B437D6EACA1E1F753CDCC3E2C69FA884B0A1A640977E418
SK_I = 0xFB13ADEB6518CEE5F88417660841142E830A81FE334380A953406A1305E8706B
SK_R = 0x72CC4761DBD4C78F758931AA589D348D1EF874A7E303EDE2F140DCF3E6AA4AAC
G_X = bytes.fromhex("8af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b6")
G_Y = bytes.fromhex("419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d5")
POINT_I = bytes.fromhex(
    "ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb6"
    "6e5de611388a4b8a8211334ac7d37ecb52a387d257e6db3c2a93df21ff3affc8"
)
POINT_R = bytes.fromhex(
    "bbc34960526ea4d32e940cad2a234148ddc21791a12afbcbac93622046dd44f0"
    "4519e257236b2a0ce2023f0931f1f386ca7afda64fcde0108c224c51eabf6072"
)
C_I = b"\x37"  # -24
C_R = b"\x27"  # -8
KID_I = b"\x2b"  # -12
KID_R = b"\x32"  # -19
FIRST_MESSAGE_1 = "03065820741a13d7ba048fbb615e94386aa3b61bea5b3d8f65f32620b749bee8d278efa90e"
FIRST_ERROR = "0202"
MESSAGE_1 = "0382060258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637"
MESSAGE_2 = (
    "582b419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d59862a1eef9e0e7e1886fcd"
)
MESSAGE_3 = "52e562097bc417dd5919485ac7891ffd90a9fc"
MESSAGE_4 = "4828c966b7ca304f83"
OSCORE_SECRET = "f9868f6a3aca78a05d1485b35030b162"
OSCORE_SALT = "ada24c7dbfc85eeb"


def _claims(subject, kid, point):
    return {2: subject, 8: {1: {1: 2, 2: kid, -1: 1, -2: point[:32], -3: point[32:]}}}


CRED_I = cbor.encode(_claims("42-50-31-FF-EF-37-32-39", KID_I, POINT_I))
CRED_R = cbor.encode(_claims("example.edu", KID_R, POINT_R))
RANDOM = soak.Random(soak.seed()).bytes


def _lock():
    return edhoc.Responder(aes, CRED_R, KID_R, SK_R, (Y, G_Y), RANDOM, C_R)


def _phone(suites=(6, 2)):
    return Initiator(aes, (X, G_X), RANDOM, C_I, list(suites))


def _authenticate_i(id_cred):
    return (CRED_I, POINT_I) if id_cred == {edhoc.HEADER_KID: KID_I} else None


def _authenticate_r(id_cred):
    return (CRED_R, POINT_R) if id_cred == {edhoc.HEADER_KID: KID_R} else None


def _message_3(phone, message_2, key=SK_I, authenticate=_authenticate_r):
    id_cred = {edhoc.HEADER_KID: KID_I}
    return finish(phone.take_2(message_2, authenticate, key, id_cred, CRED_I))


def test_the_trace_of_rfc_9529():
    equal(finish(ecdh.public(X, RANDOM))[:32], G_X)
    equal(finish(ecdh.public(Y, RANDOM))[:32], G_Y)
    error = raises(EdhocError, finish, _lock().take_1(bytes.fromhex(FIRST_MESSAGE_1)))
    equal(error.message().hex(), FIRST_ERROR)
    read = edhoc.read_error(bytes.fromhex(FIRST_ERROR))
    equal((read.code, read.info, read.told), (edhoc.WRONG_SUITE, 2, True))
    phone, lock = _phone(), _lock()
    message_1 = phone.message_1()
    equal(message_1.hex(), MESSAGE_1)
    message_2 = finish(lock.take_1(message_1))
    equal(message_2.hex(), MESSAGE_2)
    message_3 = _message_3(phone, message_2)
    equal(message_3.hex(), MESSAGE_3)
    finish(lock.take_3(message_3, _authenticate_i))
    message_4 = lock.message_4()
    equal(message_4.hex(), MESSAGE_4)
    phone.take_4(message_4)
    for side in (lock, phone):
        equal(side.state, edhoc.DONE)
        equal(side.export(0, 16).hex(), OSCORE_SECRET)
        equal(side.export(1, 8).hex(), OSCORE_SALT)


def test_each_state_takes_one_kind_of_message():
    lock = _lock()
    raises(EdhocError, finish, lock.take_3(bytes.fromhex(MESSAGE_3), _authenticate_i))
    equal(lock.state, edhoc.FAILED)
    raises(EdhocError, finish, lock.take_1(bytes.fromhex(MESSAGE_1)))
    lock = _lock()
    finish(lock.take_1(bytes.fromhex(MESSAGE_1)))
    raises(EdhocError, finish, lock.take_1(bytes.fromhex(MESSAGE_1)))
    raises(EdhocError, finish, lock.take_3(bytes.fromhex(MESSAGE_3), _authenticate_i))
    phone = _phone()
    raises(EdhocError, _message_3, phone, bytes.fromhex(MESSAGE_2))
    raises(EdhocError, phone.message_1)
    phone = _phone()
    phone.message_1()
    raises(EdhocError, phone.take_4, bytes.fromhex(MESSAGE_4))


def test_a_handshake_that_is_cut_off_cannot_be_taken_up_again():
    lock = _lock()
    next(lock.take_1(bytes.fromhex(MESSAGE_1)))
    raises(EdhocError, finish, lock.take_3(bytes.fromhex(MESSAGE_3), _authenticate_i))


def test_suites_are_one_or_a_list_that_ends_with_the_selected_one():
    rest = MESSAGE_1[8:]
    for suites in ("02", "820602", "83060502", "82381802"):
        finish(_lock().take_1(bytes.fromhex("03" + suites + rest)))
    for suites in ("00", "06", "820206", "820202", "82021819", "3818"):
        error = raises(EdhocError, finish, _lock().take_1(bytes.fromhex("03" + suites + rest)))
        equal(error.message().hex(), "0202", suites)
    for suites in ("8102", "80", "4102", "f5", "f6", "82f502", "a10202", "820662"):
        error = raises(EdhocError, finish, _lock().take_1(bytes.fromhex("03" + suites + rest)))
        equal(error.message().hex(), "0160", suites)


def test_a_first_message_out_of_shape_is_an_unspecified_error():
    good = bytes.fromhex(
        "030258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637"
    )
    finish(_lock().take_1(good))
    for message in (
        b"",
        good[:-1],
        b"\x02" + good[1:],
        b"\xf5" + good[1:],
        good[:3] + b"\x1f" + good[4:35] + good[36:],  # G_X of 31 bytes
        good[:4] + b"\xff" * 32 + good[36:],
        good[:4] + bytes(32) + b"\x41\x37",  # an id that should have gone as an integer
        good[:-1] + b"\x18\x18",
        good[:-1] + b"\x61\x37",
        good + b"\x38\x2a",  # critical
        good + b"\x40",
        good + b"\x05\x40\x40",
        good + b"\xf5",
        bytes(600),
        b"\x9f" + good,
    ):
        error = raises(EdhocError, finish, _lock().take_1(message))
        equal(error.code, edhoc.UNSPECIFIED, message)
    for message in (good + b"\x00", good + b"\x05\x41\x00\x19\xff\xff", good[:-1] + b"\x43abc"):
        finish(_lock().take_1(message))


def test_no_altered_message_is_believed():
    random = soak.Random(soak.seed())
    for _ in range(soak.count(300, 6)):
        lock = _lock()
        finish(lock.take_1(bytes.fromhex(MESSAGE_1)))
        altered = bytearray(bytes.fromhex(MESSAGE_3))
        altered[random.below(len(altered))] ^= 1 << random.below(8)
        raises(EdhocError, finish, lock.take_3(bytes(altered), _authenticate_i))
        equal(lock.state, edhoc.FAILED)
        phone = _phone()
        phone.message_1()
        altered = bytearray(bytes.fromhex(MESSAGE_2))
        altered[random.below(len(altered))] ^= 1 << random.below(8)
        raises(EdhocError, _message_3, phone, bytes(altered))
    phone = _phone()
    phone.message_1()
    _message_3(phone, bytes.fromhex(MESSAGE_2))
    raises(EdhocError, phone.take_4, bytes.fromhex("4828c966b7ca304f82"))


def test_another_suite_than_the_one_that_was_asked_for_changes_everything():
    lock, phone = _lock(), _phone((2,))
    raises(EdhocError, _message_3, phone, bytes.fromhex(MESSAGE_2))
    phone = _phone()
    message_1 = phone.message_1()
    stripped = message_1[:1] + b"\x02" + message_1[4:]  # somebody between says: suite 2 alone
    raises(EdhocError, _message_3, phone, finish(lock.take_1(stripped)))


def test_whoever_lacks_the_key_of_the_credential_fails():
    lock, phone = _lock(), _phone()
    message_3 = _message_3(phone, finish(lock.take_1(phone.message_1())), SK_I + 2)
    error = raises(EdhocError, finish, lock.take_3(message_3, _authenticate_i))
    equal(error.message().hex(), "0160")
    other = edhoc.Responder(aes, CRED_R, KID_R, SK_R + 2, (Y, G_Y), RANDOM, C_R)
    phone = _phone()
    raises(EdhocError, _message_3, phone, finish(other.take_1(phone.message_1())))


def test_whoever_is_not_known_is_told_so():
    lock, phone = _lock(), _phone()
    message_2 = finish(lock.take_1(phone.message_1()))
    error = raises(EdhocError, finish, lock.take_3(_message_3(phone, message_2), _nobody))
    equal(error.message().hex(), "03f5")
    phone = _phone()
    phone.message_1()
    error = raises(EdhocError, _message_3, phone, message_2, SK_I, _nobody)
    equal(error.message().hex(), "03f5")


def _nobody(id_cred):
    return None


def test_an_error_message_that_is_malformed_counts_as_unspecified():
    for message in (b"", b"\x01", b"\xff\xff", b"\x01\x60\x60"):
        read = edhoc.read_error(message)
        equal((read.code, read.told), (edhoc.UNSPECIFIED, True))
    true(edhoc.read_error(b"\x03\xf5").code == edhoc.UNKNOWN_CREDENTIAL)


def test_ids_travel_as_integers_where_they_look_like_one():
    for byte in range(256):
        raw = bytes([byte])
        is_integer = byte < 24 or 32 <= byte < 56
        equal(edhoc.compact(raw), raw if is_integer else cbor.encode(raw))
        equal(edhoc.identifier(cbor.decode(edhoc.compact(raw))), raw)
    equal(edhoc.identifier(cbor.decode(edhoc.compact(b""))), b"")
    equal(edhoc.compact(b"12345678").hex(), "483132333435363738")
    for item in (24, -25, "x", None, True, b"\x17", b"\x20"):
        raises(EdhocError, edhoc.identifier, item)
