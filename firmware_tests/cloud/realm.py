"""The domain by itself: one open transaction over a database in memory, without HTTP."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from firmware.access.intake import Intake
from firmware.access.root import Root
from firmware.access.sync import Sync
from firmware.crypto.p256 import PublicKey
from firmware.policy.instant import from_unix
from firmware.policy.zone import Zone
from firmware.store.files import Files
from firmware.store.grants import Grants
from firmware.store.seal import Seal
from firmware_tests.cloud.world import SETUP
from host_sim.cloud import issuer, issuers
from host_sim.cloud.database import connect
from host_sim.cloud.domain import devices, issuing, organisations, phones
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Base, Device, Key, Person
from host_sim.cloud.domain.terms import Write
from host_sim.cloud.issuers import Issuers
from host_sim.cloud.keys import PrivateKey, load_public
from host_sim.cloud.terms import Terms

NOW = 1_783_000_000  # a Thursday in July 2026, 13:46:40 UTC
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
DEVICE_KEY = bytes(range(32))
ROOT = PrivateKey.from_scalar(999)


class Realm:
    """A database, the issuer's keys, and a `context` that tests may set the time of."""

    def __init__(self, folder: Path):
        self._engine = connect("sqlite://")
        Base.metadata.create_all(self._engine)
        self.folder = folder
        self.session = Session(self._engine, info={SETUP: True})
        keys = Issuers.prepare(folder / "keys", NOW)
        self.context = Context(self.session, NOW, keys, "https://cloud.example")
        self._scalar = 1000

    def rotate(self) -> bytes:
        """The issuer's key is another one from now on; the root's statement for it."""
        statement = rotate(self.folder / "keys", self.context.now)
        self.context.issuers = self.context.issuers.again(self.context.now)
        return statement

    def close(self) -> None:
        self.session.close()
        self._engine.dispose()

    def person(self, name: str, *, confirmed: bool = True, phones_: int = 0) -> Person:
        """Somebody with an organisation of their own, and some phones."""
        email = f"{name.lower()}@example.org"
        person = Person(
            email=email,
            email_key=email,
            name=name,
            password="",
            created_at=NOW,
            confirmed_at=NOW if confirmed else None,
        )
        self.session.add(person)
        self.session.flush()
        organisations.found_for(self.context, person)
        for _ in range(phones_):
            self.phone(person)
        return person

    def phone(self, person: Person) -> Key:
        """One more phone of somebody."""
        self._scalar += 1
        public = PrivateKey.from_scalar(self._scalar).public
        return phones.add(self.context, person, "phone", public.x + public.y)

    def device(self, owner: Person, zone: str = BERLIN, **more: Any) -> Device:
        return devices.create(self.context, owner, "Front door", zone, **more)


def vouch(epoch: int, key: PublicKey, at: int = NOW, root: PrivateKey = ROOT) -> bytes:
    """The root's statement."""
    return issuer.sign(issuer.next_issuer(from_unix(at), epoch, key), root)


def rotate(folder: Path, now: int) -> bytes:
    """Make another key of the issuer that signs from now on; the root's statement for it."""
    (folder / issuers.ROOT).write_bytes(ROOT.public_pem())
    number, public = issuers.new(folder)
    statement = vouch(number, load_public(public), now)
    Issuers(folder, now).accept(statement, now)
    return statement


def write(zone: str = BERLIN, **terms: Any) -> Write:
    """Terms in the words of `cloud.terms`."""
    return lambda grant: Terms(**terms).write(grant, Zone(zone))


class Lock:
    """The firmware's intake for a device, over its real store in a folder."""

    def __init__(self, realm: Realm, device: Device):
        self._realm = realm
        self._device = device
        folder = realm.folder / device.uid
        files = []
        for name in ("grants", "ledger", "sync-1", "sync-2"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            files.append(Files(str(folder / name)))
        lock = device.lock_id.encode()
        self.grants = Grants([files[0]], files[1], DEVICE_KEY, lock, 4, 1, 100)
        self.sync = Sync((files[2], files[3]), Seal(DEVICE_KEY))
        first = realm.context.issuers.signer.key.public
        first.precompute()
        root = Root(ROOT.public, first, (files[2], files[3]), Seal(DEVICE_KEY))
        self.intake = Intake(lock, first, self.grants, self.sync, root=root)

    def catch_up(self) -> list[int]:
        """Take in the batches that are missing; the reasons."""
        found = []
        while batches := issuing.changes_after(
            self._realm.context, self._device, self.sync.applied
        ):
            reasons = [self.intake.accept(batch) for batch in batches]
            found += reasons
            if any(reasons):
                break
        return found
