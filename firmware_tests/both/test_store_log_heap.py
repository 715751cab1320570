"""What an entry takes of the heap: little when it is chained, which is on the unlock path."""

from firmware_tests.both.check import true
from firmware_tests.power.log_case import NOW, Memory, event, opened

LACKS = ("heap_counters",)


MOST_APPEND_BYTES = 1024
MOST_FLUSH_BYTES = 4096


def _most(function, rounds=40):
    """The most bytes that a call takes, beyond what measuring takes."""
    from micropython import mem_total

    most = 0
    for _ in range(rounds):
        before = mem_total()
        between = mem_total()
        function()
        most = max(most, mem_total() - between - (between - before))
    return most


def test_an_entry_is_chained_with_little_garbage():
    log = opened((Memory(), Memory()))
    share = b"0123456789abcdef"

    def append():
        log.append(4, NOW, 0, 1, share, share)

    taken = 0
    for _ in range(6):
        taken = max(taken, _most(append, 10))
        log.flush()
    print("bytes per append:", taken)
    true(0 < taken <= MOST_APPEND_BYTES, taken)


def test_a_flush_takes_a_bounded_amount():
    class Sink(Memory):
        """Keeps nothing, so that what is measured is the log's own."""

        def append(self, name, data):
            if name not in self.files:
                self.files[name] = bytearray(4096)

    log = opened((Sink(), Memory()))

    def one():
        event(log, 1)
        log.flush()

    taken = _most(one, 30)
    print("bytes per append and flush:", taken)
    true(0 < taken <= MOST_FLUSH_BYTES, taken)
