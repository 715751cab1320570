"""The client that Home Assistant uses, PyPI `aiotedee`, as it was published, over a real socket.

It asks https://api.tedee.com; its session finds that name here, with a certificate for it.
"""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver
from aiotedee.client.cloud import TedeeCloudClient
from aiotedee.exceptions import TedeeAuthException, TedeeClientException, TedeeRateLimitException
from aiotedee.helpers import is_personal_key_valid
from aiotedee.models import TedeeLockState
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from firmware_tests.cloud.tedee import House
from host_sim.cloud.domain.model import Operation

NAME = "api.tedee.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Two PEM files: a key, and a certificate for NAME that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    pem = serialization.Encoding.PEM
    form = (pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    return folder


def served(world, certificate):
    """The address of a world's service, over TLS."""
    files = {"ssl_keyfile": "key.pem", "ssl_certfile": "certificate.pem"}
    return world.served(**{option: certificate / name for option, name in files.items()})


class Here(AbstractResolver):
    """Finds every name at an address of this machine."""

    def __init__(self, address):
        self.host, _, port = address.partition(":")
        self.port = int(port)

    async def resolve(self, host, port=0, family=socket.AF_INET):
        here = {"hostname": host, "host": self.host, "port": self.port}
        return [{**here, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self):
        """Nothing to close."""


@asynccontextmanager
async def session_to(address, certificate):
    trust = ssl.create_default_context(cafile=certificate / "certificate.pem")
    connector = TCPConnector(resolver=Here(address), ssl=trust)
    async with ClientSession(connector=connector) as session:
        yield session


def key_of(who, *scopes):
    wanted = {"name": "Home Assistant", "scopes": scopes}
    return who.post("/account/keys", json=wanted).json()["token"]


def test_home_assistants_client_sees_and_operates_a_lock(one_service, certificate):
    house = House(one_service)
    house.say(connected=True, lock=1, battery=54)
    key = key_of(house.john, "Device.Read", "Lock.Operate")

    async def use(address):
        async with session_to(address, certificate) as session:
            assert await is_personal_key_valid(key, session)
            assert not await is_personal_key_valid("wrong", session)
            client = TedeeCloudClient(personal_token=key, session=session)
            assert await client.get_bridges() == []
            await client.get_locks()
            (lock,) = client.locks
            assert (lock.id, lock.name, lock.type_name) == (house.door, "Door", "Tedee PRO")
            assert (lock.is_locked, lock.battery_level, lock.is_connected) == (True, 54, True)
            assert lock.is_enabled_pullspring and not lock.is_jammed
            # After each, it waits for the bolt.
            await asyncio.gather(
                client.lock(lock.id),
                client.unlock(lock.id),
                client.open(lock.id),
                client.pull(lock.id),
            )
            house.say(connected=True, lock=0, battery=53, jammed=True)
            await client.sync()
            assert (lock.state, lock.battery_level) == (TedeeLockState.UNLOCKED, 53)
            assert lock.is_jammed

    with served(house.world, certificate) as address:
        asyncio.run(use(address))
    with house.world.transaction() as context:
        asked = sorted(each.action for each in context.session.scalars(select(Operation)))
    assert asked == ["lock", "pull", "pull", "unlock"]


def test_it_tells_errors_apart(one_service, certificate):
    house = House(one_service)
    world = house.world
    john, anna = (key_of(who, "Device.Read", "Lock.Operate") for who in (house.john, house.anna))

    async def use(address):
        async with session_to(address, certificate) as session:
            with pytest.raises(TedeeAuthException):
                await TedeeCloudClient(personal_token="wrong", session=session).get_locks()
            client = TedeeCloudClient(personal_token=john, session=session)
            with pytest.raises(TedeeClientException, match="not found"):
                await client.lock(999)
            for _ in range(700):
                world.service.limits.person.take(house.john.uid, world.now)
            with pytest.raises(TedeeRateLimitException):
                await client.sync()
            await TedeeCloudClient(personal_token=anna, session=session).get_locks()

    with served(world, certificate) as address:
        asyncio.run(use(address))
