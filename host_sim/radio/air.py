"""The air: Bumble's link between controllers, with what it lacks of a real one.

A scan response is the advertiser's own, not its advertising data again. Of two centrals that
connect to one advertisement the later one fails. An attempt to connect can be given up. When a
host is gone, so are its connections.
"""

import asyncio
from typing import Any

from bumble import hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink
from bumble.transport.common import StreamPacketSink, StreamPacketSource

_REPORT = hci.HCI_LE_Advertising_Report_Event
_RSSI = -50  # dBm
_FAILED = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
_GIVEN_UP = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
_VANISHED = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR

# An ESP32's controller is one of Bluetooth 4.2.
_LATER = (
    hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    | hci.LeFeatureMask.LE_2M_PHY
    | hci.LeFeatureMask.LE_CODED_PHY
)


class Station(Controller):
    """A controller on the air."""

    le_features = Controller.le_features & ~_LATER
    le_acl_data_packet_length = 251

    def leave(self) -> None:
        """Be gone: whoever is connected loses the connection, as to one who walked away."""
        self.le_legacy_advertiser.stop()
        for connection in self.le_connections.values():
            connection.send_ll_control_pdu(ll.TerminateInd(_VANISHED))
        self.le_connections.clear()
        self.hci_sink = None
        self.link.remove_controller(self)

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        """Somebody connects; one who comes too late is told, or they would wait for ever."""
        super().on_le_connect_ind(packet)
        late = packet.initiator_address not in self.le_connections
        if late and packet.advertiser_address == self.random_address:
            self.link.send_ll_control_pdu(
                packet.advertiser_address, packet.initiator_address, ll.TerminateInd(_FAILED)
            )

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """The host gives up (Bluetooth Core 5.4, volume 4, part E, section 7.8.13)."""
        wanted, self.pending_le_connection = self.pending_le_connection, None
        if wanted is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        ended = hci.HCI_LE_Connection_Complete_Event(
            status=_GIVEN_UP,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=wanted.peer_address_type,
            peer_address=wanted.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, ended)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Somebody advertises: report it, and the answer to a scan request if it is active."""
        assert isinstance(pdu, ll.AdvInd)
        if self.le_scan_enable:
            self._report(pdu, _REPORT.EventType.ADV_IND, pdu.data)
            advertiser = self.link.find_le_controller(pdu.advertiser_address)
            if self.le_scan_type and advertiser is not None:
                answer = advertiser.le_legacy_advertiser.scan_response_data
                self._report(pdu, _REPORT.EventType.SCAN_RSP, answer)
        wanted = self.pending_le_connection
        if wanted is not None and wanted.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, pdu: ll.AdvInd, kind: int, data: bytes) -> None:
        address = pdu.advertiser_address
        report = _REPORT.Report(
            event_type=kind,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=_RSSI,
        )
        self.send_hci_packet(_REPORT([report]))


class Host(StreamPacketSource):
    """A host that speaks HCI (H4) over a stream; it has a station for as long as it is there."""

    def __init__(self, air: LocalLink) -> None:
        super().__init__()
        self._air = air
        self._station: Station

    def connection_made(self, transport: Any) -> None:
        """It came."""
        sink = StreamPacketSink(transport)
        self._station = Station("host", host_source=self, host_sink=sink, link=self._air)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It went, in whatever way."""
        self._station.leave()


async def listen_for_hosts(air: LocalLink, port: int) -> asyncio.Server:
    """Take hosts on a port of this machine; 0 is a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Host(air), "127.0.0.1", port)
