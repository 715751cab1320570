"""Terms in the words of `cloud.terms`, and what the lock's checks say of them: when it opens, what
is odd about them, and why it would not open."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from firmware.policy.decision import Decision, Now, Request, State
from firmware.policy.forecast import next_allowed
from firmware.policy.grant import FIRST_DAY, LAST_DAY, MOST_RULES, Grant
from firmware.policy.grant import fault as fault_of
from firmware.policy.instant import DAY_S, Instant, from_unix
from firmware.policy.zone import Zone
from host_sim import explain as explaining
from host_sim import words
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES

from .. import lint as linting
from .. import preview as previewing
from ..domain import terms
from ..domain.context import Context
from ..domain.errors import Invalid
from ..domain.model import Device, Share
from ..terms import Terms, TermsError, read_duration, read_instant

MOST_DAYS = 400
MOST_SPANS = 1_000
LONGEST_LEASE_S = 3_650 * DAY_S

Text = Annotated[str, Field(max_length=100)]
Right = Literal["unlock", "lock", "pull", "read-log", "manage"]
Channel = Literal["local", "remote"]
_ACTIONS = {name: bit for bit, name in ACTION_NAMES.items()}
_CHANNELS = {name: bit for bit, name in CHANNEL_NAMES.items()}


class Body(BaseModel):
    """Of a request; a field with an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Words(Body):
    """What a share allows, in words; what is `null` does not limit it."""

    level: Literal["guest", "admin", "owner"] | None = None
    rights: list[Right] | None = Field(default=None, max_length=5)
    channels: list[Channel] | None = Field(default=None, max_length=2)
    start: Text | None = Field(
        default=None,
        alias="from",
        description="2026-07-01T12:00Z, or without a zone as the wall clock of the lock shows it.",
    )
    until: Text | None = None
    rules: list[Text] | None = Field(
        default=None, max_length=MOST_RULES, examples=[["mon-fri 08:00-16:00", "deny sat,sun"]]
    )
    uses: int | None = Field(default=None, ge=1, le=65_535)
    after_first_use: Text | None = Field(default=None, examples=["2 h"])
    duress: bool | None = None

    def named(self) -> dict[str, Any]:
        """The fields that were given, `None` among them."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def write(self, kept: dict[str, Any], zone: Zone) -> terms.Write:
        """What sets terms that were `kept`, with these changed: absent keeps, null clears."""
        merged = {**kept, **self.named()}
        wanted = Terms(**{name: value for name, value in merged.items() if value is not None})

        def write(grant: Grant) -> None:
            try:
                wanted.write(grant, zone)
            except TermsError as error:
                raise Invalid(str(error), code="bad-terms") from None

        return write

    def grant(self, device: Device) -> Grant:
        """A grant of nobody's with these terms."""
        made = Grant(b"share", device.lock_id.encode(), bytes(16))
        self.write({}, Zone(device.zone))(made)
        return made


class ShownWords(BaseModel):
    """The terms of a share; `null` is no limit."""

    level: Literal["guest", "admin", "owner"]
    rights: list[Right]
    channels: list[Channel]
    start: str | None = Field(alias="from")
    until: str | None
    rules: list[str] | None
    uses: int | None
    after_first_use: str | None
    duress: bool | None

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "ShownWords":
        """Terms as they are kept."""
        names = (field.alias or name for name, field in cls.model_fields.items())
        return cls.model_validate({name: kept.get(name) for name in names})


class Span(BaseModel):
    """A time at which it is open; `end` is `null` where only the preview ends."""

    start: str
    end: str | None
    seconds: int


class Preview(BaseModel):
    """When it is open, on the wall clock of the lock."""

    zone: str
    start: str = Field(alias="from")
    to: str
    spans: list[Span]
    more: bool = Field(description=f"Whether there are more than these {MOST_SPANS}.")


class Finding(BaseModel):
    """Something that is legal and probably not meant; docs/lockctl.md lists the codes."""

    code: str
    rule: int | None = Field(description="Which rule, counted from 1.")
    text: str
    advice: str


class Step(BaseModel):
    """One check of the lock; `reason` is `null` if it was not reached."""

    check: str
    reason: str | None
    seen: str


class Explanation(BaseModel):
    """What the lock would say, and when waiting alone would turn a no into a yes."""

    allowed: bool
    reason: str
    number: int
    text: str
    next: str | None
    checks: list[Step]


class When(Body):
    """From when on; now if it is left out."""

    start: Text | None = Field(default=None, alias="from")
    days: int = Field(default=7, ge=1, le=MOST_DAYS)


class Asked(Body):
    """What is asked of the lock, and when; now if that is left out."""

    at: Text | None = None
    action: Right = "unlock"
    channel: Channel = "local"
    uses: int = Field(default=0, ge=0, le=65_535, description="How often it has opened.")


Start = Annotated[str | None, Query(alias="from", max_length=100)]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]


def lease(text: str) -> int:
    """Seconds of a lease. Raises Invalid."""
    try:
        seconds = read_duration(text)
    except TermsError as error:
        raise Invalid(str(error), code="bad-lease") from None
    if not 60 <= seconds <= LONGEST_LEASE_S:
        raise Invalid("a lease lasts from 1 min to 3650 d", code="bad-lease")
    return seconds


def preview(grant: Grant, parent: Grant | None, device: Device, at: Instant, days: int) -> Preview:
    """When a grant is open."""
    zone = Zone(device.zone)
    _check(grant)
    seconds = days * DAY_S
    found = _spans(grant, parent, zone, at, seconds)
    spans = list(islice(found, MOST_SPANS))
    return Preview.model_validate(
        {
            "zone": device.zone,
            "from": _shown(at, zone),
            "to": _shown(previewing.after(at, seconds), zone),
            "spans": spans,
            "more": next(found, None) is not None,
        }
    )


def lint(grant: Grant, device: Device, at: Instant) -> list[Finding]:
    """What is odd about a grant."""
    return [
        Finding(code=each.code, rule=each.rule, text=each.text, advice=each.advice)
        for each in linting.lint(grant, Zone(device.zone), at)
    ]


def explain(
    grant: Grant, parent: Grant | None, device: Device, at: Instant, asked: Asked
) -> Explanation:
    """What the lock's checks say to a request, one by one."""
    _check(grant)
    state = State(grant.lock)
    state.uses = asked.uses
    if parent is not None:
        state.parent = parent
        state.parent_state = State(grant.lock)
    request = Request(grant.key, _ACTIONS[asked.action], _CHANNELS[asked.channel], True)
    zone = Zone(device.zone)
    question = (grant, request, Now(at), zone, state)
    decision = Decision()
    steps = explaining.explain(*question, decision)
    later = next_allowed(*question, Decision())
    return Explanation(
        allowed=decision.allowed,
        reason=words.name(decision.reason),
        number=decision.reason,
        text=words.text(decision.reason),
        next=None if later is None else _shown(later, zone),
        checks=[
            Step(
                check=step.name,
                reason=None if step.reason is None else words.name(step.reason),
                seen=step.seen,
            )
            for step in steps
        ],
    )


def moment(context: Context, device: Device, text: str | None) -> Instant:
    """An instant from text, now for none. Raises Invalid."""
    if text is None:
        return from_unix(context.now)
    try:
        at = read_instant(text, Zone(device.zone))
    except TermsError as error:
        raise Invalid(str(error), code="bad-time") from None
    if not FIRST_DAY <= at.day <= LAST_DAY - MOST_DAYS:
        raise Invalid(f"{text!r} is not in the years 2000 to 2198", code="bad-time")
    return at


def grants(share: Share) -> tuple[Grant, Grant | None]:
    """A share as a grant, and its parent's if it was passed on."""
    return terms.grant(share), terms.grant(share.parent) if share.parent else None


def _check(grant: Grant) -> None:
    reason = fault_of(grant)
    if reason:
        raise Invalid(words.text(reason), code=words.name(reason))


def _spans(
    grant: Grant, parent: Grant | None, zone: Zone, at: Instant, seconds: int
) -> Iterator[Span]:
    for offset_s, length_s in previewing.allowed(grant, zone, at, seconds, parent):
        end_s = offset_s + length_s
        end = None if end_s >= seconds else _shown(previewing.after(at, end_s), zone)
        start = _shown(previewing.after(at, offset_s), zone)
        yield Span(start=start, end=end, seconds=length_s)


def _shown(at: Instant, zone: Zone) -> str:
    return previewing.shown(at, zone).isoformat()
