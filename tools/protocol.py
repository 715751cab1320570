"""Rewrites the worked examples of docs/protocol.md: `python -m tools.protocol`."""

from pathlib import Path

import cbor2

from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix
from host_sim.cloud.issuer import issue
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.terms import read_rule
from tools import visit_example
from tools.visit_example import rows

PAGE = Path(__file__).parent.parent / "docs" / "protocol.md"
_ISSUER, _PHONE = PrivateKey.from_scalar(1), PrivateKey.from_scalar(2)


def page() -> str:
    """The page with its examples made anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name, example in (("example", _statement), ("visit", visit_example.lines)):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        shown = "\n".join(["```", *example(), "```"])
        text = f"{before}{begin}\n{shown}\n{end}{after}"
    return text


def _statement() -> list[str]:
    grant = Grant(b"share-1", b"front-door", b"")
    grant.holder = b"person-7"
    grant.issued = from_unix(1_607_947_200)
    grant.lease = from_unix(1_608_811_200)
    grant.rules = [read_rule("mon-fri 08:00-16:00"), read_rule("deny daily to 2020-12-26")]
    token = issue(grant, _PHONE.public, _ISSUER)
    protected, unprotected, payload, signature = cbor2.loads(token).value
    lines = [f"{len(token)} bytes: tag 18, an array of four", token[:2].hex()]
    for what, part in (
        (f"the protected header, {len(protected)} bytes", protected),
        ("the unprotected header, empty", unprotected),
        (f"the payload, {len(payload)} bytes", payload),
        ("the signature, r and s", signature),
    ):
        lines += ["", what, *rows(cbor2.dumps(part))]
    lines += ["", "the protected header says", _show(cbor2.loads(protected))]
    lines += ["", "the payload says", *_members(cbor2.loads(payload))]
    return lines


def _members(claims: dict[int, object]) -> list[str]:
    return ["{", *(f"  {label}: {_show(value)}," for label, value in claims.items()), "}"]


def _show(value: object) -> str:
    """CBOR diagnostic notation (RFC 8949 section 8)."""
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    return "null" if value is None else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
