"""A phone's Bluetooth in this process: a connection to a lock through a controller on the air.

Imports Bumble, the radio, and the phone's side of a connection.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration, Peer
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from firmware.link.beacon import is_of
from firmware.link.gatt import NOTIFY, SERVICE, WRITE
from host_sim.phone.link import Gone, Link, NoLock
from host_sim.radio.air import Station

_FIND_S = 3.0
_CONNECT_S = 10.0
_MTU = 517
_NOT_THE_DATA = 3  # bytes of ATT in a write


class Near(Link):
    """A connection to the lock with an id, as a context manager; everything raises RadioError."""

    def __init__(self, air: LocalLink, lock: bytes):
        self._lock = lock
        self._station = Station("phone", link=air)

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._connect()
        except (BaseBumbleError, TimeoutError) as error:
            self._station.leave()
            raise Gone(f"the connection failed: {error or 'it took too long'}") from None
        except BaseException:
            self._station.leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(BaseBumbleError, TimeoutError):
            async with asyncio.timeout(_CONNECT_S):
                await self._connection.disconnect()
        self._station.leave()

    async def _connect(self) -> None:
        host = Host()
        host.set_packet_sink(AsyncPipeSink(self._station))
        self._station.host = host
        config = DeviceConfiguration(name="phone", address=Address.generate_static_address())
        device = Device(config=config, host=host)
        await device.power_on()
        self.begin()
        self._connection = await device.connect_le(await self._find(device), timeout=_CONNECT_S)
        self._connection.on(Connection.EVENT_DISCONNECTION, lambda _reason: self.ended())
        peer = Peer(self._connection)
        await peer.request_mtu(_MTU)
        self.most = self._connection.att_mtu - _NOT_THE_DATA
        await peer.discover_service(UUID(SERVICE))
        for service in peer.services:
            await service.discover_characteristics()
            for characteristic in service.characteristics:
                await characteristic.discover_descriptors()
        (self._write,) = peer.get_characteristics_by_uuid(UUID(WRITE))
        (notify,) = peer.get_characteristics_by_uuid(UUID(NOTIFY))
        await notify.subscribe(self.came)
        await self.send_nothing()

    async def _find(self, device: Device) -> Address:
        found: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

        def heard(said: Advertisement) -> None:
            beacons = said.data.get_all(AdvertisingData.Type.SERVICE_DATA_128_BIT_UUID)
            for uuid, data in beacons:
                if uuid == UUID(SERVICE) and is_of(self._lock, data) and not found.done():
                    found.set_result(said.address)

        device.on(Device.EVENT_ADVERTISEMENT, heard)
        await device.start_scanning(active=True)
        try:
            return await asyncio.wait_for(found, _FIND_S)
        except TimeoutError:
            raise NoLock("no lock within reach") from None
        finally:
            await device.stop_scanning()

    async def write(self, piece: bytes, waits: bool = False) -> None:
        """Write a piece, and wait until the lock has it, or not."""
        try:
            await self._write.write_value(piece, with_response=waits)
        except (BaseBumbleError, TimeoutError) as error:
            raise Gone(f"the connection is over: {error}") from None
