"""One-time links in mails: random, kept as a hash, good for one purpose and one address."""

from hashlib import sha256
from secrets import token_hex

from sqlalchemy import Select, select, update

from .context import Context
from .errors import Gone
from .model import Link

CONFIRM = "confirm"  # an address
PASSWORD = "password"  # noqa: S105 - to set a new one
SHARE = "share"  # to accept one

LIFE_S = {CONFIRM: 7 * 86_400, PASSWORD: 3_600, SHARE: 30 * 86_400}


def make(ctx: Context, purpose: str, email_key: str, subject_id: int | None = None) -> str:
    """The secret part of a new link; earlier ones for the same are void."""
    same = (Link.purpose == purpose, Link.email_key == email_key, Link.subject_id == subject_id)
    ctx.session.execute(update(Link).where(*same, Link.used_at.is_(None)).values(used_at=ctx.now))
    secret = token_hex(32)  # no text of it looks like an option to a command line
    link = Link(
        digest=digest(secret),
        purpose=purpose,
        email_key=email_key,
        subject_id=subject_id,
        created_at=ctx.now,
        expires_at=ctx.now + LIFE_S[purpose],
    )
    ctx.session.add(link)
    return secret


def find(ctx: Context, purpose: str, secret: str) -> Link:
    """The link with this secret, still good. Raises Gone, for whatever reason it is not."""
    return _good(ctx, select(Link).where(Link.digest == digest(secret), Link.purpose == purpose))


def use(ctx: Context, purpose: str, secret: str) -> Link:
    """The same, good for the last time; it is held, see `locks`."""
    mine = select(Link).where(Link.digest == digest(secret), Link.purpose == purpose)
    link = _good(ctx, mine.with_for_update().execution_options(populate_existing=True))
    link.used_at = ctx.now
    return link


def ends(ctx: Context, purpose: str, email_key: str, subject_id: int | None) -> int | None:
    """Until when (Unix seconds) the link for a purpose is good, None if there is none."""
    mine = select(Link.expires_at).where(
        Link.purpose == purpose,
        Link.email_key == email_key,
        Link.subject_id == subject_id,
        Link.used_at.is_(None),
        Link.expires_at > ctx.now,
    )
    return ctx.session.scalar(mine)


def _good(ctx: Context, wanted: Select[Link]) -> Link:
    link = ctx.session.scalar(wanted)
    if link is None or link.used_at is not None or link.expires_at <= ctx.now:
        raise Gone("link", "This link was used, has run out, or never was one.")
    return link


def digest(secret: str) -> str:
    """What is kept of a secret of 256 random bits: it needs no salt."""
    return sha256(secret.encode()).hexdigest()
