"""A lock on a flash whose power can be cut, as a process: JSON requests in, JSON answers out.

Runs on MicroPython, for tests that make up what happens on CPython. A request is
`{"do": verb, "with": arguments, "cuts": [[operation, torn], ...]}`. The first of the cuts comes
while the verb is carried out, at that program or erase; the others come during the boots after it.
The answer has `cut`, whether there was one; otherwise `result`; and the `state` that follows.
"""

import gc
import json
import sys
from binascii import hexlify, unhexlify

from firmware.crypto.p256 import PublicKey
from firmware.policy import reasons
from firmware.policy.instant import Instant, to_unix
from firmware.store import entry
from firmware.store.settings import Settings
from firmware_tests.both.statement_case import name_of
from host_sim.world.flash import CI_BLOCKS, Flash
from firmware_tests.power.lock_case import Lock, provision
from firmware_tests.power.log_case import entries, event, faults
from host_sim import words


def text_of(data):
    return hexlify(data).decode()


class House:
    """One lock after the other, each on a new flash."""

    def __init__(self, issuer):
        self.issuer = PublicKey(issuer[:32], issuer[32:])
        self.issuer.precompute()
        self.flash = None

    def new(self, seed):
        """A new lock, just provisioned."""
        if self.flash is not None:
            self.flash.unmount()
        self.flash = Flash(CI_BLOCKS, seed)
        self.flash.format()
        self.flash.mount()
        provision(settled=False)
        self.boot()

    def boot(self):
        self.lock = Lock(self.issuer)
        if self.lock.finished != reasons.ALLOWED:
            raise AssertionError(words.name(self.lock.finished))

    # --- verbs -----------------------------------------------------------------------------------

    def accept(self, token):
        reason = self.lock.intake.accept(unhexlify(token))
        self.lock.log.flush()
        return reason

    def count_use(self, share):
        return self.lock.cache.count_use(share.encode(), True, None)

    def append(self, first, count):
        return [event(self.lock.log, number) for number in range(first, first + count)]

    def write(self, first, count):
        for number in range(first, first + count, 10):
            self.append(number, min(10, first + count - number))
            self.lock.log.flush()

    def flush(self):
        return self.lock.log.flush()

    def acknowledge(self, sequence, link):
        return self.lock.log.acknowledge(sequence, unhexlify(link))

    def close(self):
        self.lock.log.close()

    def put_settings(self, version, auto_lock_s):
        settings = Settings()
        settings.version, settings.auto_lock_s = version, auto_lock_s
        return name_of(self.lock.settings.put(settings))

    def raise_floor(self, second):
        self.lock.floor.raise_to(Instant(20_000, second))

    def lower_floor(self, second):
        self.lock.floor.lower_to(Instant(20_000, second))

    # --- power -----------------------------------------------------------------------------------

    def reboot(self, cuts):
        """Power comes back, and goes again so often."""
        while True:
            self.flash.unmount()
            self.flash.power_on()
            self.flash.mount()
            if cuts:
                self.flash.cut_at(*cuts.pop(0))
            try:
                self.boot()
                self.flash.power_on()
                return
            except OSError:
                if not self.flash.off:
                    raise

    def answer(self, request):
        cuts = request.get("cuts", [])
        answer = {"cut": False}
        if cuts:
            self.flash.cut_at(*cuts.pop(0))
        try:
            answer["result"] = getattr(self, request["do"])(*request["with"])
        except OSError:
            if not self.flash.off:
                raise
            answer["cut"] = True
            self.reboot(cuts)
        self.flash.cut_at(-1, False)
        gc.collect()
        answer["state"] = self.state()
        return answer

    def state(self):
        lock = self.lock
        floor = lock.floor.read()
        kept = lock.settings.current
        grants, shares, applied, remembered, _, acknowledged, _ = lock.keeps()
        return {
            "grants": {
                text_of(grant.key): [
                    grant.share.decode(),
                    grant.version,
                    grant.rights,
                    grant.uses,
                    to_unix(grant.issued),
                    grant.lease and to_unix(grant.lease),
                ]
                for grant in lock.cache.grants()
            },
            "shares": [[revoked, max(least, 1), uses] for revoked, least, uses, _ in shares],
            "applied": applied,
            "remembered": [
                [number, share.decode(), text_of(key or b"")] for number, share, key in remembered
            ],
            "settings": [kept.version, kept.auto_lock_s],
            "floor": floor and to_unix(floor),
            "acknowledged": acknowledged,
            "opened": lock.opened,
            "log": [
                [each.sequence, each.kind, each.reason, each.count, text_of(each.link)]
                for each in entries(lock.log)
            ],
            "events": [
                [each.sequence, int(each.share.rstrip(b"\x00")[6:])]
                for each in entries(lock.log)
                if each.kind == entry.DECISION
            ],
            "faults": faults(lock.log),
            "reports": lock.cache.take_reports(),
            "damaged": [lock.sync.damaged, lock.settings.damaged, lock.floor.damaged],
        }


def main():
    house = House(unhexlify(sys.stdin.readline().strip()))
    for line in sys.stdin:
        print(json.dumps(house.answer(json.loads(line))))


main()
