"""The simulated lock as a process: JSON requests in, one a line, JSON answers out.

The first line makes the lock: `folder`, `lock`, `issuer`, `t`. Ends with its input.
"""

import json
import sys
from binascii import unhexlify

from host_sim.lock.device import Device


def main():
    """Serve until the input ends."""
    first = json.loads(sys.stdin.readline())
    issuer = unhexlify(first["issuer"])
    device = Device(first["folder"], first["lock"].encode(), issuer, first["t"])
    print(json.dumps({}))
    for line in sys.stdin:
        print(device.answer(line))


main()
