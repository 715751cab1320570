"""People: accounts, log-ins, personal keys and passwords.

Whoever reads the mail of an address sets the password of its account, first with the link that
confirms the address. So nobody can make an account for an address that is not theirs, and wait.
No answer tells whether an address has an account.
"""

from collections.abc import Iterable
from contextlib import suppress
from secrets import token_urlsafe

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from . import addresses, links, locks, names, organisations, sharing
from .context import Context
from .errors import Forbidden, Invalid, NotFound
from .model import Person, Token

LEAST_PASSWORD = 10
MOST_PASSWORD = 256  # of characters; whatever is longer only costs time
LOGIN_S = 30 * 86_400

# What a personal key may be good for: tedee's names, and those of the other APIs. ReadWrite
# includes Read. To manage keys and the password takes a log-in.
SCOPES = (
    "Account.Read",
    "Device.Read",
    "Device.ReadWrite",
    "DeviceCertificate.Operate",
    "DeviceShare.Read",
    "DeviceShare.ReadWrite",
    "Lock.Operate",
    "Mobile.Read",
    "Mobile.ReadWrite",
    "Organization.Read",
    "Organization.ReadWrite",
    "Log.Read",
)

# OWASP's parameters: 19 MiB and two passes, so that many log-ins at once find room.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_NONE = ""  # the password of an account that has none yet
# What a password is compared with if there is no account, so that it takes as long.
_NOBODYS = _HASHER.hash(token_urlsafe())


def hashed(password: str) -> str:
    """A password as it is kept. Slow on purpose: not to be called in a transaction.

    Raises Invalid for one that is too short or too long.
    """
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        text = f"a password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters"
        raise Invalid(text, code="bad-password")
    return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one that is kept; equally slow if there is none."""
    same = _HASHER.verify(password[:MOST_PASSWORD], kept or _NOBODYS)
    return same and bool(kept) and len(password) <= MOST_PASSWORD


def sign_up(ctx: Context, email: str, name: str) -> None:
    """Mail a link by which an account for an address is confirmed. Raises Invalid."""
    name = names.clean(name)
    person = expected(ctx, email, name)
    secret = links.make(ctx, links.CONFIRM, person.email_key)
    if person.confirmed_at is not None:  # nobody hears of the link
        ctx.mail(
            person.email,
            "You have an account already",
            "Somebody, perhaps you, wanted to make an account with this address. There is one\n"
            f"already. If you forgot its password, ask for a new one at {ctx.base_url}/forgot\n",
        )
        return
    person.email, person.name = email.strip(), name
    ctx.mail(
        person.email,
        "Please confirm your address",
        "Somebody, perhaps you, wants an account with this address. To confirm that it is yours,\n"
        f"and to set a password, follow {ctx.base_url}/confirm#{secret}\n"
        "If it was not you, do nothing.\n",
    )


def expected(ctx: Context, email: str, name: str) -> Person:
    """The account with an address, or one that waits for its confirmation. Raises Invalid."""
    key, name = addresses.key(email), names.clean(name)
    waiting = Person(
        email=email.strip(), email_key=key, name=name, password=_NONE, created_at=ctx.now
    )
    # Whether there is one or not, it is as much work.
    with suppress(IntegrityError), ctx.session.begin_nested():
        ctx.session.add(waiting)
    return ctx.session.scalars(select(Person).where(Person.email_key == key)).one()


def confirm(ctx: Context, secret: str, password: str) -> Person:
    """Open an account whose address is confirmed; `password` is hashed. Raises Gone.

    Whatever waited for the address is now theirs.
    """
    person = _follow(ctx, links.CONFIRM, secret)
    locks.hold_belongings(ctx, person)
    person.password = password
    person.confirmed_at = ctx.now
    organisations.found_for(ctx, person)
    sharing.claim(ctx, person)
    return person


def forget_password(ctx: Context, email: str) -> None:
    """Mail a link to set a new password, if there is an account. Raises Invalid."""
    key = addresses.key(email)
    person = _by_email(ctx, key)
    secret = links.make(ctx, links.PASSWORD, key)
    ctx.mail(
        person.email if person else "",  # as it was confirmed, not as it was typed now
        "Your password",
        f"To set a new password, follow {ctx.base_url}/password#{secret}\n"
        "If you did not ask for it, do nothing.\n",
        # As much work if there is no account.
        is_sent=person is None or person.confirmed_at is None,
    )


def reset_password(ctx: Context, secret: str, password: str) -> Person:
    """Set a new password, already hashed; all tokens and keys end. Raises Gone."""
    person = _follow(ctx, links.PASSWORD, secret)
    person.password = password
    mine = update(Token).where(Token.person_id == person.id, Token.revoked_at.is_(None))
    ctx.session.execute(mine.values(revoked_at=ctx.now))
    return person


def password_of(ctx: Context, email: str) -> tuple[int | None, str | None]:
    """The id and the kept password of the account with an address, for `matches`."""
    try:
        person = _by_email(ctx, addresses.key(email))
    except Invalid:
        person = None
    if person is None or person.confirmed_at is None:
        return None, None
    return person.id, person.password


def log_in(ctx: Context, person_id: int, checked: str) -> tuple[Token, str]:
    """A token for somebody who knew the password that is kept as `checked`, and its secret.

    Raises Forbidden if the password was changed in the meantime.
    """
    person = ctx.session.get_one(Person, person_id)
    if person.password != checked:
        raise Forbidden("password-changed", "The password was changed.")
    return _new_token(ctx, person, "log-in", None, ctx.now + LOGIN_S)


def new_key(
    ctx: Context, person: Person, name: str, scopes: Iterable[str], expires_at: int | None
) -> tuple[Token, str]:
    """A personal key with scopes, and its secret, which is shown this once. Raises Invalid."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        text = f"name one or more scopes of {', '.join(SCOPES)}"
        raise Invalid(text, code="bad-scope")
    if expires_at is not None and expires_at <= ctx.now:
        raise Invalid("a key cannot expire in the past", code="bad-expiry")
    return _new_token(ctx, person, names.clean(name), wanted, expires_at)


def tokens(ctx: Context, person: Person) -> list[Token]:
    """Whatever still gives access to somebody's account."""
    mine = select(Token).where(Token.person_id == person.id).order_by(Token.id)
    return [token for token in ctx.session.scalars(mine) if _is_good(token, ctx.now)]


def revoke(ctx: Context, person: Person, uid: str) -> None:
    """End a token or key of somebody. Raises NotFound."""
    for token in tokens(ctx, person):
        if token.uid == uid:
            token.revoked_at = ctx.now
            return
    raise NotFound("token")


def bearer_of(ctx: Context, secret: str) -> Token | None:
    """The token or key with a secret, if it is still good."""
    token = ctx.session.scalar(select(Token).where(Token.digest == links.digest(secret)))
    return token if token is not None and _is_good(token, ctx.now) else None


def allows(token: Token, scope: str | None) -> bool:
    """Whether a token reaches as far as a scope; None is what only a log-in may do."""
    if token.scopes is None:
        return True
    if scope is None:
        return False
    return scope in token.scopes or f"{scope}Write" in token.scopes


def _is_good(token: Token, now: int) -> bool:
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def _new_token(
    ctx: Context, person: Person, name: str, scopes: list[str] | None, expires_at: int | None
) -> tuple[Token, str]:
    secret = token_urlsafe(32)
    token = Token(
        person=person,
        digest=links.digest(secret),
        name=name,
        scopes=scopes,
        created_at=ctx.now,
        expires_at=expires_at,
    )
    ctx.session.add(token)
    ctx.session.flush()
    return token, secret


def _follow(ctx: Context, purpose: str, secret: str) -> Person:
    link = links.use(ctx, purpose, secret)
    person = _by_email(ctx, link.email_key)
    assert person is not None, "links are made for people who are there"
    return person


def _by_email(ctx: Context, key: str) -> Person | None:
    return ctx.session.scalar(select(Person).where(Person.email_key == key))
