"""What a lock takes of the heap, phase by phase; one that will do, and one that is too small."""

import pytest

from tools.bench import heap

# In use on 64 bits, at the peak of a first visit; see docs/decisions/0006-size.md.
PEAK_LIMIT_BYTES = 315_000
ENOUGH_KB = 376  # for a whole visit, with the simulator's own modules


def test_a_lock_takes_more_heap_from_phase_to_phase_and_not_more_than_it_may(tmp_path):
    heap.provision(tmp_path)
    found = heap.live(tmp_path)
    phases = [found[name] for name in heap.SHOWN]
    assert phases == sorted(set(phases))
    assert phases[-1] <= PEAK_LIMIT_BYTES
    heap.live(tmp_path, ENOUGH_KB)
    with pytest.raises(heap.TooSmall):
        heap.live(tmp_path, heap.LEAST_KB)
