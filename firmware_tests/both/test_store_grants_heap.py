"""What a lookup in the grant cache leaves on the heap, but for what opening files takes."""

import gc

from firmware_tests.both.check import equal, true
from firmware_tests.both.store_case import RamFiles, cache, full_rule, grant_of, key_of, said

LACKS = ("heap_counters",)

# With the two files that littlefs opens, some 300 bytes each on a 32-bit chip, this is below the
# 1.5 KB of the budget also with 64-bit words.
MOST_BYTES = 1152


class Still(RamFiles):
    """Files in RAM whose reading takes no heap."""

    def read_into(self, name, offset, buffer):
        content = self.contents.get(name)
        if content is None:
            return 0
        length = min(len(buffer), len(content) - offset)
        for i in range(length):
            buffer[i] = content[offset + i]
        return length


def filled(count):
    store = cache(Still(), Still(), buckets=8, capacity=320)
    for number in range(count):
        made = grant_of(number, number)
        made.lease = made.issued
        made.rules = [full_rule(4), full_rule(5)]
        store.put(made)
    return store


def left_by(function, argument):
    """Bytes that one call leaves behind."""
    function(argument)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    between = gc.mem_alloc()
    function(argument)
    after = gc.mem_alloc()
    gc.enable()
    return after - between - (between - before)


def lookup_cold(store, key):
    """As after something else was looked at."""

    def ask(key):
        store._shelves.bucket.forget()
        store.state_at(store.find(key), 0)

    return left_by(ask, key)


def test_a_lookup_leaves_little_however_many_there_are():
    found = []
    for count in (60, 150, 300):
        store = filled(count)
        for number in (0, 4, 9):
            found.append(lookup_cold(store, key_of(number)))
    print("bytes:", found)
    true(max(found) <= MOST_BYTES, found)
    true(max(found) - min(found) <= 96, found)


def test_the_same_key_again_leaves_less():
    store = filled(10)
    cold = lookup_cold(store, key_of(3))
    store.find(key_of(3))
    again = left_by(lambda key: store.state_at(store.find(key), 0), key_of(3))
    print("bytes:", cold, again)
    true(again < cold, (cold, again))


def test_the_grant_is_lent():
    store = filled(10)
    one = store.find(key_of(1))
    text = said(one)
    other = store.find(key_of(2))
    equal(one is other, True)
    true(said(one) != text)
