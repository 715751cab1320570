"""The grant cache against plain dicts, as a state machine: any changes in any order, with cuts.

Files here are changed as a whole or not at all, as on littlefs; what littlefs itself does at a cut
is tried in firmware_tests/power.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware.policy.instant import Instant
from firmware.policy.schedule import Rule
from firmware_tests.both.store_case import (
    Model,
    RamFiles,
    cache,
    check_same,
    grant_of,
    key_of,
    share_of,
)

KEYS = [key_of(number) for number in range(6)]
SHARES = [share_of(number) for number in range(4)]
NEVER = -1

# How many files are still written before the power is cut; most changes write two.
cuts = st.one_of(st.just(NEVER), st.integers(0, 5))
shares = st.sampled_from(SHARES)
instants = st.one_of(st.none(), st.builds(Instant, st.just(20_500), st.integers(0, 86_399)))


@st.composite
def grants(draw):
    made = grant_of(draw(st.integers(0, 3)), draw(st.integers(0, 5)), draw(st.integers(1, 4)))
    made.issued.second = draw(st.integers(0, 86_399))
    made.uses = draw(st.one_of(st.none(), st.integers(1, 9)))
    made.rules = [Rule(127, 60 * n, 60 * n + 30) for n in range(draw(st.integers(0, 8)))]
    return made


class Cache(RuleBasedStateMachine):
    """One lock's cache and the model of it."""

    def __init__(self):
        super().__init__()
        self.files, self.apart = RamFiles(), RamFiles()
        self.model = Model()
        self.boot()

    def boot(self):
        for port in (self.files, self.apart):
            port.left = NEVER
        self.cache = cache(self.files, self.apart, buckets=3)

    def change(self, cut, name, *arguments):
        """The same to both, with a cut after so many files; old or new, nothing between."""
        after = self.model.copy()
        getattr(after, name)(*arguments)
        self.apart.left = cut
        self.files.left = cut - 1 if cut > 0 else cut
        try:
            assert getattr(self.cache, name)(*arguments) is not False
            self.model = after
        except OSError:
            self.boot()
            try:
                check_same(self.cache, self.model, KEYS, SHARES)
            except AssertionError:
                check_same(self.cache, after, KEYS, SHARES)
                self.model = after
        self.apart.left = self.files.left = NEVER

    @rule(grant=grants(), cut=cuts)
    def put(self, grant, cut):
        if self.model.admits(grant):
            self.change(cut, "put", grant)
        else:
            try:
                self.cache.put(grant)
            except ValueError:
                return
            raise AssertionError("took what goes back")

    @rule(share=shares, version=st.integers(1, 4), cut=cuts)
    def revoke_share(self, share, version, cut):
        self.change(cut, "revoke", share, None, version)

    @rule(share=shares, key=st.sampled_from(KEYS), version=st.integers(1, 4), cut=cuts)
    def revoke_key(self, share, key, version, cut):
        self.change(cut, "revoke", share, key, version)

    @rule(share=shares, used=st.booleans(), first_use=instants, cut=cuts)
    def count_use(self, share, used, first_use, cut):
        if self.model.copy().count_use(share, used, first_use):
            self.change(cut, "count_use", share, used, first_use)

    @rule(cut=cuts)
    def confirm(self, cut):
        self.change(cut, "confirm")

    @rule()
    def reboot(self):
        self.boot()

    @invariant()
    def they_agree(self):
        check_same(self.cache, self.model, KEYS, SHARES)


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=25)
