"""The Bluetooth of a lock: what an ESP32 has below MicroPython's `bluetooth`, here below its shim.

A lock connects over TCP and has a Bumble host and a station for as long as it does. Both sides
send lines of JSON, arrays with a word first; bytes are hexadecimal.

    start, name, mtu, service, [[characteristic, flags], ...]    from the lock, once, first
    advertise, interval in us, data, scan response               no interval: stop
    notify, link, characteristic's index, value
    drop, link

    connected, link, type of address, address                    to the lock
    disconnected, link, type of address, address
    written, link, characteristic's index, value
    mtu, link, bytes
    sent                                                         a notification is on its way
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from bumble.core import UUID, BaseBumbleError
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from .air import Station

_US_PER_UNIT = 625
_PERMISSIONS = Characteristic.READABLE | Characteristic.WRITEABLE


Hear = Callable[..., None]


def _nobody(*_words: Any) -> None:
    pass


class Chip:
    """One lock's; `run` it until the lock is gone. `hear` gets what both sides say."""

    def __init__(
        self,
        air: LocalLink,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hear: Hear,
    ) -> None:
        self._hear = hear
        self._reader = reader
        self._writer = writer
        self._station = Station("lock", link=air)
        self._links: dict[int, Connection] = {}
        self._characteristics: list[Characteristic[bytes]] = []
        self._device: Device

    async def run(self) -> None:
        """Do what the lock says until it says no more."""
        try:
            async for line in self._reader:
                what, *members = json.loads(line)
                self._hear(what, *members)
                # A connection may be over before the lock knows.
                with contextlib.suppress(BaseBumbleError):
                    await getattr(self, f"_do_{what}")(*members)
        except ConnectionError:
            return
        finally:
            self._station.leave()
            self._writer.close()

    def _say(self, what: str, *members: Any) -> None:
        self._hear(what, *members)
        self._writer.write(json.dumps([what, *members]).encode() + b"\n")

    # --- what the lock wants --------------------------------------------------------------------

    async def _do_start(
        self, name: str, mtu: int, service: str, characteristics: list[tuple[str, int]]
    ) -> None:
        host = Host()
        host.set_packet_sink(AsyncPipeSink(self._station))
        self._station.host = host
        config = DeviceConfiguration(name=name, address=Address.generate_static_address())
        self._device = Device(config=config, host=host)
        self._device.gatt_server.max_mtu = mtu
        self._characteristics = [
            Characteristic(
                UUID(uuid),
                Characteristic.Properties(flags),
                _PERMISSIONS,
                CharacteristicValue(write=self._writes_to(index)),
            )
            for index, (uuid, flags) in enumerate(characteristics)
        ]
        self._device.add_service(Service(UUID(service), self._characteristics))
        self._device.on(Device.EVENT_CONNECTION, self._connected)
        await self._device.power_on()

    async def _do_advertise(self, interval_us: int | None, data: str, answer: str) -> None:
        if interval_us is None:
            await self._device.stop_advertising()
            return
        interval = interval_us / 1000
        await self._device.start_advertising(
            advertising_data=bytes.fromhex(data),
            scan_response_data=bytes.fromhex(answer),
            advertising_interval_min=interval,
            advertising_interval_max=interval,
        )

    async def _do_notify(self, link: int, index: int, value: str) -> None:
        if link in self._links:
            await self._device.notify_subscriber(
                self._links[link], self._characteristics[index], bytes.fromhex(value), force=True
            )
        self._say("sent")

    async def _do_drop(self, link: int) -> None:
        if link in self._links:
            await self._links[link].disconnect()

    # --- what happens ---------------------------------------------------------------------------

    def _connected(self, connection: Connection) -> None:
        link = connection.handle
        peer = connection.peer_address
        who = (int(peer.address_type), bytes(reversed(bytes(peer))).hex())
        self._links[link] = connection
        self._say("connected", link, *who)

        def gone(_reason: int) -> None:
            del self._links[link]
            self._say("disconnected", link, *who)

        connection.on(Connection.EVENT_DISCONNECTION, gone)
        connection.on(
            Connection.EVENT_CONNECTION_ATT_MTU_UPDATE,
            lambda: self._say("mtu", link, connection.att_mtu),
        )

    def _writes_to(self, index: int) -> Any:
        def write(connection: Connection, value: bytes) -> None:
            self._say("written", connection.handle, index, value.hex())

        return write


async def listen_for_locks(air: LocalLink, port: int, hear: Hear = _nobody) -> asyncio.Server:
    """Take locks on a port of this machine; 0 is a free one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Chip(air, reader, writer, hear).run()

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20)
