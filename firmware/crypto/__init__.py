"""Cryptography as pure functions over bytes: CBOR, COSE, CWT, ECDSA P-256, HKDF, AES-CCM.

Modules here import only each other and `hashlib`; what needs hardware (AES) is passed in. The same
source runs on CPython and MicroPython, and no path depends on which of the two it is.
Nothing here holds a secret: signature verification is not constant-time, and need not be.
"""
