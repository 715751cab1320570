"""The board itself, for boot.py and main.py: it must work when nothing else does.

Imports `board` and MicroPython's own modules.
"""

import sys

import machine

from .board import this

_FULL_SPEED_HZ = 240_000_000  # a stock image boots at 160 MHz
_CTRL_C = 3


def safe() -> None:
    """No drive has current, whatever a program thought."""
    for pin, off in this().outputs():
        machine.Pin(pin, machine.Pin.OUT, value=off)


def full_speed() -> None:
    """Count as fast as the chip can; ValueError if it is another chip."""
    machine.freq(_FULL_SPEED_HZ)


def is_button_held() -> bool:
    """Whether somebody inside presses the button, and not only to end the chip's sleep."""
    if machine.reset_cause() == machine.DEEPSLEEP_RESET:
        return False
    button = machine.Pin(this().pins["button"], machine.Pin.IN, machine.Pin.PULL_UP)
    return button.value() == 0


def hanging_task() -> str:
    """The task in which the watchdog found the program, "" if it was not the watchdog."""
    if machine.reset_cause() != machine.WDT_RESET:
        return ""
    return bytes(machine.RTC().memory()).decode() or "start"


def allow_ctrl_c() -> None:
    """Let who is at the serial line interrupt the program, which boot.py forbade."""
    if sys.implementation.name == "micropython":
        import micropython

        micropython.kbd_intr(_CTRL_C)


def sleep_until_pushed() -> None:
    """Take next to no current until the button is pushed; then the chip starts anew."""
    import esp32

    safe()
    button = machine.Pin(this().pins["button"], machine.Pin.IN, machine.Pin.PULL_UP)
    if hasattr(esp32, "wake_on_ext0"):
        esp32.wake_on_ext0(button, esp32.WAKEUP_ALL_LOW)
    else:  # a C3
        esp32.wake_on_gpio((button,), esp32.WAKEUP_ALL_LOW)
    machine.deepsleep()


def restart() -> None:
    """Start anew, as after a loss of power."""
    machine.reset()
