"""What TLS sessions take beside MicroPython's heap: a port of localhost, and how many to open.

Prints bytes for each, of the memory that Linux gave this process. Runs on MicroPython's unix port.
"""

import socket
import ssl
import sys


def data_bytes():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    raise ValueError("no VmData")


def session(port):
    raw = socket.socket()
    raw.connect(socket.getaddrinfo("localhost", port)[0][-1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(raw, server_hostname="localhost")


port, count = int(sys.argv[1]), int(sys.argv[2])
kept = [session(port)]  # what all have in common
before = data_bytes()
for _ in range(count):
    kept.append(session(port))
print((data_bytes() - before) // count)
