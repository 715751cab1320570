"""The phone in a browser: an installable page that opens locks over Web Bluetooth.

The share service has it at /phone/, and it calls that service; at the door it needs nobody. What
both sides have to agree on, and the words for reasons, it gets from the firmware and `words`.
Imports the firmware, and of the simulator only the words.
"""

import json
from hashlib import sha256
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from firmware.link.clerk import BOLT_NAMES, DOOR_NAMES
from firmware.link.gatt import NOTIFY, SERVICE, WRITE
from host_sim import words

_HERE = Path(__file__).parent
_STATIC = _HERE.parent / "static"
_PAGE = "./"  # as which the page is asked for
_WORKER = "worker.js"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def _words() -> bytes:
    """The module of what is written down elsewhere."""
    told = {
        "SERVICE": SERVICE,
        "WRITE": WRITE,
        "NOTIFY": NOTIFY,
        "BOLTS": [name.lower() for name in BOLT_NAMES],
        "DOORS": DOOR_NAMES,
        "SENTENCES": {number: text for number, _, text in words.TABLE},
    }
    lines = [f"export const {name} = {json.dumps(value)};\n" for name, value in told.items()]
    return "".join(lines).encode()


def _files() -> dict[str, tuple[bytes, str]]:
    """All there is, by name: content and media type."""
    sources = [each for each in sorted(_HERE.iterdir()) if each.suffix in _TYPES]
    sources += [_STATIC / "style.css", _STATIC / "icon.svg"]
    files = {each.name: (each.read_bytes(), _TYPES[each.suffix]) for each in sources}
    files[_PAGE] = files.pop("index.html")
    files["words.js"] = (_words(), _TYPES[".js"])
    worker, kind = files.pop(_WORKER)
    digest = sha256(b"".join(content for content, _ in files.values())).hexdigest()[:16]
    known = {"NAME": f"phone-{digest}", "FILES": list(files)}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    files[_WORKER] = (head.encode() + worker, kind)
    return files


_FILES = _files()


def _answer(request: Request) -> Response:
    found = _FILES.get(request.path_params["name"] or _PAGE)
    if found is None:
        raise HTTPException(404)
    content, kind = found
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return Response(content, media_type=kind, headers=headers)


app = Starlette(routes=[Route("/{name:path}", _answer)])
