"""The intake: every published token, on a lock that must not change when it refuses one."""

import json
from binascii import unhexlify

from firmware.access.intake import LARGEST, Intake
from firmware.crypto import p256
from firmware.policy import reasons
from firmware.policy.grant import TERMS, fault, same_terms
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from host_sim import words
from host_sim.lock.memory import Memory


def _load():
    with open("firmware_tests/vectors/grants.json") as file:
        return json.load(file)


VECTORS = _load()
LOCK = VECTORS["lock"].encode()
ISSUER = p256.PublicKey(unhexlify(VECTORS["issuer"])[:32], unhexlify(VECTORS["issuer"])[32:])
ISSUER.precompute()


def _lock(capacity=8):
    memory = Memory(LOCK, capacity)
    return memory, Intake(LOCK, ISSUER, memory)


def _contents(memory):
    """All that a lock keeps, as text."""
    kept = []
    for grant in memory.grants():
        kept += [grant.issued, grant.lease, memory.state(grant.share).floor]
        kept += [[name, getattr(grant, name)] for name in TERMS]
        kept += [rule.fields() for rule in grant.rules]
    return str(kept)


def test_each_token_gets_its_reason_and_a_refused_one_changes_nothing():
    held = VECTORS["single"][0]
    for case in VECTORS["single"]:
        memory, intake = _lock()
        equal(words.name(intake.accept(unhexlify(case["token"]))), case["reason"], case["name"])
        equal(len(memory.grants()), int(case["reason"] == "allowed"), case["name"])

        memory, intake = _lock()
        equal(intake.accept(unhexlify(held["token"])), reasons.ALLOWED)
        before = _contents(memory)
        if intake.accept(unhexlify(case["token"])) != reasons.ALLOWED:
            equal(_contents(memory), before, case["name"])
    true(len(VECTORS["single"]) >= 120)


def test_sequences():
    for sequence in VECTORS["sequences"]:
        memory, intake = _lock(sequence["capacity"])
        for place, statement in enumerate(sequence["statements"]):
            before = _contents(memory)
            reason = words.name(intake.accept(unhexlify(statement["token"])))
            equal(reason, statement["reason"], "%s, statement %d" % (sequence["name"], place + 1))
            if reason != "allowed":
                equal(_contents(memory), before, sequence["name"])


def _first_grant(memory, intake):
    equal(intake.accept(unhexlify(VECTORS["single"][0]["token"])), reasons.ALLOWED)
    return memory.grants()[0]


def test_what_was_taken_in_says_what_was_signed():
    memory, intake = _lock()
    for case in VECTORS["single"]:
        if case["name"] == "eight rules with dates":
            equal(intake.accept(unhexlify(case["token"])), reasons.ALLOWED)
    grant = memory.grants()[0]
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
    memory, intake = _lock()
    _first_grant(memory, intake)
    before = _contents(memory)
    for _ in range(soak.count(100_000, 2_000)):
        token = bytearray(tokens[random.below(len(tokens))])
        for _ in range(1 + random.below(3)):
            _mutate(token, random)
        if bytes(token) not in good:
            true(intake.accept(bytes(token)) != reasons.ALLOWED, token)
    equal(_contents(memory), before)


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
