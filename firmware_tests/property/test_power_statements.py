"""Any statements in any order, loose and in batches, with power cuts: against plain dictionaries.

The lock runs on MicroPython and littlefs; statements are made up and signed here. The model
knows docs/protocol.md and nothing of flash: a statement that was cut off counts or does not.
"""

import copy
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix
from firmware.store import entry
from firmware.store.settings import Settings
from firmware_tests import soak
from firmware_tests.property.lock_process import ISSUER, LockProcess, cuts
from host_sim import words
from host_sim.cloud import issuer
from host_sim.cloud.keys import PrivateKey, short

LOCK = b"front-door"
NOON = 1_607_947_200
PHONES = [PrivateKey.from_scalar(100 + number).public for number in range(3)]
KEYS = [short(phone).hex() for phone in PHONES]
SHARES = [f"share-{number}" for number in range(3)]
KNOWN_SHARES = 10  # of which the lock tells the state


class Change(NamedTuple):
    """A grant, or the end of a share or of one key of it; `number`: its place in the sequence."""

    share: str
    key: str | None
    version: int
    issued: int
    number: int | None
    grant: Any = None  # rights, uses, lease


class Model:
    """What a lock must know, and what it must answer."""

    def __init__(self) -> None:
        self.grants: dict[str, Change] = {}  # by key
        self.floors: dict[str, int] = {}  # by share, and so on
        self.revoked: set[str] = set()
        self.withdrawn: dict[tuple[str, str], int] = {}
        self.uses: dict[str, int] = {}
        self.applied = 0
        self.remembered: dict[tuple[str, str | None], int] = {}  # by share and key
        self.lowered: set[str] = set()  # shares whose floor may have gone with a withdrawal
        self.settings = [0, 0]
        self.floor: int | None = None
        self.nonce_used = False
        self.acknowledged = 0

    # --- one change ------------------------------------------------------------------------------

    def least(self, share: str, key: str | None = None) -> int:
        """The lowest version that still counts."""
        return max(1, self.floors.get(share, 0), self.withdrawn.get((share, key or ""), 0) + 1)

    def stale(self, change: Change) -> int:
        if change.share in self.revoked:
            return reasons.SHARE_REVOKED
        if change.version < self.least(change.share, change.key):
            return reasons.OLD_VERSION
        held = self.grants.get(change.key or "")
        if held is None or (held.share == change.share and held.version < change.version):
            return reasons.ALLOWED
        if held.share != change.share:
            return reasons.ALLOWED if change.issued > held.issued else reasons.OLD_ISSUE
        if held.grant[:2] != change.grant[:2]:
            return reasons.CHANGED_TERMS
        newer = (change.issued, change.grant[2]) == (held.issued, held.grant[2])
        return reasons.ALLOWED if newer or change.issued > held.issued else reasons.OLD_ISSUE

    def put(self, change: Change) -> None:
        assert change.key
        self.grants[change.key] = change
        self.floors[change.share] = max(self.floors.get(change.share, 0), change.version)
        self.withdrawn.pop((change.share, change.key), None)
        if change.grant[1] is not None:
            self.uses.setdefault(change.share, 0)

    def revoke(self, change: Change) -> None:
        share, key = change.share, change.key
        if key is None:
            self.revoked.add(share)
            self.grants = {k: held for k, held in self.grants.items() if held.share != share}
            self.withdrawn = {pair: v for pair, v in self.withdrawn.items() if pair[0] != share}
        elif share in self.revoked:
            return
        else:
            held = self.grants.get(key)
            if held is not None and held.share == share:
                if held.version > change.version:
                    return
                del self.grants[key]
            before = self.withdrawn.get((share, key), 0)
            self.withdrawn[share, key] = max(before, change.version)
        self.floors[share] = max(self.floors.get(share, 0), change.version)

    def forget(self, share: str, key: str | None) -> None:
        held = any(held.share == share for held in self.grants.values())
        if key is not None:
            if self.withdrawn.pop((share, key), None) is not None:
                self.lowered.add(share)
        elif not held:
            self.revoked.discard(share)
            self.floors.pop(share, None)
            self.uses.pop(share, None)
            self.withdrawn = {pair: v for pair, v in self.withdrawn.items() if pair[0] != share}

    def remember(self, number: int, share: str, key: str | None) -> None:
        for (other, of_key), earlier in self.remembered.items():
            if other == share and of_key in (None, key) and earlier >= number:
                return
        self.remembered = {
            pair: earlier
            for pair, earlier in self.remembered.items()
            if pair[0] != share or key not in (None, pair[1])
        }
        self.remembered[share, key] = number

    def is_ahead(self, share: str, key: str | None) -> bool:
        numbers = [self.remembered.get((share, each), 0) for each in (None, key)]
        return max(numbers) > self.applied

    # --- statements ------------------------------------------------------------------------------

    def change(self, change: Change) -> int:
        """A loose one."""
        held = self.grants.get(change.key or "")
        if self.applied and (change.number or 0) <= self.applied:
            if held is None or change.grant is None or self.stale(change):
                return reasons.OLD_SEQUENCE
            if held[:3] != change[:3] or held.grant[:2] != change.grant[:2]:
                return reasons.OLD_SEQUENCE
        if change.grant is not None:
            reason = self.stale(change)
            if not reason:
                self.put(change)
            return reason
        if change.number is not None:
            self.remember(change.number, change.share, change.key)
        self.revoke(change)
        return reasons.ALLOWED

    def batch(self, first: int, last: int, changes: list[Change]) -> int:
        left: list[Change] = []
        ended: list[Change] = []
        for change in changes:
            if change.grant is None:
                ended.append(change)
                left = [each for each in left if not _ends(change, each)]
                continue
            for each in ended:
                if each.share == change.share and each.key is None:
                    return reasons.SHARE_REVOKED
                if each[:2] == change[:2] and change.version <= each.version:
                    return reasons.OLD_VERSION
            if any(e.share == change.share and e.version > change.version for e in left):
                return reasons.OLD_VERSION
            left = [each for each in left if each.key != change.key] + [change]
        if last <= self.applied:
            return reasons.ALLOWED
        if first != self.applied + 1:
            return reasons.SEQUENCE_GAP
        if any(self.stale(change) == reasons.CHANGED_TERMS for change in left):
            return reasons.CHANGED_TERMS
        for change in ended:
            held = self.grants.values() if change.key is None else [self.grants.get(change.key)]
            if any(each is not None and each.share == change.share for each in held):
                self.revoke(change)
        for change in left:
            if not self.stale(change):
                self.put(change)
        self.applied = last
        for change in ended:
            if not self.is_ahead(change.share, change.key):
                self.forget(change.share, change.key)
        for (share, key), number in list(self.remembered.items()):
            if number <= last:
                self.forget(share, key)
                del self.remembered[share, key]
        return reasons.ALLOWED

    def set(self, version: int, auto_lock_s: int) -> int:
        if version < self.settings[0]:
            return reasons.OLD_VERSION
        if version == self.settings[0] and auto_lock_s != self.settings[1]:
            return reasons.CHANGED_TERMS
        self.settings = [version, auto_lock_s]
        return reasons.ALLOWED

    def acknowledge(self, sequence: int, good: bool) -> int:
        if not good:
            return reasons.BAD_ACK
        self.acknowledged = max(self.acknowledged, sequence)
        return reasons.ALLOWED

    def passed(self, issued: int) -> bool:
        """A statement that counts says that this has passed; whether that is news."""
        news = issued > (self.floor or 0)
        self.floor = max(issued, self.floor or 0)
        return news


def _ends(revocation: Change, granted: Change) -> bool:
    if revocation.key is None:
        return revocation.share == granted.share
    return revocation[:2] == granted[:2] and granted.version <= revocation.version


# --- what the issuer says ------------------------------------------------------------------------

minutes = st.integers(0, 9)
numbers = st.one_of(st.none(), st.integers(1, 12))
leases = st.one_of(st.none(), st.just(NOON + 86_400), st.just(NOON + 172_800))
terms = st.tuples(st.sampled_from([1, 3]), st.one_of(st.none(), st.just(9)), leases)


@st.composite
def changes(draw: Any, number: Any = numbers) -> Change:
    granted = draw(st.integers(0, 2)) > 0
    whole = not granted and draw(st.booleans())
    return Change(
        draw(st.sampled_from(SHARES)),
        None if whole else draw(st.sampled_from(KEYS)),
        draw(st.sampled_from([1, 1, 1, 2, 3])),
        NOON + 100 * draw(minutes),
        draw(number),
        draw(terms) if granted else None,
    )


def said(change: Change) -> issuer.Change:
    """The statement without signature."""
    share, issued = change.share.encode(), from_unix(change.issued)
    if change.grant is None:
        key = bytes.fromhex(change.key) if change.key else None
        return issuer.revocation_change(LOCK, issued, share, change.version, key, change.number)
    grant = Grant(share, LOCK, b"")
    grant.holder, grant.version, grant.issued = b"person", change.version, issued
    grant.rights, grant.uses, lease = change.grant
    grant.lease = lease and from_unix(lease)
    return issuer.grant_change(grant, PHONES[KEYS.index(change.key or "")], change.number)


@st.composite
def batches(draw: Any) -> Any:
    first = draw(st.integers(1, 10))
    last = first + draw(st.integers(0, 6))
    places = draw(st.lists(st.integers(first, last), unique=True, max_size=5))
    members = [draw(changes(st.just(place))) for place in sorted(places)]
    return first, last, members, NOON + 100 * draw(minutes)


_running: list[LockProcess] = []


@pytest.fixture(autouse=True, scope="module")
def _end_the_process():
    yield
    while _running:
        _running.pop().close()


class Statements(RuleBasedStateMachine):
    """One lock, and what it should know."""

    loose = Bundle("loose")
    batched = Bundle("batched")

    def __init__(self) -> None:
        super().__init__()
        if not _running:
            _running.append(LockProcess())
        self.lock = _running[0]
        self.model = Model()
        self.entered: list[int] = []

    @initialize(seed=st.integers(1, 1 << 20))
    def provision(self, seed: int) -> None:
        self.lock.ask("new", seed)
        self.check(self.model)

    # --- asking both -----------------------------------------------------------------------------

    def say(self, statement: issuer.Change, ask: Any, issued: int, cuts: Any) -> None:
        """The same statement to both; after a cut the lock is as before or as after."""
        after = copy.deepcopy(self.model)
        expected = ask(after)
        allowed = expected == reasons.ALLOWED
        if allowed:
            after.passed(issued)
        token = issuer.sign(statement, ISSUER)
        cut, result = self.lock.ask("accept", token.hex(), cuts=cuts)
        if not cut:
            assert result == expected, words.name(result)
            self.model = after
            self.entered.append(expected)
            self.check(after)
            return
        self.settle([self.model, after])

    def settle(self, candidates: list[Model]) -> None:
        """After a cut: which of them is it? Then nothing may be missing."""
        old, new = candidates[0], candidates[-1]
        late = copy.deepcopy(new)  # the floor is written last
        late.floor = old.floor
        early = copy.deepcopy(old)  # a loose revocation is remembered first
        early.remembered = new.remembered
        for candidate in (old, new, late, early):
            candidate.nonce_used = False
            if self.differences(candidate) == []:
                self.model = candidate
                break
        else:
            raise AssertionError((self.differences(old), self.differences(new)))
        told = self.reasons_entered()
        assert told[: len(self.entered)] == self.entered
        assert len(told) <= len(self.entered) + 2  # and perhaps one, or a batch finished at boot
        self.entered = told
        self.check(self.model)

    def reasons_entered(self) -> list[int]:
        log = self.lock.state["log"]
        return [reason for _, kind, reason, _, _ in log if kind == entry.STATEMENT]

    def differences(self, model: Model) -> list[Any]:
        """Where the lock is not like the model."""
        state = self.lock.state
        shares = []
        for number in range(KNOWN_SHARES):
            share = f"share-{number}"
            shares.append([share in model.revoked, model.least(share), model.uses.get(share, 0)])
            if share in model.revoked:  # nothing is counted any more
                shares[-1][2] = state["shares"][number][2]
            if share in model.lowered:
                versions = [held.version for held in model.grants.values() if held.share == share]
                least = state["shares"][number][1]
                if max([1, *versions]) <= least <= model.least(share):
                    shares[-1][1] = least
        expected = {
            "grants": {
                key: [held.share, held.version, *held.grant[:2], held.issued, held.grant[2]]
                for key, held in model.grants.items()
            },
            "shares": shares,
            "applied": model.applied,
            "remembered": sorted(
                [number, share, key or ""] for (share, key), number in model.remembered.items()
            ),
            "settings": model.settings,
            "floor": model.floor,
            "acknowledged": model.acknowledged,
        }
        return [(name, state[name], value) for name, value in expected.items()
                if state[name] != value]  # fmt: skip

    def check(self, model: Model) -> None:
        assert self.differences(model) == []
        for share in model.lowered:
            model.floors[share] = self.lock.state["shares"][int(share[-1])][1]
        model.lowered.clear()
        assert self.reasons_entered() == self.entered
        assert (self.lock.state["faults"], self.lock.state["reports"]) == ([], [])
        assert self.lock.state["damaged"] == [False, False, False]

    # --- what happens ----------------------------------------------------------------------------

    @rule(target=loose, change=changes(), cuts=cuts)
    def loose_change(self, change: Change, cuts: Any) -> Change:
        self.say(said(change), lambda model: model.change(change), change.issued, cuts)
        return change

    @rule(change=loose, cuts=cuts)
    def loose_change_again(self, change: Change, cuts: Any) -> None:
        self.loose_change(change, cuts)

    @rule(target=batched, batch=batches(), next_one=st.integers(0, 3), cuts=cuts)
    def batch(self, batch: Any, next_one: int, cuts: Any) -> Any:
        """Mostly in sequence."""
        if next_one:
            first, last, members, issued = batch
            ahead = self.model.applied + 1 - first
            members = [each._replace(number=each.number + ahead) for each in members]
            batch = (first + ahead, last + ahead, members, issued)
        return self.send(batch, cuts)

    @rule(batch=batched, cuts=cuts)
    def batch_again(self, batch: Any, cuts: Any) -> None:
        self.send(batch, cuts)

    def send(self, batch: Any, cuts: Any) -> Any:
        first, last, members, issued = batch
        made = issuer.batch(LOCK, from_unix(issued), first, last, [said(m) for m in members])
        self.say(made, lambda model: model.batch(first, last, members), issued, cuts)
        return batch

    @rule(version=st.integers(1, 4), auto_lock_s=st.sampled_from([0, 9]), at=minutes, cuts=cuts)
    def set(self, version: int, auto_lock_s: int, at: int, cuts: Any) -> None:
        what, issued = Settings(), NOON + 100 * at
        what.version, what.auto_lock_s = version, auto_lock_s
        made = issuer.settings(LOCK, from_unix(issued), what)
        self.say(made, lambda model: model.set(version, auto_lock_s), issued, cuts)

    @rule(place=st.integers(0, 30), good=st.booleans(), at=minutes, cuts=cuts)
    def acknowledge(self, place: int, good: bool, at: int, cuts: Any) -> None:
        log = self.lock.state["log"]
        sequence, _, _, _, link = log[place % len(log)]
        issued = NOON + 100 * at
        made = issuer.acknowledgement(
            LOCK, from_unix(issued), sequence, bytes.fromhex(link) if good else bytes(16)
        )
        self.say(made, lambda model: model.acknowledge(sequence, good), issued, cuts)

    @rule(at=minutes, answers=st.booleans(), cuts=cuts)
    def time(self, at: int, answers: bool, cuts: Any) -> None:
        issued = NOON + 100 * at
        nonce = b"%016d" % 1 if answers else None  # the first that a lock of the tests asks with
        after = copy.deepcopy(self.model)
        if answers and after.nonce_used:
            expected = {reasons.NONCE_USED}
        elif answers:
            expected = {reasons.TIME_SET, reasons.TIME_JUMPED, reasons.TIME_TURNED_BACK}
            after.floor, after.nonce_used = issued, True
        elif after.passed(issued):
            expected = {reasons.BOUND_RAISED, reasons.BOUNDS_CROSSED}
        else:
            expected = {reasons.TIME_OLD}
        token = issuer.sign(issuer.time(LOCK, from_unix(issued), nonce), ISSUER)
        cut, result = self.lock.ask("accept", token.hex(), cuts=cuts)
        if cut:
            self.settle([self.model, after])
            return
        assert result in expected, result
        self.model = after
        self.entered.append(result)
        self.check(after)

    @rule(share=st.sampled_from(SHARES), cuts=cuts)
    def use(self, share: str, cuts: Any) -> None:
        """A use is counted, and never given back.

        A lock may go on counting a share whose counted grants are gone.
        """
        after = copy.deepcopy(self.model)
        after.uses[share] = after.uses.get(share, 0) + 1
        held = [each for each in after.grants.values() if each.share == share]
        cut, result = self.lock.ask("count_use", share, cuts=cuts)
        if cut:
            self.settle([self.model, after])
            return
        assert result or all(each.grant[1] is None for each in held)
        if result:
            self.model = after
        self.check(self.model)

    @rule()
    def boot(self) -> None:
        self.lock.ask("boot")
        self.model.nonce_used = False
        self.check(self.model)


TestStatements = Statements.TestCase
TestStatements.settings = settings(max_examples=soak.count(2_000, 40), stateful_step_count=30)
