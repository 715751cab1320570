"""From bleak through the radio to a lock that says what it hears, and back."""

import asyncio
import os

import pytest
from bleak import BleakScanner
from bumble.core import UUID
from bumble.device import Device, Peer
from bumble.hci import Address
from bumble.transport import open_transport

from firmware.link.gatt import SERVICE, WRITE
from firmware_tests.radio.conftest import ADAPTERS, SMALL
from host_sim import runtimes
from host_sim.phone.ble import Door, find
from host_sim.phone.link import Gone, NoLock

LENGTHS = (1, 16, 17, 240, 241, 6400)


class Lock:
    """The program in echo.py, as a context manager."""

    def __init__(self, runtime="micropython", name="front-door"):
        self._process = runtimes.start(
            runtime, "firmware_tests/radio/echo.py", name, path=[runtimes.BOARD]
        )
        self.hear("ready")

    def hear(self, line):
        assert self._process.stdout
        assert self._process.stdout.readline() == line + "\n"

    def kill(self):
        self._process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def lock(radio):
    with Lock() as started:
        yield started


async def echo(door, length):
    message = os.urandom(length)
    await door.send(message)
    assert await door.receive(10) == message


async def visit(adapter, lengths=LENGTHS):
    async with Door(await find(b"front-door", adapter=adapter), adapter) as door:
        for length in lengths:
            await echo(door, length)
        return door.most


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_messages_of_any_length_come_back(run, radio, runtime):
    with Lock(runtime):
        assert run(visit(ADAPTERS[0])) == 244


def test_messages_pass_through_the_smallest_mtu(run, lock):
    assert run(visit(SMALL)) == 20


def test_three_phones_talk_at_once(run, lock):
    async def all_of_them():
        doors = [await stand(adapter) for adapter in ADAPTERS]
        await asyncio.gather(*(echo(door, 4000) for door in doors))
        for door in doors:
            await echo(door, 20)
            await door.__aexit__(None, None, None)

    async def stand(adapter):
        return await Door(await find(adapter=adapter), adapter).__aenter__()

    run(all_of_them())


def test_phones_that_connect_at_the_same_moment_all_get_in(run, lock):
    async def all_of_them():
        await asyncio.gather(*(visit(adapter, (100,)) for adapter in ADAPTERS))

    run(all_of_them())


def test_strangers_see_a_lock_and_its_own_people_see_which(run, lock):
    async def look():
        with Lock(name="back-door"):
            front = await find(b"front-door")
            back = await find(b"back-door")
            with pytest.raises(NoLock):
                await find(b"side-door", 2)
            seen = await BleakScanner.discover(2, return_adv=True, service_uuids=[SERVICE])
            return front.address, back.address, seen

    front, back, seen = run(look())
    assert front != back
    for address in (front, back):
        assert int(address[:2], 16) >= 0xC0  # static random, not the chip's
        said = seen[address][1]
        assert (said.local_name, said.manufacturer_data) == (None, {})
        assert said.service_uuids == [SERVICE]
        assert list(said.service_data) == [SERVICE]
        assert len(said.service_data[SERVICE]) == 7


def test_what_is_written_while_the_lock_is_busy_waits_for_it(run, lock):
    async def write():
        async with Door(await find()) as door:
            for message in (b"wait 300", b"one", bytes(6000), b"two"):
                await door.send(message)
            for message in (b"wait 300", b"one", bytes(6000), b"two"):
                assert await door.receive(10) == message

    run(write())


def test_who_writes_more_than_a_busy_lock_has_room_for_is_cut_off(run, lock):
    async def flood():
        async with Door(await find(adapter="hci0"), "hci0") as door:
            await door.send(b"wait 1500")
            with pytest.raises(Gone):
                for _ in range(8):
                    await door.send(bytes(6000))
                for _ in range(9):
                    await door.receive(10)
        await visit("hci1")

    run(flood())


def test_a_wrong_piece_ends_the_connection_and_nothing_else(run, lock):
    async def disturb():
        # Without a name bleak takes any adapter, this one too.
        async with (
            Door(await find(adapter="hci0"), "hci0") as other,
            Door(await find(adapter="hci1"), "hci1") as door,
        ):
            await echo(other, 10)
            with pytest.raises(Gone):  # in the answer to the write, or after it
                await other.write(b"\x55\x01x")
                await other.receive(10)
            await echo(door, 10)

    run(disturb())


def test_a_phone_notices_that_the_lock_lost_its_power(run, lock):
    async def notice():
        async with Door(await find()) as door:
            await echo(door, 10)
            lock.kill()
            with pytest.raises(Gone):
                await door.receive(10)
            assert door.gone

    run(notice())


def test_a_lock_notices_that_a_phone_died(run, lock):
    """A host that ends without a word, in the middle of a message."""

    async def die():
        device = await find()
        transport = await open_transport(f"tcp-client:{os.environ['SHARELOCK_HCI']}")
        host = Device.with_hci(
            "a phone", Address.generate_static_address(), transport.source, transport.sink
        )
        await host.power_on()
        connection = await host.connect_le(Address(device.address))
        peer = Peer(connection)
        await peer.discover_services()
        await peer.discover_characteristics()
        (write,) = peer.get_characteristics_by_uuid(UUID(WRITE))
        for piece in (b"\x00\x00", b"\x81\x05\x00\x09abc"):
            await write.write_value(piece, with_response=True)
        await transport.close()

    run(die())
    lock.hear("opened 1")
    lock.hear("closed 1")
    run(visit("hci0"))
