"""Whatever a stranger's radio sends, nothing escapes and nothing changes.

A heap that is never collected does not hold so many messages, so this runs where there is AES.
"""

from cryptolib import aes

from firmware_tests import soak
from firmware_tests.both import fuzz_case

LACKS = ("cryptolib",)


def test_no_mutated_message_does_anything():
    fuzz_case.run(soak.count(1_000_000, 10_000), aes)
