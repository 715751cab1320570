"""What a grant means: pure functions from a grant, a request and a moment to a decision.

Imports nothing outside this package. Reads no clock, no file and no radio.
"""
