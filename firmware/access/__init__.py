"""The way in: from a signed statement to a grant that the lock keeps.

May import policy, crypto, store, clock and lock.
"""
