"""The pages that mailed links lead to: one file, which calls the API.

The secret of a link stands after its #, which browsers keep to themselves: it is in no log.
"""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

_PAGE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")

router = APIRouter(include_in_schema=False)


def _policy() -> str:
    """A Content-Security-Policy for what stands in the page, and nothing else."""
    allowed = {}
    for tag in ("script", "style"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", _PAGE, re.DOTALL)
        allowed[tag] = b64encode(sha256(inside.encode()).digest()).decode()
    sources = "; ".join(f"{tag}-src 'sha256-{digest}'" for tag, digest in allowed.items())
    own = "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    return f"default-src 'none'; {sources}; {own}"


_HEADERS = {"Content-Security-Policy": _policy()}


@router.get("/sign-up")
@router.get("/confirm")
@router.get("/forgot")
@router.get("/password")
@router.get("/accept")
def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE, headers=_HEADERS)
