"""Who may do what: the whole product of who, what and in which state, against a table by hand.

The table is written here once more on purpose: nothing is allowed that is not in it.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from firmware_tests.cloud.realm import NOW, Realm, write
from host_sim.cloud.domain import (
    devices,
    membership,
    messages,
    operations,
    organisations,
    permissions,
    sharing,
)
from host_sim.cloud.domain.errors import Conflict, Forbidden, NotFound
from host_sim.cloud.domain.permissions import Act, Standing

# y: may; -: knows of the device and may not; a blank line of dots: does not even know of it.
TABLE = """
            SEE  SEE_SHARES  SHARE  OPERATE  READ  READ_LOG  SET  GIVE_AWAY
STRANGER     .       .         .       .       .       .      .       .
INVITED      .       .         .       .       .       .      .       .
VIEWER       y       -         -       -       y       -      -       -
INACTIVE     y       -         -       -       -       -      -       -
GUEST        y       -         -       y       y       -      -       -
ADMIN        y       y         y       y       y       y      y       -
OWNER        y       y         y       y       y       y      y       y
"""
ACTS, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
MAY = {(row[0], act): cell for row in ROWS for act, cell in zip(ACTS, row[1:], strict=True)}

# What somebody's share is, and what they are by it alone.
SHARES = {
    "none": "STRANGER",
    "pending": "INVITED",
    "guest": "GUEST",
    "guest, not yet": "INACTIVE",
    "guest, no more": "INACTIVE",
    "guest, other hours": "INACTIVE",
    "admin": "ADMIN",
    "admin, other hours": "INACTIVE",
    "ended": "STRANGER",
    "passed on": "GUEST",
    "passed on, other hours of the parent": "INACTIVE",
    "role of staff": "GUEST",
    "role of an admin": "ADMIN",
    "owner": "OWNER",
    "owner before": "STRANGER",
}
# What an organisation shows somebody beside it.
VIEWS = ("none", "member without permissions", "member who views", "viewer from above", "below")
OTHER_HOURS: dict[str, Any] = {"rules": ["daily 01:00-02:00"]}


class Case:
    """One device, and somebody who is this or that to it."""

    def __init__(self, realm: Realm, share: str, view: str):
        ctx = self.ctx = realm.context
        ctx.now = NOW
        self.realm = realm
        self.anna = realm.person("Anna")
        self.somebody = realm.person("Somebody")
        top = organisations.home(ctx, self.anna)
        self.place = organisations.create_below(ctx, self.anna, top, "House")
        self.device = realm.device(self.anna, organisation=self.place)
        self._share(share)
        views = [organisations.VIEW_ORGANISATION]
        below = organisations.create_below(ctx, self.anna, self.place, "Cellar")
        places = {"viewer from above": top, "below": below}
        if view != "none" and not share.startswith("role"):
            where = places.get(view, self.place)
            may = [] if view == "member without permissions" else views
            role = membership.add_role(ctx, self.anna, where, "Looks", may)
            email = self.somebody.email
            membership.invite(ctx, self.anna, where, email, "Somebody", role)
        self.share = permissions.share_of(ctx, self.somebody, self.device)

    def _share(self, kind: str) -> None:
        ctx, anna, email = self.ctx, self.anna, self.somebody.email
        first, _, when = kind.partition(", ")
        limits: dict[str, Any] = {
            "not yet": {"from": "2030-01-01T00:00Z"},
            "no more": {"until": "2020-01-01T00:00Z"},
            "other hours": OTHER_HOURS,
        }.get(when, {})
        if first in ("guest", "admin"):
            terms = write(level=first, **limits)
            sharing.create(ctx, anna, self.device, email, terms)
        elif first == "pending":
            sharing.create(ctx, anna, self.device, email, write(), by_link=True)
        elif first == "ended":
            sharing.end(ctx, anna, sharing.create(ctx, anna, self.device, email, write()))
        elif first == "passed on":
            self._pass_on(when)
        elif first.startswith("role"):
            name = organisations.ADMIN if "admin" in first else organisations.STAFF
            role = organisations.role_named(self.place, name)
            membership.invite(ctx, anna, self.place, email, "Somebody", role)
        elif first.startswith("owner"):
            devices.transfer(ctx, anna, self.device, email, keep_shares=False)
            if first == "owner before":
                devices.transfer(ctx, self.somebody, self.device, anna.email, keep_shares=False)
                devices.move(ctx, anna, self.device, self.place)

    def _pass_on(self, when: str) -> None:
        ctx, between = self.ctx, self.realm.person("Between")
        parent = sharing.create(
            ctx, self.anna, self.device, between.email, write(), may_pass_on=True
        )
        sharing.pass_on(ctx, between, parent, self.somebody.email, write())
        if when:
            sharing.change(ctx, self.anna, parent, write(**OTHER_HOURS))

    def expected(self, share: str, view: str) -> str:
        found = SHARES[share]
        sees = view in ("member who views", "viewer from above")
        if found in ("STRANGER", "INVITED", "INACTIVE") and sees:
            return "VIEWER"
        return found


@pytest.fixture
def realm(tmp_path):
    made = Realm(tmp_path)
    yield made
    made.close()


def functions(case: Case) -> Iterator[tuple[str, Callable[[], Any]]]:
    """For each act a function of the domain that does it; what they change is taken back."""
    ctx, who, device = case.ctx, case.somebody, case.device
    owners = next(s for s in sharing.visible(ctx, device.owner, device) if s.origin == "ownership")
    yield "SEE", lambda: devices.find(ctx, who, device.id)
    yield "SEE", lambda: sharing.visible(ctx, who, device)
    yield "SHARE", lambda: sharing.create(ctx, who, device, "x@example.org", write())
    yield "OPERATE", lambda: operations.ask(ctx, who, device, "unlock")
    yield "OPERATE", lambda: messages.act(ctx, who, device, {"actions": [{"name": "lock"}]})
    yield "READ", lambda: messages.read(ctx, who, device)
    yield "SET", lambda: devices.configure(ctx, who, device, name="Back door")
    yield "GIVE_AWAY", lambda: devices.delete(ctx, who, device)
    yield (
        "GIVE_AWAY",
        lambda: devices.transfer(
            ctx, who, device, case.realm.person("Heir").email, keep_shares=True
        ),
    )
    yield "never", lambda: sharing.end(ctx, who, owners)
    yield "never", lambda: sharing.change(ctx, who, owners, write(level="guest"))


def outcome(realm: Realm, do: Callable[[], Any]) -> str:
    """What the table calls it: y, - or a dot."""
    point = realm.session.begin_nested()
    try:
        do()
    except (Forbidden, Conflict):
        return "-"
    except NotFound:
        return "."
    finally:
        point.rollback()
    return "y"


@pytest.mark.parametrize(("share", "view"), list(product(SHARES, VIEWS)))
def test_who_may_do_what(realm, share, view):
    case = Case(realm, share, view)
    ctx, who, device = case.ctx, case.somebody, case.device
    found = permissions.standing(ctx, who, device)
    assert found.name == case.expected(share, view)
    for act in Act:
        assert permissions.may(ctx, who, device, act) == (MAY[found.name, act.name] == "y"), act
        require = lambda act=act: permissions.require(ctx, who, device, act)  # noqa: E731
        assert outcome(realm, require) == MAY[found.name, act.name]
    for deed, do in functions(case):
        expected = MAY[found.name, "GIVE_AWAY" if deed == "never" else deed]
        if deed == "never" and expected == "y":
            expected = "-"
        assert outcome(realm, do) == expected, deed
    everybody = found in (Standing.ADMIN, Standing.OWNER)
    if Act.SEE in permissions.MAY[found]:
        seen = {each.email for each in sharing.visible(ctx, who, device)}
        least = {device.owner.email} | ({who.email} if case.share else set())
        assert seen >= least if everybody else seen == least
    # The same account before its address was confirmed, and the same device once it is deleted.
    who.confirmed_at = None
    realm.session.flush()
    assert permissions.standing(ctx, who, device) is Standing.STRANGER
    who.confirmed_at = NOW
    device.deleted_at = NOW
    realm.session.flush()
    assert permissions.standing(ctx, who, device) is Standing.STRANGER
    assert not any(permissions.may(ctx, who, device, act) for act in Act)


def test_the_table_is_whole():
    assert {name for name, _ in MAY} == {each.name for each in Standing}
    assert {name for _, name in MAY} == {each.name for each in Act}
    assert set(SHARES.values()) | {"VIEWER"} == {each.name for each in Standing}


@pytest.mark.parametrize("gave", ["guest", "admin", "owner"])
@pytest.mark.parametrize("by", ["admin", "owner"])
def test_nobody_gives_more_than_they_have(realm, gave, by):
    """Somebody becomes the owner only by a transfer; an administrator makes administrators."""
    case = Case(realm, by, "none")
    give = lambda: sharing.create(  # noqa: E731
        case.ctx, case.somebody, case.device, "x@example.org", write(level=gave)
    )
    assert outcome(realm, give) == ("-" if gave == "owner" else "y")
