"""What the firmware finds on MicroPython, and a lock on a stand has to be given on CPython.

Imports what talks to the network, its libraries and shims. Whoever imports this has it all.
"""

import _thread
import binascii
import struct
import sys

import streams
import ticks  # noqa: F401  # for `time`

from firmware.link import wire

wire.select = wire.socket = wire.ssl = streams
sys.modules.update(usocket=streams, ustruct=struct, ubinascii=binascii)
_thread.stack_size = lambda size: 0  # the firmware's is less than the least here

import urequests  # noqa: E402  # which needs what was made just now


class _Word(str):
    """Text that a format of bytes takes, as all texts are taken on MicroPython."""

    def __bytes__(self):
        return self.encode()

    def split(self, *how):
        return [_Word(each) for each in super().split(*how)]


_request = urequests.request
urequests.request = lambda method, url, **more: _request(_Word(method), _Word(url), **more)
