"""HTTP through urequests, or through `requests` of newer images, which have no other.

Imports urequests or requests and its siblings. For the thread: it blocks, for ten seconds at the
most.
"""

try:
    import urequests as library
except ImportError:  # the newest images have only the new name
    import requests as library  # type: ignore[no-redef]

from .wire import MOST_BYTES, Sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Wire

PATIENCE_MS = 10_000
# The name that the library has given to the module `socket`.
_SOCKET = "usocket" if hasattr(library, "usocket") else "socket"


class Refused(Exception):
    """The server answered with another status than 200."""


def ask(
    wire: "Wire", method: str, where: str, body: "bytes | None", headers: "dict[str, str]"
) -> bytes:
    """The body of the answer from `where`, host:port/path. Raises Refused.

    TLS is the wire's business, so the library is told of none.
    """
    setattr(library, _SOCKET, Sockets(wire))
    wire.allow(PATIENCE_MS)
    answer = library.request(method, "http://" + where, data=body, headers=headers)  # noqa: S113  # the wire has one
    try:
        if answer.status_code != 200:
            raise Refused(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() == "content-length":
                return answer.raw.read(min(int(value), MOST_BYTES))
        return answer.raw.read()
    finally:
        answer.close()
