"""What the service does beside its requests."""

import threading

from sqlalchemy import func, select

from firmware_tests.cloud.realm import write
from firmware_tests.cloud.world import World
from host_sim.cloud.domain import devices, phones, sharing
from host_sim.cloud.domain.model import Statement
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.worker import Worker


def test_a_worker_goes_on_after_a_failure_and_by_itself():
    rounds, third = [], threading.Event()

    def run():
        rounds.append(threading.current_thread().name)
        if len(rounds) == 1:
            raise OSError
        if len(rounds) == 3:
            third.set()
        return 0

    with Worker("tester", run, 0.001):
        assert third.wait(10)
    assert set(rounds) == {"tester"}
    assert "tester" not in {thread.name for thread in threading.enumerate()}


def test_leases_are_renewed_by_the_service(service):
    anna, bob = service.person("anna@example.org"), service.person("bob@example.org")
    with service.transaction() as context:
        owner, guest = service.who(context, anna), service.who(context, bob)
        public = PrivateKey.from_scalar(7).public
        phones.add(context, guest, "phone", public.x + public.y)
        device = devices.create(context, owner, "Front door", "UTC0")
        sharing.create(context, owner, device, bob.email, write(), lease_s=3_600)
    with Worker("leases", service.service.renew_leases, 60) as leases:
        service.now += 1_801
        leases.wake()
        assert _renewals(service, 1)
    service.now += 1_800
    assert service.service.renew_leases() == 0
    service.now += 1
    assert service.service.renew_leases() == 1
    assert _renewals(service, 2)


def _renewals(service: World, wanted: int) -> bool:
    """Whether there come to be so many grants with a lease and no number, within 10 s."""
    for _ in range(500):
        with service.transaction() as context:
            unnumbered = select(func.count(Statement.id)).where(
                Statement.lease.is_not(None), Statement.sequence.is_(None)
            )
            if context.session.scalar(unnumbered) == wanted:
                return True
        threading.Event().wait(0.02)
    return False
