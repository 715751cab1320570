"""A lock's service over Bluetooth, through bleak: on any system, with any adapter that it knows.

Imports bleak, its siblings, and of the firmware what both sides share.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Self

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from firmware.link.beacon import is_of
from firmware.link.gatt import NOTIFY, SERVICE, WRITE

from .link import Gone, Link, NoBluetooth, NoLock

FIND_S = 10.0
_CONNECT_S = 15.0


@contextlib.contextmanager
def _told() -> Any:
    """Bleak's errors, and those of the bus below it, as ours."""
    try:
        yield
    except BleakError as error:
        raise Gone(f"Bluetooth: {error}") from None
    except TimeoutError:
        raise Gone("the lock does not answer") from None
    except (OSError, EOFError) as error:
        raise NoBluetooth(f"there is no Bluetooth here: {error}") from None


async def find(
    lock: bytes | None = None, seconds: float = FIND_S, adapter: str | None = None
) -> BLEDevice:
    """The first lock that is heard, or the one with this id. Raises NoBluetooth, NoLock.

    `adapter` is BlueZ's name for one, hci0 for example.
    """
    found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

    def heard(device: BLEDevice, said: AdvertisementData) -> None:
        beacon = said.service_data.get(SERVICE, b"")
        if (lock is None or is_of(lock, beacon)) and not found.done():
            found.set_result(device)

    with _told():
        try:
            async with BleakScanner(heard, [SERVICE], bluez=_bluez(adapter)):
                return await asyncio.wait_for(found, seconds)
        except BleakError as error:
            raise NoBluetooth(f"there is no Bluetooth here: {error}") from None
        except TimeoutError:
            which = "no lock" if lock is None else f"no lock {lock.decode(errors='replace')}"
            raise NoLock(f"{which} within reach") from None


class Door(Link):
    """A connection to a lock, as a context manager; everything raises RadioError."""

    def __init__(self, device: BLEDevice, adapter: str | None = None) -> None:
        self._client = BleakClient(
            device, self._disconnected, timeout=_CONNECT_S, bluez=_bluez(adapter)
        )

    async def __aenter__(self) -> Self:
        with _told():
            await self._connect()
            write = self._client.services.get_characteristic(WRITE)
            if write is None:
                raise NoLock("that device is no lock")
            self.most = write.max_write_without_response_size
            await self._client.start_notify(NOTIFY, self._came)
            await self.send_nothing()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(BleakError, OSError, EOFError, TimeoutError):
            await self._client.disconnect()

    async def _connect(self) -> None:
        """Radios fail to connect every now and then, when two want to at a time for example."""
        for is_last in (False, False, True):
            self.begin()
            try:
                await self._client.connect()
                return
            except (BleakError, TimeoutError):
                if is_last:
                    raise

    async def write(self, piece: bytes, waits: bool = False) -> None:
        """Write a piece, and wait until the lock has it, or not."""
        with _told():
            await self._client.write_gatt_char(WRITE, piece, response=waits)

    def _came(self, _characteristic: Any, piece: bytearray) -> None:
        self.came(bytes(piece))

    def _disconnected(self, _client: BleakClient) -> None:
        self.ended()


def _bluez(adapter: str | None) -> Any:
    return {} if adapter is None else {"adapter": adapter}
