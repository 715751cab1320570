"""HTTP through urequests of PyPI, or through the `requests` that newer images have inside.

Imports urequests or requests and its siblings. For the thread: it blocks, for ten seconds at the
most.
"""

from .wire import NOWHERE, Sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .wire import Wire

PATIENCE_MS = 10_000


class Refused(Exception):
    """The server answered with another status than 200."""


def _found():
    """The library, and the name by which it knows the module `socket`.

    Newer images have a `urequests` that hands on to `requests`; a name that is set in it has no
    effect there.
    """
    try:
        import urequests

        if hasattr(urequests, "usocket"):
            return urequests, "usocket"
    except ImportError:
        pass
    import requests

    return requests, "usocket" if hasattr(requests, "usocket") else "socket"


_library, _SOCKET = _found()


def ask(
    wire: "Wire", method: str, path: str, body: "bytes | None", headers: "dict[str, str]"
) -> bytes:
    """The body of the answer from the other end of a Wire. Raises Refused.

    TLS is the wire's business, so the library is told of none. An answer has to say how long it
    is; KeyError if it does not.
    """
    setattr(_library, _SOCKET, Sockets(wire))
    wire.allow(PATIENCE_MS)
    answer = _library.request(  # the wire has a time-out
        method,
        "http://" + NOWHERE + path,
        data=body,
        headers=dict(headers, Host=wire.host),
        parse_headers=_note,
    )
    try:
        if answer.status_code != 200:
            raise Refused(answer.status_code)
        found: bytes = answer.raw.read(int(answer.headers[_LENGTH]))
        return found
    finally:
        answer.close()


_LENGTH = "content-length"


def _note(line: bytes, headers: "Any") -> None:
    """Keep of an answer's headers the one that counts."""
    name, _, value = line.partition(b":")
    if name.lower().decode() == _LENGTH:
        headers[_LENGTH] = value.strip().decode()
