"""A board at a serial port, without hardware: `python -m host_sim.serial_board FOLDER`.

MicroPython's unix port behind a pseudo terminal that behaves like an ESP32's serial line: boot.py,
main.py and the prompt after a reset, a soft reset at Ctrl-D, Ctrl-C unless the program forbids it,
the raw REPL with which mpremote works. FOLDER/flash is the flash, FOLDER/world what is around the
chip, see `host_sim/shims/board/machine.py`. Imports the project's runtimes only.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

from . import runtimes

START = "host_sim/shims/board/board_start.py"
SOFT_RESET_STATUS = 0  # MicroPython's exit at Ctrl-D
RESET_STATUS = 3  # of `machine.reset`
ASLEEP_STATUS = 4  # of `machine.deepsleep`
# machine.reset_cause() of an ESP32; after machine.reset() it is 0
POWER_ON, WATCHDOG, AWOKEN, SOFT = 1, 3, 4, 5
_POLL_S = 0.05
_LATEST_S = 0.5  # how long a program may take to end at Ctrl-C
_PROMPT = b">>> "
_CTRL_A, _CTRL_B, _CTRL_C = 1, 2, 3


class SerialBoard:
    """A board; `port` is the name of its serial port, which stays when its power goes.

    To be closed, or used as a context manager. Its watchdog is `haste` times as fast as real ones.
    `rom` is the size of a ROM partition to make; None leaves it as it is, or the board without.
    """

    def __init__(
        self, folder: Path, heap: str | None = None, haste: int = 1, rom: int | None = None
    ) -> None:
        self.flash = folder / "flash"
        self.world = folder / "world"
        for each in (self.flash, self.world):
            each.mkdir(parents=True, exist_ok=True)
        if rom is not None:
            (self.world / "romfs").write_bytes(b"\xff" * rom)
        self._heap = heap
        self._haste = haste
        self._outer, self._far_end = pty.openpty()
        tty.setraw(self._far_end)
        self.port = os.ttyname(self._far_end)
        self._inner = -1
        self._chip: subprocess.Popen[bytes] | None = None
        self._is_raw = False
        self._is_asleep = False
        self._is_at_prompt = False
        self._awaited: bytes | None = None  # what was said so far, if the prompt is to be raw
        self._guard = threading.RLock()
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, name="serial-board", daemon=True)
        self._thread.start()

    def __enter__(self) -> "SerialBoard":
        self.power_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take it away, its port too."""
        self.cut()
        self._is_open = False
        self._thread.join()
        os.close(self._outer)
        os.close(self._far_end)

    def hold(self, *pins: int) -> None:
        """From now on these pins are connected to ground, and no others."""
        (self.world / "held").write_text(" ".join(map(str, pins)))

    def power_on(self) -> None:
        """Power comes; what the chip's RAM and its calendar had is gone."""
        (self.world / "memory").unlink(missing_ok=True)
        with self._guard:
            self._is_raw = False
            self._start(POWER_ON)

    def cut(self) -> None:
        """Power goes."""
        with self._guard:
            self._is_asleep = False
            if self._chip is not None:
                self._chip.kill()
                self._end()

    # --- the chip -------------------------------------------------------------------------------

    def _start(self, cause: int) -> None:
        (self.world / "cause").write_text(str(cause))
        for name in ("awake", "watchdog"):
            (self.world / name).unlink(missing_ok=True)
        self._inner, end = pty.openpty()
        tty.setraw(end)
        arguments = ["raw"] if self._is_raw else []
        start = runtimes.ROOT / START
        path = [runtimes.BOARD]
        self._chip = subprocess.Popen(
            runtimes.command("micropython", start, *arguments, heap=self._heap),
            cwd=self.flash,
            env={
                **runtimes.environment("micropython", path),
                "MACHINE_WORLD": str(self.world),
                "MACHINE_CHIP": "ESP32",
            },
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)
        self._awaited = b"" if self._is_raw else None
        self._is_at_prompt = False

    def _end(self) -> int:
        assert self._chip
        status = self._chip.wait()
        self._pass_on()
        os.close(self._inner)
        self._chip = None
        return status

    def _wants_ctrl_c(self) -> bool:
        """Whether the program has a handler for it: none at the prompt and after kbd_intr(-1)."""
        assert self._chip
        status = Path(f"/proc/{self._chip.pid}/status").read_text(encoding="ascii")
        (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)

    # --- the line -------------------------------------------------------------------------------

    def _serve(self) -> None:
        while self._is_open:
            with self._guard:
                chip = self._chip
                sources = [self._inner] if chip else []
                if (self.world / "awake").exists() or not chip:
                    sources.append(self._outer)
            ready, _, _ = select.select(sources, [], [], _POLL_S)
            with self._guard:
                if self._chip is not chip:
                    continue
                if self._outer in ready:
                    self._type(os.read(self._outer, 4096))
                if chip is not None:
                    self._pass_on()
                    self._look_after(chip)
                elif self._is_asleep and self._is_woken():
                    self._is_asleep = False
                    self._start(AWOKEN)

    def _type(self, typed: bytes) -> None:
        """What somebody writes to the port, byte by byte because Ctrl-C is none for the chip."""
        if self._chip is None:
            return
        for byte in typed:
            if byte == _CTRL_C and self._wants_ctrl_c():
                self._interrupt()
                continue
            if byte in (_CTRL_A, _CTRL_B, _CTRL_C):
                # A program that reads Ctrl-C itself may end at it, and what is typed before the
                # prompt is there, the unix port throws away: then it gets its Ctrl-A again.
                self._is_raw = byte == _CTRL_A
                self._awaited = b"" if self._is_raw and not self._is_at_prompt else None
            os.write(self._inner, bytes([byte]))

    def _interrupt(self) -> None:
        """Ctrl-C, until the prompt is there: what is typed before, the unix port throws away."""
        assert self._chip
        self._chip.send_signal(signal.SIGINT)
        until = time.monotonic() + _LATEST_S
        while time.monotonic() < until and self._chip.poll() is None and self._wants_ctrl_c():
            self._pass_on()
            time.sleep(_LATEST_S / 100)

    def _pass_on(self) -> None:
        """What the chip says."""
        while select.select([self._inner], [], [], 0)[0]:
            try:
                said = os.read(self._inner, 4096)
            except OSError:  # its end of the line is closed
                return
            os.write(self._outer, said)
            self._is_at_prompt = said.endswith(_PROMPT)
            if self._awaited is not None:
                self._awaited += said
                if self._awaited.endswith(_PROMPT):
                    self._awaited = None
                    os.write(self._inner, bytes([_CTRL_A]))

    def _look_after(self, chip: "subprocess.Popen[bytes]") -> None:
        if chip.poll() is None:
            if self._is_starved():
                chip.kill()
                self._end()
                self._start(WATCHDOG)
            return
        status = self._end()
        if status == SOFT_RESET_STATUS:
            os.write(self._outer, b"MPY: soft reboot\r\n")
            self._start(SOFT)
        elif status == ASLEEP_STATUS:
            self._is_asleep = True
            self._is_raw = False
        else:  # machine.reset(), or a crash of the interpreter itself
            self._is_raw = False
            self._start(0)

    def _is_woken(self) -> bool:
        """Whether somebody connects the pin to ground for which the chip waits in its sleep."""
        held, wake = ((self.world / name) for name in ("held", "wake"))
        return held.exists() and wake.read_text() in held.read_text().split()

    def _is_starved(self) -> bool:
        """Whether a watchdog was started and not fed for its time."""
        try:
            fed = (self.world / "watchdog").stat().st_mtime
            timeout_ms = int((self.world / "watchdog").read_text(encoding="ascii") or 0)
        except FileNotFoundError:
            return False
        return timeout_ms > 0 and time.time() - fed > timeout_ms / 1000 / self._haste


def main() -> None:
    """A board until Ctrl-C."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m host_sim.serial_board FOLDER")
    with SerialBoard(Path(sys.argv[1]).resolve()) as board:
        print(board.port, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
