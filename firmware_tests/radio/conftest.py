"""The simulated radio as a process, with adapters for bleak."""

import asyncio
import gc
import warnings

import pytest
from bleak.backends.bluezdbus.manager import get_global_bluez_manager

from firmware_tests.radio.air import on_air

ADAPTERS = ("hci0", "hci1", "hci2")
SMALL = "hci3"  # asks for no more than the least MTU


@pytest.fixture(scope="module")
def radio():
    """The radio's variables are in the environment."""
    with on_air(517, 517, 517, 23) as process:
        yield process


@pytest.fixture
def run(radio):
    """Runs a coroutine, for so many seconds at the most."""

    async def run_all(coroutine, seconds):
        try:
            return await asyncio.wait_for(coroutine, seconds)
        finally:  # bleak never closes the one that all clients share
            bus = (await get_global_bluez_manager())._bus
            assert bus is not None
            bus.disconnect()
            await bus.wait_for_disconnect()

    def run_and_sweep(coroutine, seconds=60):
        try:
            return asyncio.run(run_all(coroutine, seconds))
        finally:
            with warnings.catch_warnings():
                # Nor does it close one that broke: that is left to the garbage collector.
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()

    return run_and_sweep
