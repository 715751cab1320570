"""Accounts over HTTP: sign-up, log-in, passwords, personal keys, and accepting an invitation."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..domain import addresses, names, people, sharing
from ..domain.model import Person, Token
from .auth import LOG_IN, Call, Route, caller, limited, service_of
from .fields import instant
from .problems import Refusal, problems
from .service import Service

router = APIRouter(route_class=Route, tags=["accounts"], responses=problems())

Email = Annotated[str, Field(max_length=addresses.MOST, examples=["anna@example.org"])]
Secret = Annotated[str, Field(max_length=200, description="From the mailed link, after its #.")]
Password = Annotated[str, Field(min_length=people.LEAST_PASSWORD, max_length=people.MOST_PASSWORD)]
Name = Annotated[str, Field(min_length=1, max_length=names.MOST)]
Has = Annotated[Service, Depends(service_of)]


class Body(BaseModel):
    """Of a request; a field with an unknown name is refused."""

    model_config = ConfigDict(extra="forbid")


class SignUp(Body):
    """Whose account is to be made."""

    email: Email
    name: Name


class Confirmation(Body):
    """That somebody reads the mail of an address, and the password they want."""

    token: Secret
    password: Password


class Address(Body):
    """An e-mail address."""

    email: Email


class LogIn(Body):
    """Who logs in."""

    email: Email
    password: Annotated[str, Field(max_length=people.MOST_PASSWORD)]


class NewKey(Body):
    """What a personal key is for; without `expires_at` it ends when it is revoked."""

    name: Name
    scopes: list[str] = Field(description=", ".join(people.SCOPES), max_length=50)
    expires_at: AwareDatetime | None = None


class Invitation(Body):
    """A share that was offered by mail."""

    token: Secret


class Sent(BaseModel):
    """What one is told whether there is an account or not."""

    message: str = "If the address can be used, there is a mail on its way to it."


class Account(BaseModel):
    """An account."""

    uid: str
    email: str
    name: str
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> "Account":
        """A person's."""
        created_at = instant(person.created_at)
        return cls(uid=person.uid, email=person.email, name=person.name, created_at=created_at)


class TokenItem(BaseModel):
    """A log-in or a personal key, without its secret."""

    uid: str
    name: str
    scopes: list[str] | None = Field(description="`null` for a log-in, which may do everything.")
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> "TokenItem":
        """A token's."""
        return cls(**_members(token))


class TokenSecret(TokenItem):
    """The same with its secret, which is shown this once."""

    token: str

    @classmethod
    def with_secret(cls, token: Token, secret: str) -> "TokenSecret":
        """A new token's."""
        return cls(**_members(token), token=secret)


class Accepted(BaseModel):
    """The share that was accepted."""

    share: str
    device: str


@router.post("/account", status_code=202)
def sign_up(body: SignUp, request: Request, service: Has) -> Sent:
    """Ask for an account. The link in the mail confirms the address and sets the password."""
    _limit(request, service, body.email)
    with service.transaction() as context:
        people.sign_up(context, body.email, body.name)
    return Sent()


@router.post("/account/confirm", status_code=201, responses=problems(410))
def confirm(body: Confirmation, request: Request, service: Has) -> Account:
    """Open the account that a link is for; shares that waited for its address are there."""
    _limit(request, service)
    password = people.hashed(body.password)
    with service.transaction() as context:
        return Account.of(people.confirm(context, body.token, password))


@router.post("/account/forgotten-password", status_code=202)
def forget_password(body: Address, request: Request, service: Has) -> Sent:
    """Ask for a link to set a new password."""
    _limit(request, service, body.email)
    with service.transaction() as context:
        people.forget_password(context, body.email)
    return Sent()


@router.post("/account/password", status_code=204, responses=problems(410))
def reset_password(body: Confirmation, request: Request, service: Has) -> None:
    """Set a new password; all log-ins and personal keys end."""
    _limit(request, service)
    password = people.hashed(body.password)
    with service.transaction() as context:
        people.reset_password(context, body.token, password)


@router.post("/account/log-in", status_code=201, responses=problems(401, 403))
def log_in(body: LogIn, request: Request, service: Has) -> TokenSecret:
    """Get a token, for `Authorization: Bearer`."""
    _limit(request, service, body.email)
    with service.transaction() as context:
        person_id, kept = people.password_of(context, body.email)
    # Between two transactions, because it takes long.
    if not people.matches(body.password, kept) or person_id is None or kept is None:
        raise Refusal(401, "bad-log-in", "Address and password do not belong together.")
    with service.transaction() as context:
        return TokenSecret.with_secret(*people.log_in(context, person_id, kept))


@router.post("/account/log-out", status_code=204, responses=problems(401, 403))
def log_out(call: Annotated[Call, caller(LOG_IN)]) -> None:
    """End the token that was shown."""
    people.revoke(call.context, call.person, call.token.uid)


@router.get("/account", responses=problems(401, 403))
def account(call: Annotated[Call, caller("Account.Read")]) -> Account:
    """Whose token it is."""
    return Account.of(call.person)


@router.get("/account/tokens", responses=problems(401, 403))
def tokens(call: Annotated[Call, caller(LOG_IN)]) -> list[TokenItem]:
    """All log-ins and personal keys that are good."""
    return [TokenItem.of(token) for token in people.tokens(call.context, call.person)]


@router.post("/account/keys", status_code=201, responses=problems(401, 403))
def new_key(body: NewKey, call: Annotated[Call, caller(LOG_IN)]) -> TokenSecret:
    """Make a personal key, for `Authorization: PersonalKey`."""
    expires_at = None if body.expires_at is None else int(body.expires_at.timestamp())
    made = people.new_key(call.context, call.person, body.name, body.scopes, expires_at)
    return TokenSecret.with_secret(*made)


@router.delete("/account/tokens/{uid}", status_code=204, responses=problems(401, 403, 404))
def revoke(uid: str, call: Annotated[Call, caller(LOG_IN)]) -> None:
    """End a log-in or a personal key."""
    people.revoke(call.context, call.person, uid)


@router.post("/account/invitations", responses=problems(401, 403, 404, 410))
def accept(body: Invitation, call: Annotated[Call, caller(LOG_IN)]) -> Accepted:
    """Accept a share that was offered to the address of this account, by its mailed link."""
    share = sharing.accept(call.context, call.person, body.token)
    return Accepted(share=share.uid, device=share.device.name)


def _limit(request: Request, service: Service, email: str | None = None) -> None:
    """Refuse with 429 who tries passwords or fills somebody's mailbox."""
    now = service.clock()
    client = request.client.host if request.client else ""
    limited(service.limits.client.take(client, now))
    if email is not None:
        limited(service.limits.address.take(email.strip().casefold(), now))


def _members(token: Token) -> dict[str, Any]:
    return {
        "uid": token.uid,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": instant(token.created_at),
        "expires_at": None if token.expires_at is None else instant(token.expires_at),
    }
