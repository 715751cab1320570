"""What the lock remembers: small files that survive a power cut at any instant.

May import policy and crypto. `files` is the port to the file system; all else writes through it.
"""
