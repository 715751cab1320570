"""What a lock takes of the heap, phase by phase; one that will do, and one that is too small."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import build, libraries, sizes
from tools.bench import heap

# In use at the peak of a first visit, and on 32 bits with everything made; see
# docs/decisions/0006-size.md.
PEAK_LIMIT_BYTES = 302_500
IN_PLACE_LIMIT_BYTES = 210_000
SMALL_IN_PLACE_LIMIT_BYTES = 111_500
ENOUGH_KB = 352  # for a session and a whole visit
LEAST_KB = 96

Scene = tuple[Path, heap.Cloud]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A provisioned lock, and its cloud."""
    libraries.fetch_all()
    with tempfile.TemporaryDirectory(dir=build.TARGET) as name, heap.cloud(Path(name)) as there:
        heap.provision(Path(name), there)
        yield Path(name), there


@pytest.fixture(scope="module")
def image(scene: Scene) -> str:
    """The firmware as a ROM file system."""
    path = scene[0] / "image.romfs"
    path.write_bytes(sizes.rom_image())
    return str(path)


def test_a_lock_takes_more_heap_from_phase_to_phase_and_not_more_than_it_may(scene, image):
    folder, there = scene
    for rom, limit in (("", PEAK_LIMIT_BYTES), (image, IN_PLACE_LIMIT_BYTES)):
        found = heap.live(folder, there, rom)
        phases = [found[name] for name in heap.SHOWN]
        assert phases == sorted(set(phases))
        assert phases[-1] <= limit


def test_on_32_bits_everything_takes_more_than_half_of_that(scene, image):
    folder, there = scene
    small, large = heap.parts(folder, image), heap.live(folder, there, image)
    assert large["provisioned"] / 2 < small["provisioned"] < large["provisioned"]
    assert small["serving"] <= SMALL_IN_PLACE_LIMIT_BYTES


def test_a_heap_is_enough_or_too_small(scene):
    folder, there = scene
    heap.live(folder, there, heap_kb=ENOUGH_KB)
    with pytest.raises(heap.TooSmall):
        heap.live(folder, there, heap_kb=LEAST_KB)
