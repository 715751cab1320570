"""What time is it, how wrong may that be, and why should the lock believe it?

May import policy and crypto. Chips, the counter of milliseconds, the source of random bytes and
the place where the floor is kept are handed in.
"""
