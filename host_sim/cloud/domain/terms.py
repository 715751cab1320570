"""The terms of a share in the database, both ways: as `cloud.terms` writes them."""

from collections.abc import Callable

from firmware.policy.grant import ADMIN, ALL_RIGHTS, GUEST, GUEST_RIGHTS, OWNER, Grant, fault
from firmware.policy.zone import Zone
from host_sim import words

from .. import terms
from .errors import Invalid
from .model import Share

Write = Callable[[Grant], None]  # sets the terms of a grant

_UTC = Zone("UTC0")  # instants in the database name their zone
_PLAIN = terms.write_terms(Grant(b"", b"", b""))


def grant(share: Share, key: bytes = bytes(16)) -> Grant:
    """A share as a grant for a key (thumbprint, 16 bytes); neither lease nor issue is set."""
    made = Grant(bytes.fromhex(share.uid), share.device.lock_id.encode(), key)
    terms.Terms(**share.terms).write(made, _UTC)
    made.version = share.version
    made.holder = share.person.uid.encode() if share.person else b""
    if share.parent:
        made.parent = bytes.fromhex(share.parent.uid)
    return made


def write(share: Share, change: Write) -> None:
    """Set the terms of a share; raises Invalid for what no lock accepts, and changes nothing."""
    wanted = grant(share) if share.terms else _blank(share)
    change(wanted)
    reason = fault(wanted)
    if reason:
        raise Invalid(words.text(reason), code=words.name(reason))
    kept = terms.write_terms(wanted)
    kept.pop("lease", None)
    kept.pop("parent", None)
    share.terms = kept


def same_as(share: Share) -> Write:
    """What gives another share the terms of this one."""
    return lambda other: terms.Terms(**share.terms).write(other, _UTC)


def level(share: Share) -> int:
    """tedee's level: guest, admin or owner."""
    return {"guest": GUEST, "admin": ADMIN, "owner": OWNER}[share.terms["level"]]


def plain(level: int) -> Write:
    """The terms of a level without any limit."""

    def write(grant: Grant) -> None:
        grant.level = level
        grant.rights = GUEST_RIGHTS if level == GUEST else ALL_RIGHTS

    return write


def is_plain(share: Share) -> bool:
    """Whether a share is a guest's without any limit, which its holder cannot pass on."""
    return share.terms == _PLAIN and share.parent_id is None and not share.may_pass_on


def _blank(share: Share) -> Grant:
    return Grant(bytes.fromhex(share.uid), share.device.lock_id.encode(), bytes(16))
