"""A phone: its keys and grants, what it says to a lock, and how it reaches one."""
