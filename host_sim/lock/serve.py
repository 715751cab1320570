"""The simulated lock as a process: JSON requests in, one a line, JSON answers out.

The first line makes the lock: `lock`, `zone`, `issuer`. Ends with its input.
"""

import json
import sys
from binascii import unhexlify

from host_sim.lock.device import Lock


def main():
    """Serve until the input ends."""
    first = json.loads(sys.stdin.readline())
    lock = Lock(first["lock"].encode(), first["zone"], unhexlify(first["issuer"]))
    print(json.dumps({}))
    for line in sys.stdin:
        print(json.dumps(lock.answer(json.loads(line))))


main()
