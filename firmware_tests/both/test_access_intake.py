"""The intake: every published token, on a lock that must not change when it refuses one."""

from binascii import unhexlify

from firmware.access.intake import LARGEST, Intake
from firmware.crypto import p256
from firmware.policy import reasons
from firmware.policy.grant import TERMS, fault, same_terms
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.store_case import RamFiles, cache
from firmware_tests.both.vectors import read
from host_sim import words


VECTORS = read("grants")
LOCK = VECTORS["lock"].encode()
ISSUER = p256.PublicKey(unhexlify(VECTORS["issuer"])[:32], unhexlify(VECTORS["issuer"])[32:])
ISSUER.precompute()


def _lock(capacity=8):
    held = cache(RamFiles(), RamFiles(), capacity=capacity, lock=LOCK)
    return held, Intake(LOCK, ISSUER, held)


def _contents(held):
    """All that a lock keeps, as text."""
    kept = []
    for grant in held.grants():
        kept += [grant.issued, grant.lease, held.state(grant.share).floor]
        kept += [[name, getattr(grant, name)] for name in TERMS]
        kept += [rule.fields() for rule in grant.rules]
    return str(kept)


def test_each_token_gets_its_reason_and_a_refused_one_changes_nothing():
    good = VECTORS["single"][0]
    for case in VECTORS["single"]:
        held, intake = _lock()
        equal(words.name(intake.accept(unhexlify(case["token"]))), case["reason"], case["name"])
        equal(held.count(), int(case["reason"] == "allowed"), case["name"])

        held, intake = _lock()
        equal(intake.accept(unhexlify(good["token"])), reasons.ALLOWED)
        before = _contents(held)
        if intake.accept(unhexlify(case["token"])) != reasons.ALLOWED:
            equal(_contents(held), before, case["name"])
    true(len(VECTORS["single"]) >= 120)


def test_sequences():
    for sequence in VECTORS["sequences"]:
        held, intake = _lock(sequence["capacity"])
        for place, statement in enumerate(sequence["statements"]):
            before = _contents(held)
            reason = words.name(intake.accept(unhexlify(statement["token"])))
            equal(reason, statement["reason"], "%s, statement %d" % (sequence["name"], place + 1))
            if reason != "allowed":
                equal(_contents(held), before, sequence["name"])


def _only(held):
    """The one grant that a lock holds."""
    equal(held.count(), 1)
    return next(held.grants())


def _first_grant(held, intake):
    equal(intake.accept(unhexlify(VECTORS["single"][0]["token"])), reasons.ALLOWED)
    return _only(held)


def test_what_was_taken_in_says_what_was_signed():
    held, intake = _lock()
    for case in VECTORS["single"]:
        if case["name"] == "eight rules with dates":
            equal(intake.accept(unhexlify(case["token"])), reasons.ALLOWED)
    grant = _only(held)
    equal(fault(grant), reasons.ALLOWED)
    true(same_terms(grant, grant))
    equal([rule.start_s for rule in grant.rules], [3600 * n for n in range(8)])
    equal([rule.allow for rule in grant.rules], [n % 2 == 0 for n in range(8)])
    equal([rule.utc for rule in grant.rules], [n % 4 >= 2 for n in range(8)])
    equal((grant.rules[0].first_day, grant.rules[0].last_day), (18_262, 18_627))
    equal((grant.share, grant.holder, grant.version), (b"share-1", b"person-7", 1))


def test_mutated_tokens_raise_nothing_and_change_nothing():
    """Bits flipped; bytes replaced, taken out, put in and cut off."""
    random = soak.Random(soak.seed())
    tokens = [unhexlify(case["token"]) for case in VECTORS["single"]]
    tokens = [token for token in tokens if len(token) <= LARGEST]
    good = [unhexlify(case["token"]) for case in VECTORS["single"] if case["reason"] == "allowed"]
    held, intake = _lock()
    _first_grant(held, intake)
    before = _contents(held)
    for _ in range(soak.count(100_000, 2_000)):
        token = bytearray(tokens[random.below(len(tokens))])
        for _ in range(1 + random.below(3)):
            _mutate(token, random)
        if bytes(token) not in good:
            true(intake.accept(bytes(token)) != reasons.ALLOWED, token)
    equal(_contents(held), before)


def _mutate(token, random):
    place = random.below(len(token) + 1)
    kind = random.below(5)
    if kind == 0 and place < len(token):
        token[place] ^= 1 << random.below(8)
    elif kind == 1 and place < len(token):
        token[place] = random.below(256)
    elif kind == 2:
        token[place:] = token[place + 1 :]
    elif kind == 3:
        token[place:] = bytes([random.below(256)]) + token[place:]
    elif len(token) > 1:
        token[place:] = b""
