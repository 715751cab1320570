"""`python -m host_sim.radio`: the air, and phones' Bluetooth on a D-Bus of its own."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

import click
from bumble.link import LocalLink

from .air import listen_for_hosts
from .bus import Bus, BusError
from .chip import listen_for_locks

_ENDS = (signal.SIGINT, signal.SIGTERM)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--locks", default=0, metavar="PORT", help="Where locks connect; 0 is a free port.")
@click.option("--hosts", default=0, metavar="PORT", help="Where hosts do that speak HCI (H4).")
@click.option(
    "--adapter",
    "mtus",
    type=click.IntRange(23, 517),
    multiple=True,
    default=[517],
    metavar="MTU",
    show_default=True,
    help="An adapter of org.bluez, which asks locks for this MTU; hci0 is the first one.",
)
@click.option(
    "--until-eof", is_flag=True, help="End when standard input does, as it does with its writer."
)
@click.option("--no-bluez", is_flag=True, help="No adapter, and so no need of a dbus-daemon.")
def main(locks: int, hosts: int, mtus: tuple[int, ...], until_eof: bool, no_bluez: bool) -> None:
    """Simulate Bluetooth between locks and phones of this machine.

    Prints the variables with which a lock (host_sim/shims/board) and a phone (lockctl phone, or
    whatever uses BlueZ) take part. Ends at Ctrl-C.

    \b
    Example:
      python -m host_sim.radio
      SHARELOCK_RADIO=127.0.0.1:41525
      SHARELOCK_HCI=127.0.0.1:38187
      DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/sharelock-radio-x1/bus
    """
    try:
        asyncio.run(_serve(locks, hosts, () if no_bluez else mtus, until_eof))
    except BusError as error:
        raise click.ClickException(str(error)) from None


async def _serve(locks: int, hosts: int, mtus: tuple[int, ...], until_eof: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _ENDS:
        loop.add_signal_handler(each, ended.set)
    if until_eof:
        loop.add_reader(sys.stdin, _read, ended)
    air = LocalLink()
    async with contextlib.AsyncExitStack() as stack:
        for name, server in (
            ("SHARELOCK_RADIO", await listen_for_locks(air, locks)),
            ("SHARELOCK_HCI", await listen_for_hosts(air, hosts)),
        ):
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            print(f"{name}=127.0.0.1:{port}", flush=True)
        if mtus:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sharelock-radio-"))
            bus = await stack.enter_async_context(Bus(Path(folder), port, mtus))
            print(f"DBUS_SYSTEM_BUS_ADDRESS={bus.address}", flush=True)
        await ended.wait()


def _read(ended: asyncio.Event) -> None:
    if not sys.stdin.readline():
        ended.set()


if __name__ == "__main__":
    main(prog_name="python -m host_sim.radio")
