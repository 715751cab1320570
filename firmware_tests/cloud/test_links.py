"""Mailed links of every kind: good once, for one purpose and address, and not for ever."""

import pytest

from firmware_tests.cloud.realm import write
from firmware_tests.cloud.world import NOW, PASSWORD
from host_sim.cloud.domain import devices, links, sharing
from host_sim.cloud.domain.model import Link, Share

ANNA, BOB = "anna@example.org", "bob@example.org"


class Mailed:
    """A link of one kind in the mail of somebody: how to get another, and how to follow it."""

    def __init__(self, service, purpose):
        self.service = service
        self.purpose = purpose
        if purpose == links.CONFIRM:
            self.to = "new@example.org"
        elif purpose == links.PASSWORD:
            self.to = service.person(BOB).email
        else:
            self.anna, self.bob = service.person(ANNA), service.person(BOB)
            self.to = BOB
            with service.transaction() as context:
                anna = service.who(context, self.anna)
                device = devices.create(context, anna, "Door", "UTC0")
                sharing.create(context, anna, device, BOB, write(), by_link=True)
                self.door = device.id
        self.secret = self.again() if purpose != links.SHARE else service.secret(BOB)

    def again(self):
        """Ask for another; its secret."""
        if self.purpose == links.CONFIRM:
            self.service.http.post("/account", json={"email": self.to, "name": "New"})
        elif self.purpose == links.PASSWORD:
            self.service.http.post("/account/forgotten-password", json={"email": self.to})
        else:
            with self.service.transaction() as context:
                share = context.session.query(Share).filter_by(by_link=True).one()
                sharing.resend(context, self.service.who(context, self.anna), share)
        return self.service.secret(self.to)

    def follow(self, secret, purpose=None):
        """The status of the answer to following a link, as one of a purpose."""
        purpose = purpose or self.purpose
        if purpose == links.SHARE:
            who = getattr(self, "bob", None) or self.service.person("cy@example.org")
            return who.post("/account/invitations", json={"token": secret}).status_code
        path = "confirm" if purpose == links.CONFIRM else "password"
        body = {"token": secret, "password": PASSWORD}
        return self.service.http.post(f"/account/{path}", json=body).status_code


@pytest.fixture(params=sorted(links.LIFE_S))
def mailed(one_service, request):
    return Mailed(one_service, request.param)


def lives_until(mailed, at):
    with mailed.service.transaction() as context:
        link = context.session.query(Link).filter_by(digest=links.digest(mailed.secret)).one()
        assert link.expires_at == NOW + links.LIFE_S[mailed.purpose]
        link.expires_at = at


def test_a_link_is_good_until_its_last_second_and_once(mailed):
    lives_until(mailed, NOW + 1)
    assert mailed.follow(mailed.secret) < 300
    assert mailed.follow(mailed.secret) == 410


def test_a_link_that_has_run_out_is_void(mailed):
    lives_until(mailed, NOW)
    assert mailed.follow(mailed.secret) == 410


def test_a_newer_link_makes_the_older_one_void(mailed):
    newer = mailed.again()
    assert newer != mailed.secret
    assert mailed.follow(mailed.secret) == 410
    assert mailed.follow(newer) < 300


def test_a_link_is_good_for_nothing_else(mailed):
    for other in sorted(links.LIFE_S.keys() - {mailed.purpose}):
        assert mailed.follow(mailed.secret, other) == 410
    assert mailed.follow(mailed.secret) < 300


@pytest.mark.parametrize("change", [str.upper, lambda secret: secret[:-1], lambda _: "0" * 64])
def test_a_link_that_is_nearly_right_is_wrong(mailed, change):
    assert mailed.follow(change(mailed.secret)) == 410


def test_an_offer_that_was_taken_back_is_void_and_one_for_another_is_unknown(one_service):
    mailed = Mailed(one_service, links.SHARE)
    cy = one_service.person("cy@example.org")
    assert cy.post("/account/invitations", json={"token": mailed.secret}).status_code == 404
    with one_service.transaction() as context:
        share = context.session.query(Share).filter_by(by_link=True).one()
        sharing.end(context, one_service.who(context, mailed.anna), share)
    assert mailed.follow(mailed.secret) == 404
