"""Grants in memory, behind the methods that the lock's intake asks of a grant cache.

For simulations: bounded like the real one, and forgotten when the process ends.
"""

from firmware.policy.decision import NORMAL, State
from firmware.policy.instant import from_unix


class Memory:
    """Up to `capacity` grants, one for each key, and what is known of each share."""

    def __init__(self, lock, capacity=64):
        self.mode = NORMAL
        self._lock = lock
        self._capacity = capacity
        self._grants = {}
        self._states = {}
        self._used_s = {}

    def find(self, key):
        """The grant for a key (16-byte thumbprint), or None."""
        return self._grants.get(key)

    def grants(self):
        """All grants, in the order of their keys."""
        return [self._grants[key] for key in sorted(self._grants)]

    def holding(self, share):
        """A grant of a share, the one with the highest version, or None."""
        best = None
        for grant in self._grants.values():
            if grant.share == share and (best is None or grant.version > best.version):
                best = grant
        return best

    def state(self, share, key=None):
        """The State of a share, for all its keys; a fresh one for a share never seen."""
        return self._states.get(share) or State(self._lock)

    def is_in_doubt(self, share, key=None):
        """Nothing here becomes unreadable."""
        return False

    def state_at(self, grant, time_s):
        """The State for a decision about a grant, or about None, at a monotonic time."""
        if grant is None:
            return State(self._lock)
        state = self._states[grant.share]
        state.mode = self.mode
        used_s = self._used_s.get(grant.share)
        state.since_use_s = None if used_s is None else time_s - used_s
        state.parent = self.holding(grant.parent) if grant.parent else None
        state.parent_state = self.state_at(state.parent, time_s) if state.parent else None
        return state

    def put(self, grant):
        """Keep a grant in place of any other of its key; False if there is no room.

        From now on its share has at least this version.
        """
        if grant.key not in self._grants and len(self._grants) >= self._capacity:
            return False
        state = self._states.setdefault(grant.share, State(self._lock))
        state.floor = max(state.floor, grant.version)
        self._grants[grant.key] = grant
        return True

    def record(self, decision, time_s):
        """Count what an allowed decision says is to be counted, at a monotonic time."""
        if decision.parent and decision.grant.parent:
            self.record(decision.parent, time_s)
        if decision.counts:
            decision.state.uses += 1
            self._used_s[decision.grant.share] = time_s
        if decision.starts:
            decision.state.first_use = from_unix(time_s)
