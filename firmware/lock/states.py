"""What a bolt does, what its sensor sees, and where the door is: the numbers of this package.

Imports nothing.
"""

# What a bolt does. LOCKED, UNLOCKED and PULLED are said only while the sensor says so, too.
UNKNOWN = 0
LOCKED = 1
UNLOCKED = 2
PULLED = 3  # unlocked, and the latch is drawn back
LOCKING = 4
UNLOCKING = 5
JAMMED = 6  # it did not arrive, and has not been moved since

# What a sensor sees: LOCKED, UNLOCKED, PULLED, or one of these.
BETWEEN = 7
FAULTY = 8  # it contradicts itself, its wire is cut, or nobody taught it

# The two ways of a drive.
TO_LOCK = -1
TO_OPEN = 1

# Where the door is: UNKNOWN without a contact, or one of these.
OPEN = 1
CLOSED = 2
