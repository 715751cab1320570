"""A lock on the desk: the firmware's rules and intake, a line of JSON in, a line of JSON out.

Runs on CPython and on MicroPython; imports only firmware and its siblings.
"""
