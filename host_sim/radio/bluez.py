"""An `org.bluez` on D-Bus, as much of it as bleak and Chromium ask for, over Bumble's host.

`python -m host_sim.radio.bluez PORT MTU...` connects one host for each MTU to the HCI at PORT of
this machine; they are hci0, hci1 and so on, and ask for that MTU when they connect. The bus is
that of DBUS_SYSTEM_BUS_ADDRESS. Like BlueZ it hides the services of GAP and GATT, and leaves a
connection standing when the program is gone that wanted it.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from bumble.core import UUID, AdvertisingData, BaseBumbleError, UnreachableError
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt import GATT_GENERIC_ACCESS_SERVICE, GATT_GENERIC_ATTRIBUTE_SERVICE
from bumble.gatt_client import CharacteristicProxy
from bumble.hci import Address
from bumble.transport import open_transport
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

_OBJECTS = "org.freedesktop.DBus.ObjectManager"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_ADAPTER = "org.bluez.Adapter1"
_DEVICE = "org.bluez.Device1"
_SERVICE = "org.bluez.GattService1"
_CHARACTERISTIC = "org.bluez.GattCharacteristic1"
_DESCRIPTOR = "org.bluez.GattDescriptor1"
_FAILED = "org.bluez.Error.Failed"

_CONNECT_S = 20
_HIDDEN = (GATT_GENERIC_ACCESS_SERVICE, GATT_GENERIC_ATTRIBUTE_SERVICE)
_FLAGS = (
    (0x02, "read"),
    (0x04, "write-without-response"),
    (0x08, "write"),
    (0x10, "notify"),
    (0x20, "indicate"),
)

Method = Callable[..., Awaitable[tuple[str, list[Any]] | None]]


class Tree:
    """The objects on the bus: their properties, and the methods that are called on them."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._objects: dict[str, dict[str, dict[str, Variant]]] = {}
        self._methods: dict[tuple[str | None, str | None, str | None], Method] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        bus.add_message_handler(self._handle)

    def add(
        self, path: str, interface: str, properties: dict[str, Variant], **methods: Method
    ) -> None:
        """Let an object appear."""
        self._objects[path] = {interface: properties}
        for name, method in methods.items():
            self._methods[path, interface, name] = method
        body = [path, self._objects[path]]
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", body)

    def remove(self, path: str) -> None:
        """Let an object, and all below it, go."""
        for each in [each for each in self._objects if f"{each}/".startswith(f"{path}/")]:
            interfaces = list(self._objects.pop(each))
            self._signal("/", _OBJECTS, "InterfacesRemoved", "oas", [each, interfaces])

    def has(self, path: str) -> bool:
        """Whether there is such an object."""
        return path in self._objects

    def change(self, path: str, properties: dict[str, Variant]) -> None:
        """Give an object other properties."""
        ((interface, known),) = self._objects[path].items()
        known.update(properties)
        body = [interface, properties, []]
        self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", body)

    def _signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _handle(self, message: Message) -> Message | bool | None:
        if message.message_type != MessageType.METHOD_CALL:
            return None
        if message.interface == _OBJECTS:
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects])
        interfaces = self._objects.get(message.path or "")
        if interfaces is None:
            return None  # the library says that there is no such object
        if message.interface == _PROPERTIES:
            return self._answer_for(interfaces, message)
        method = self._methods.get((message.path, message.interface, message.member))
        if method is None:
            return None
        task = asyncio.create_task(self._call(method, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def _answer_for(
        self, interfaces: dict[str, dict[str, Variant]], message: Message
    ) -> Message | None:
        properties = interfaces.get(message.body[0], {})
        if message.member == "GetAll":
            return Message.new_method_return(message, "a{sv}", [properties])
        if message.member == "Get" and message.body[1] in properties:
            return Message.new_method_return(message, "v", [properties[message.body[1]]])
        return None

    async def _call(self, method: Method, message: Message) -> None:
        try:
            signature, body = await method(*message.body) or ("", [])
            answer = Message.new_method_return(message, signature, body)
        except (BaseBumbleError, TimeoutError, asyncio.CancelledError) as error:
            answer = Message.new_error(message, _FAILED, str(error) or type(error).__name__)
        await self._bus.send(answer)


class Adapter:
    """One host, and the devices that it has heard of."""

    def __init__(self, tree: Tree, number: int, mtu: int, host: Device) -> None:
        self.path = f"/org/bluez/hci{number}"
        self.mtu = mtu
        self.host = host
        self.tree = tree
        self._remotes: dict[Address, Remote] = {}
        host.on(Device.EVENT_ADVERTISEMENT, self._heard)
        tree.add(
            self.path,
            _ADAPTER,
            {
                "Address": Variant("s", host.random_address.to_string(False)),
                "AddressType": Variant("s", "random"),
                "Name": Variant("s", f"hci{number}"),
                "Alias": Variant("s", f"hci{number}"),
                "Powered": Variant("b", True),
                "Discovering": Variant("b", False),
                "Pairable": Variant("b", False),
                "UUIDs": Variant("as", []),
                "Roles": Variant("as", ["central"]),
            },
            SetDiscoveryFilter=self._filter,
            StartDiscovery=self._start,
            StopDiscovery=self._stop,
            RemoveDevice=self._remove,
        )

    async def _filter(self, _wanted: dict[str, Variant]) -> None:
        """Filters only spare traffic: who asks sorts out for itself what it gets."""

    async def _start(self) -> None:
        await self.host.start_scanning(active=True)
        self.tree.change(self.path, {"Discovering": Variant("b", True)})

    async def _stop(self) -> None:
        await self.host.stop_scanning()
        self.tree.change(self.path, {"Discovering": Variant("b", False)})

    async def _remove(self, path: str) -> None:
        for address, remote in list(self._remotes.items()):
            if remote.path == path:
                await remote.disconnect()
                del self._remotes[address]
                self.tree.remove(path)

    def _heard(self, advertisement: Advertisement) -> None:
        address = advertisement.address
        if address not in self._remotes:
            self._remotes[address] = Remote(self, address, _heard_of(advertisement))
        else:
            self.tree.change(self._remotes[address].path, _heard_of(advertisement))


def _heard_of(advertisement: Advertisement) -> dict[str, Variant]:
    """What an advertisement and its scan response say, as properties of a device."""
    said = advertisement.data
    kind = AdvertisingData.Type
    uuids = [
        str(uuid)
        for lists in (
            said.get_all(kind.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS),
            said.get_all(kind.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS),
        )
        for each in lists
        for uuid in each
    ]
    properties = {
        "RSSI": Variant("n", advertisement.rssi),
        "UUIDs": Variant("as", [uuid.lower() for uuid in uuids]),
        "ServiceData": Variant(
            "a{sv}",
            {
                str(uuid).lower(): Variant("ay", data)
                for uuid, data in said.get_all(kind.SERVICE_DATA_128_BIT_UUID)
            },
        ),
    }
    for name in said.get_all(kind.COMPLETE_LOCAL_NAME):
        properties["Name"] = properties["Alias"] = Variant("s", name)
    return properties


class Remote:
    """A device that was heard, and the connection to it while there is one."""

    def __init__(self, adapter: Adapter, address: Address, heard: dict[str, Variant]) -> None:
        text = address.to_string(False)
        self.path = f"{adapter.path}/dev_{text.replace(':', '_')}"
        self._adapter = adapter
        self._tree = adapter.tree
        self._address = address
        self._connection: Connection | None = None
        self._is_connecting = False
        self._gatt: list[str] = []
        self._tree.add(
            self.path,
            _DEVICE,
            {
                "Adapter": Variant("o", adapter.path),
                "Address": Variant("s", text),
                "AddressType": Variant("s", "random"),
                "Alias": Variant("s", text.replace(":", "-")),
                "Connected": Variant("b", False),
                "ServicesResolved": Variant("b", False),
                "Paired": Variant("b", False),
                "Bonded": Variant("b", False),
                "Trusted": Variant("b", False),
                "Blocked": Variant("b", False),
                "LegacyPairing": Variant("b", False),
                **heard,
            },
            Connect=self._connect,
            Disconnect=self.disconnect,
        )

    async def _connect(self) -> None:
        if self._connection is not None:
            return
        host = self._adapter.host
        self._is_connecting = True
        try:
            connection = await host.connect_le(self._address, timeout=_CONNECT_S)
        finally:
            self._is_connecting = False
        if host.lookup_connection(connection.handle) is not connection:
            raise UnreachableError("the connection failed to be established")
        self._connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._gone)
        self._tree.change(self.path, {"Connected": Variant("b", True)})
        peer = Peer(connection)
        if self._adapter.mtu > connection.att_mtu:
            await peer.request_mtu(self._adapter.mtu)
        await peer.discover_services()
        for service in peer.services:
            if service.uuid not in _HIDDEN:
                await service.discover_characteristics()
                for characteristic in service.characteristics:
                    await characteristic.discover_descriptors()
                self._show(service, connection.att_mtu)
        self._tree.change(self.path, {"ServicesResolved": Variant("b", True)})

    async def disconnect(self) -> None:
        """End the connection, or the attempt."""
        if self._is_connecting:
            await self._adapter.host.cancel_connection()
        if self._connection is not None:
            with contextlib.suppress(BaseBumbleError):
                await self._connection.disconnect()

    def _gone(self, _reason: int) -> None:
        self._connection = None
        for path in self._gatt:
            self._tree.remove(path)
        self._gatt.clear()
        gone = {"Connected": Variant("b", False), "ServicesResolved": Variant("b", False)}
        self._tree.change(self.path, gone)

    def _show(self, service: Any, mtu: int) -> None:
        path = f"{self.path}/service{service.handle:04x}"
        self._gatt.append(path)
        self._tree.add(
            path,
            _SERVICE,
            {
                "UUID": Variant("s", _uuid(service.uuid)),
                "Device": Variant("o", self.path),
                "Primary": Variant("b", True),
                "Includes": Variant("ao", []),
            },
        )
        for each in service.characteristics:
            shown = f"{path}/char{each.handle:04x}"
            methods = _methods(self._tree, shown, each)
            self._tree.add(
                shown,
                _CHARACTERISTIC,
                {
                    "UUID": Variant("s", _uuid(each.uuid)),
                    "Service": Variant("o", path),
                    "Flags": Variant("as", [n for bit, n in _FLAGS if each.properties & bit]),
                    "Notifying": Variant("b", False),
                    "MTU": Variant("q", mtu),
                },
                **methods,
            )
            for one in each.descriptors:
                self._tree.add(
                    f"{shown}/desc{one.handle:04x}",
                    _DESCRIPTOR,
                    {
                        "UUID": Variant("s", _uuid(one.type)),
                        "Characteristic": Variant("o", shown),
                    },
                )


def _methods(tree: Tree, path: str, of: CharacteristicProxy[bytes]) -> dict[str, Method]:
    """What may be called on a characteristic."""

    def came(value: bytes) -> None:
        if tree.has(path):
            tree.change(path, {"Value": Variant("ay", value)})

    async def read(_options: dict[str, Variant]) -> tuple[str, list[Any]]:
        return "ay", [await of.read_value()]

    async def write(value: bytes, options: dict[str, Variant]) -> None:
        kind = options["type"].value if "type" in options else "request"
        await of.write_value(bytes(value), with_response=kind == "request")

    async def start() -> None:
        await of.subscribe(came)
        tree.change(path, {"Notifying": Variant("b", True)})

    async def stop() -> None:
        await of.unsubscribe(came)
        tree.change(path, {"Notifying": Variant("b", False)})

    return {"ReadValue": read, "WriteValue": write, "StartNotify": start, "StopNotify": stop}


def _uuid(uuid: UUID) -> str:
    """In its long form, as BlueZ has it."""
    return uuid.to_hex_str("-").lower()


class _Patient:
    """A socket that takes nothing while its buffer is full.

    dbus-fast 5 sends before it looks whether there is room, and takes BlockingIOError for the end
    of the connection; what was not taken it sends when there is room.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, data: memoryview) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0


async def serve(port: int, mtus: list[int]) -> None:
    """Own the name until the bus or the radio is gone."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    writer: Any = bus._writer
    writer.sock = _Patient(writer.sock)
    tree = Tree(bus)
    radio_gone = []
    for number, mtu in enumerate(mtus):
        source, sink = await open_transport(f"tcp-client:127.0.0.1:{port}")
        address = Address.generate_static_address()
        host = Device.with_hci(f"hci{number}", address, source, sink)
        await host.power_on()
        Adapter(tree, number, mtu, host)
        radio_gone.append(asyncio.ensure_future(source.terminated))
    await bus.request_name("org.bluez")
    print("ready", flush=True)
    ends = [asyncio.ensure_future(bus.wait_for_disconnect()), *radio_gone]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), [int(mtu) for mtu in sys.argv[2:]]))
