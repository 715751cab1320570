"""The issuer's other statements: byte for byte what the independent vectors say, and taken in."""

import json
from hashlib import sha256
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.access.batch import Batch
from firmware.access.intake import LARGEST_BATCH, Intake
from firmware.access.sync import Sync
from firmware.access.snapshot import Page
from firmware.access.statements import read_ack, read_settings, read_time
from firmware.crypto import cose
from firmware.policy import reasons
from firmware.policy.grant import Grant, same_terms
from firmware.policy.instant import DAY_S, from_unix, to_unix
from firmware.policy.schedule import Rule
from firmware.store.grants import Grants
from firmware.store.seal import Seal
from firmware.store.settings import Settings
from firmware_tests.both.store_case import RamFiles
from firmware_tests.unit.given_grants import grants
from host_sim.cloud import issuer
from host_sim.cloud.issuer import GrantRefused
from host_sim.cloud.keys import PrivateKey
from host_sim.runtimes import ROOT
from tools.vectors import statements as vectors

LOCK = b"front-door"
NOON = from_unix(1_607_947_200)
KEY = PrivateKey.from_scalar(7)
PHONE = PrivateKey.from_scalar(11)


def test_a_batch_of_the_issuer_is_that_of_the_vectors():
    made = issuer.batch(
        LOCK,
        NOON,
        1,
        4,
        [
            issuer.revocation_change(LOCK, NOON, b"share-1", 1, sequence=3),
            issuer.revocation_change(LOCK, NOON, b"share-3", 2, bytes(16), 4),
        ],
    )
    expected = vectors.batch(
        1,
        4,
        vectors.lean(vectors.revoke(3, 1)),
        vectors.lean(vectors.revoke(4, 3, 2, bytes(16))),
    )
    assert made == expected


def test_the_small_statements_are_those_of_the_vectors():
    link = bytes(range(16))
    assert issuer.time(LOCK, NOON) == vectors.says(vectors.TIME, {})
    assert issuer.time(LOCK, NOON, link) == vectors.says(vectors.TIME, {0: link})
    expected = vectors.says(vectors.ACK, {0: 9, 1: link})
    assert issuer.acknowledgement(LOCK, NOON, 9, link) == expected
    what = Settings()
    what.version = 3
    what.next_zone = "CET-1CEST,M3.5.0,M10.5.0/3"
    what.next_from = from_unix(1_700_000_000)
    terms = {0: 3, 1: "UTC0", 2: what.next_zone, 3: 1_700_000_000, 4: 0, 5: 0, 6: 600}
    assert issuer.settings(LOCK, NOON, what) == vectors.says(vectors.SETTINGS, terms)


def test_settings_that_no_lock_takes_are_not_signed():
    with pytest.raises(GrantRefused) as refused:
        issuer.settings(LOCK, NOON, Settings())
    assert refused.value.reason == reasons.BAD_VERSION


@given(st.lists(grants(), max_size=4), st.integers(1, 2**30 - 9))
def test_a_lock_reads_what_was_batched(made, first):
    changes = []
    for number, grant in enumerate(made):
        grant.share, grant.version = b"share-%d" % number, 1
        grant.lock, grant.parent = LOCK, None
        holder = PrivateKey.from_scalar(100 + number).public
        changes.append(issuer.grant_change(grant, holder, first + number))
    _, payload = issuer.batch(LOCK, NOON, first, first + 8, changes)
    batch = Batch(payload)
    assert (batch.first, batch.last, batch.issued) == (first, first + 8, NOON)
    for read, signed in zip(batch.grants(), made, strict=True):
        assert same_terms(read, signed)
        assert (read.issued, read.lease) == (signed.issued, signed.lease)


def test_a_lock_reads_what_was_said():
    header, nonce = read_time(issuer.time(LOCK, NOON, b"nonce")[1])
    assert (header.lock, header.issued, nonce) == (LOCK, NOON, b"nonce")
    what = Settings()
    what.version = 1
    header, read = read_settings(issuer.settings(LOCK, NOON, what)[1])
    assert vars(read) == vars(what)
    assert read_ack(issuer.acknowledgement(LOCK, NOON, 5, b"x")[1])[1:] == (5, b"x")


def test_a_numbered_grant_is_signed_like_any_other():
    grant = Grant(b"share-1", LOCK, b"")
    grant.holder, grant.issued = b"person-7", NOON
    _, payload = issuer.grant_change(grant, PHONE.public, 12)
    assert issuer.sign((65_000, payload), KEY) == issuer.issue(grant, PHONE.public, KEY, 12)
    assert to_unix(NOON) == vectors.NOON_S


def test_the_published_runs_have_names_of_their_own():
    text = (ROOT / "firmware_tests/vectors/statements.json").read_text(encoding="utf-8")
    names = [run["name"] for run in json.loads(text)["runs"]]
    assert len(set(names)) == len(names) >= 25


@pytest.mark.parametrize("id_bytes, holder_bytes", [(8, 8), (16, 32)])
def test_a_thousand_shares_take_at_most_25_signatures(id_bytes, holder_bytes, monkeypatch):
    changes = []
    for number in range(1000):
        grant = Grant(b"%0*d" % (id_bytes, number), LOCK, b"")
        grant.holder = b"%0*d" % (holder_bytes, number)
        grant.issued = from_unix(to_unix(NOON) - number)
        grant.lease = from_unix(to_unix(NOON) + DAY_S)
        days = (None, None) if id_bytes == 8 else (20_000, 20_100)
        grant.rules = [
            Rule(31, 28_800 + n, 64_800 + n, first_day=days[0], last_day=days[1])
            for n in range(number % 4)
        ]
        holder = PrivateKey.from_scalar(100 + number).public
        changes.append(issuer.grant_change(grant, holder, 1 + number))
    tokens = [token for _, token in issuer.batches(LOCK, 0, changes, KEY)]
    assert len(tokens) <= 25
    assert max(len(token) for token in tokens) <= LARGEST_BATCH
    verifying = Mock(wraps=cose.verifying)
    monkeypatch.setattr(cose, "verifying", verifying)
    folders: list[Any] = [RamFiles() for _ in range(3)]
    cache = Grants(folders[:1], folders[1], bytes(32), LOCK)
    sync = Sync((folders[1], folders[2]), Seal(bytes(32)))
    intake = Intake(LOCK, KEY.public, cache, sync)
    assert {intake.accept(token) for token in tokens} == {reasons.ALLOWED}
    assert (cache.count(), sync.applied) == (1000, 1000)
    assert verifying.call_count == len(tokens)


def test_a_command_is_that_of_the_vectors():
    challenge = bytes(range(16))
    made = issuer.command(LOCK, NOON, b"share-1", 2, challenge)
    assert made == vectors.says(vectors.COMMAND, {0: 2, 1: challenge}, cti=b"share-1")


def test_a_snapshot_of_one_page_is_that_of_the_vectors():
    members = [vectors.grant(3, 1), vectors.grant(None, 2)]
    given = [(b"share-%d" % number, payload) for number, (_, payload) in enumerate(members, 1)]
    (token,) = issuer.snapshot(LOCK, NOON, 7, 2, given[::-1], KEY)
    message = cose.parse(token, LARGEST_BATCH)
    lean = [vectors.lean(member) for member in members]
    digest = sha256(b"".join(content for _, content in lean)).digest()
    terms = {0: 7, 1: 1, 2: 1, 3: digest, 4: [list(each) for each in lean], 7: 2}
    assert (message.typ, message.payload) == vectors.says(vectors.SNAPSHOT, terms)


@given(st.lists(st.integers(0, 9), max_size=60), st.randoms())
def test_pages_tell_all_about_ranges_that_leave_nothing_out(holders, random):
    """`holders` are how many keys each share has."""
    given = []
    for number, keys in enumerate(holders):
        for key in range(keys):
            grant = Grant(b"share-%03d" % number, LOCK, b"")
            grant.rules = [Rule(127, 0, DAY_S, True, False, 18_000, 19_000)] * 3
            grant.issued, grant.version, grant.holder = NOON, 1, b"holder"
            public = PrivateKey.from_scalar(2 + 10 * number + key).public
            given.append((grant.share, issuer.grant_change(grant, public)[1]))
    random.shuffle(given)
    tokens = issuer.snapshot(LOCK, NOON, 9, 0, given, KEY)
    pages = [Page(cose.parse(token, LARGEST_BATCH).payload) for token in tokens]
    assert all(len(token) <= LARGEST_BATCH for token in tokens)
    assert [(page.number, page.pages) for page in pages] == [
        (number, len(pages)) for number in range(1, len(pages) + 1)
    ]
    told = [(grant.share, grant.key) for page in pages for grant in page.grants()]
    assert len(told) == len(given) and len(set(told)) == len(told)
    for share, _ in told:
        assert sum(page._covers(share) for page in pages) == 1
