"""The audit log on files in memory: chain, ring, numbers, gaps, acknowledgement, damage."""

from binascii import unhexlify
from hashlib import sha256

from firmware.crypto.slices import finish
from firmware.policy.decision import HOLDOVER, UNKNOWN, Now
from firmware.policy.instant import Instant
from firmware.store import entry
from firmware.store.seal import Seal
from firmware.store.strangers import Strangers
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.power.log_case import (
    KEY,
    NOW,
    Memory,
    entries,
    event,
    events,
    faults,
    new,
    opened,
    records,
    sound,
)


def places():
    return Memory(), Memory()


def filled(where, count, capacity=128):
    """A log with `count` events, flushed one by one."""
    log = opened(where, capacity)
    for number in range(count):
        event(log, number)
        log.flush()
    return log


# --- one entry -----------------------------------------------------------------------------------


def test_an_entry_says_what_was_put_in():
    record = bytearray(64)
    now = Now(Instant(84005, 86399), 600, HOLDOVER)
    entry.pack(record, 0x3FFFFFFF, entry.BOLT, now, 19, 5, b"s" * 16, b"k" * 8, 65535)
    link = entry.chain(record, b"\x00" * 16)
    entry.tag(record, Seal(KEY))
    said = entry.Entry(bytes(record))
    equal(
        (said.sequence, said.kind, said.reason, said.action, said.count),
        (0x3FFFFFFF, entry.BOLT, 19, 5, 65535),
    )
    equal((said.day, said.second, said.trust, said.error_class), (84005, 86399, HOLDOVER, 10))
    equal((said.share, said.subject, said.link), (b"s" * 16, b"k" * 8, link))


def test_an_entry_byte_for_byte():
    record = bytearray(64)
    entry.pack(
        record, 258, entry.DECISION, Now(Instant(0x12345, 0x10203), 5), 11, 1, b"ab", b"c", 772
    )
    equal(bytes(record[:16]), unhexlify("00000102040b01830123450102030304"))
    equal(bytes(record[16:40]), b"ab" + bytes(14) + b"c" + bytes(7))
    link = entry.chain(record, b"\x01" * 16)
    equal(link, sha256(b"\x01" * 16 + bytes(record[:40])).digest()[:16])
    equal(bytes(record[40:56]), link)


def test_what_is_too_long_is_cut_and_what_is_too_large_saturates():
    record = bytearray(64)
    entry.pack(record, 1, entry.GAP, NOW, 1, 0, b"s" * 20, b"k" * 20, 70000)
    said = entry.Entry(bytes(record))
    equal((said.share, said.subject, said.count), (b"s" * 16, b"k" * 8, 65535))


def test_error_classes():
    for error_s, expected in ((0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (600, 10), (3600, 12)):
        equal(entry.error_class(error_s), expected, error_s)
    equal(entry.error_class(1 << 29), 30)


def test_only_a_boot_may_skip_numbers_and_says_how_many():
    for kind, count, skipped, expected in (
        (entry.DECISION, 0, 0, entry.GOOD),
        (entry.DECISION, 0, 1, entry.BAD_SEQUENCE),
        (entry.GAP, 5, 5, entry.BAD_SEQUENCE),
        (entry.BOOT, 5, 5, entry.GOOD),
        (entry.BOOT, 5, 4, entry.BAD_SEQUENCE),
        (entry.BOOT, 5, 6, entry.BAD_SEQUENCE),
        (entry.BOOT, 5, -1, entry.BAD_SEQUENCE),
        (entry.BOOT, 65534, 65535, entry.BAD_SEQUENCE),
        (entry.BOOT, 65535, 65535, entry.GOOD),
        (entry.BOOT, 100000, 100000, entry.GOOD),
        (entry.BOOT, 100000, 65534, entry.BAD_SEQUENCE),
    ):
        record = bytearray(64)
        entry.pack(record, 11 + skipped, kind, NOW, 0, 0, b"", b"", count)
        entry.chain(record, b"\x07" * 16)
        chain = entry.Chain(b"\x07" * 16, None, 10)
        equal(chain.take(record), expected, (kind, count, skipped))


# --- the ring ------------------------------------------------------------------------------------


def test_a_first_boot_begins_the_log():
    where = places()
    equal(new(where).open(NOW), entry.FIRST)
    log = new(where)
    equal(log.open(NOW), entry.UNCLEAN)
    sound(log)
    first = entries(log)[0]
    equal((first.sequence, first.kind, first.reason), (1, entry.BOOT, entry.FIRST))


def test_entries_come_back_in_order_and_chained():
    log = filled(places(), 100)
    equal(events(log), list(range(100)))
    equal([each.sequence for each in entries(log)], list(range(1, 102)))
    sound(log)


def test_nothing_is_on_flash_before_the_flush():
    where = places()
    log = opened(where)
    before = where[0].appends
    event(log, 1)
    event(log, 2)
    equal((where[0].appends, events(log)), (before, []))
    equal(log.flush(), 2)
    equal((where[0].appends, events(log)), (before + 1, [1, 2]))
    equal(log.flush(), 0)
    equal(where[0].appends, before + 1)


def test_the_ring_keeps_the_newest_and_says_what_it_lost():
    where = places()
    log = filled(where, 300)
    sound(log)
    kept = entries(log)
    true(64 < len(kept) <= 128, len(kept))
    equal(events(log)[-1], 299)
    gaps = [each for each in kept if each.kind == entry.GAP]
    true(gaps)
    for gap in gaps:
        equal((gap.reason, gap.count), (entry.RING, 64))
    lost = int.from_bytes(gaps[-1].subject[:4], "big"), int.from_bytes(gaps[-1].subject[4:], "big")
    equal(lost[1] - lost[0], 63)
    equal(kept[0].sequence, lost[1] + 1)
    equal(len([name for name in where[0].names() if len(name) == 8]), 2)


def test_what_was_acknowledged_leaves_without_a_gap():
    log = opened(places())
    for number in range(300):
        event(log, number)
        log.flush()
        last = records(log)[-1]
        true(log.acknowledge(entry.sequence(last), entry.link(last)))
    equal([each for each in entries(log) if each.kind == entry.GAP], [])
    sound(log)


def test_a_gap_counts_only_what_was_not_acknowledged():
    log = opened(places())
    for number in range(127):
        event(log, number)
        log.flush()
        if number == 10:
            last = records(log)[-1]
            true(log.acknowledge(entry.sequence(last), entry.link(last)))
    event(log, 127)
    log.flush()
    gap = [each for each in entries(log) if each.kind == entry.GAP][0]
    equal((gap.reason, gap.count), (entry.RING, 64 - 12))


def test_a_full_queue_counts_what_it_drops():
    log = opened(places())
    numbers = [event(log, number) for number in range(20)]
    equal(numbers, list(range(2, 16)) + [0] * 6)
    log.flush()
    event(log, 99)
    log.flush()
    sound(log)
    gap = entries(log)[-2]
    equal((gap.kind, gap.reason, gap.count), (entry.GAP, entry.QUEUE, 6))
    equal(events(log)[-1], 99)
    event(log, 100)
    log.flush()
    equal(len([each for each in entries(log) if each.kind == entry.GAP]), 1)


def test_both_kinds_of_gap_at_the_end_of_a_segment():
    log = filled(places(), 112)
    for number in range(112, 132):  # 14 are taken
        event(log, number)
    log.flush()
    event(log, 200)
    log.flush()
    sound(log)
    gaps = [(each.reason, each.count) for each in entries(log)[-3:]]
    equal(gaps, [(entry.QUEUE, 6), (8, 200), (entry.RING, 64)])
    equal(len(entries(log)), 66)


def test_a_batch_over_the_end_of_a_segment():
    log = filled(places(), 58)
    for number in range(58, 70):
        event(log, number)
    equal(log.flush(), 12)
    equal(events(log), list(range(70)))
    sound(log)


# --- boots ---------------------------------------------------------------------------------------


def test_an_orderly_stop_is_told_from_a_cut():
    where = places()
    log = filled(where, 5)
    log.close()
    log = new(where)
    equal(log.open(NOW), entry.CLEAN)
    boot = entries(log)[-1]
    equal((boot.sequence, boot.kind, boot.reason, boot.count), (7, entry.BOOT, entry.CLEAN, 0))
    given = event(log, 6)  # and the power goes
    log = new(where)
    equal(log.open(NOW), entry.UNCLEAN)
    boot = entries(log)[-1]
    true(boot.sequence > given, boot.sequence)
    equal((boot.kind, boot.reason, boot.count), (entry.BOOT, entry.UNCLEAN, boot.sequence - 8))
    sound(log)


def test_an_event_after_an_orderly_stop_undoes_it():
    where = places()
    log = filled(where, 5)
    log.close()
    event(log, 6)
    log.flush()
    equal(new(where).open(NOW), entry.UNCLEAN)


def test_a_clean_boot_that_is_cut_at_once_is_unclean():
    where = places()
    filled(where, 5).close()
    where[0].fails = True
    raises(OSError, new(where).open, NOW)
    where[0].fails = False
    equal(new(where).open(NOW), entry.UNCLEAN)


def test_numbers_never_come_twice_over_many_cuts():
    where = places()
    given = set()
    for boot in range(60):
        log = opened(where)
        for number in range(boot % 9):
            sequence = event(log, number)
            true(sequence not in given, sequence)
            given.add(sequence)
            if number & 1:
                log.flush()
        if boot % 5 == 0:
            log.close()
    sound(opened(where))


# --- failing writes ------------------------------------------------------------------------------


def test_a_write_that_fails_loses_nothing():
    where = places()
    log = filled(where, 3)
    where[0].fails = True
    event(log, 3)
    raises(OSError, log.flush)
    event(log, 4)
    raises(OSError, log.flush)
    where[0].fails = False
    equal(log.flush(), 2)
    equal(events(log), [0, 1, 2, 3, 4])
    sound(log)


class Lying(Memory):
    """Appends, and then says that it failed."""

    lies = False

    def append(self, name, data):
        super().append(name, data)
        if self.lies:
            self.lies = False
            raise OSError(5)


def test_a_write_that_fails_after_it_was_done_is_not_done_twice():
    for count in (3, 63):  # in a segment, and as the first of a new one
        where = Lying(), Memory()
        log = filled(where, count)
        where[0].lies = True
        event(log, 500)
        raises(OSError, log.flush)
        event(log, 501)
        log.flush()
        equal(events(log)[-2:], [500, 501])
        equal(len(events(log)), count + 2)
        sound(log)


# --- acknowledging and reading -------------------------------------------------------------------


def test_an_acknowledgement_must_match_the_chain():
    where = places()
    log = filled(where, 20)
    kept = records(log)
    equal(log.acknowledge(5, entry.link(kept[5])), False)
    equal(log.acknowledge(5, b""), False)
    equal(log.acknowledge(0, b"\x00" * 16), False)
    equal(log.acknowledge(22, entry.link(kept[20])), False)
    equal(log.acknowledged, 0)
    equal(log.acknowledge(5, entry.link(kept[4])), True)
    equal(log.acknowledge(3, entry.link(kept[2])), True)
    equal(log.acknowledged, 5)
    event(log, 20)
    equal(log.acknowledge(22, log._link), False, "not on flash yet")
    equal(opened(where).acknowledged, 5)


def test_an_acknowledgement_that_cannot_be_written_is_none():
    where = places()
    log = filled(where, 5)
    where[1].fails = True
    raises(OSError, log.acknowledge, 3, entry.link(records(log)[2]))
    equal(log.acknowledged, 0)


def test_entries_are_found_by_number_where_numbers_were_skipped():
    where = places()
    for _ in range(4):
        filled(where, 3)
    log = filled(where, 3)
    for record in records(log):
        true(log.acknowledge(entry.sequence(record), entry.link(record)))
    equal(len(records(log)), 20)
    equal(log.acknowledge(entry.sequence(record) - 4, entry.link(record)), False)


def test_reading_goes_on_after_a_number():
    log = filled(places(), 150)
    everything = records(log)
    for place in (0, 1, 60, 63, 64, 65, len(everything) - 1):
        after = entry.sequence(everything[place])
        equal(records(log, after), everything[place + 1 :], place)
        equal(faults(log, after), [])
    equal(records(log, 100000), everything)


def test_a_reader_goes_on_while_the_ring_turns():
    log = filled(places(), 100)
    reader = log.reader()
    page = bytearray(64)
    equal(reader.read_into(page), 64)
    equal(entry.sequence(page), 1)
    for number in range(100, 300):
        event(log, number)
        log.flush()
    equal(reader.read_into(page), 64)
    equal(bytes(page), records(log)[0])
    equal(reader.read_into(bytearray(63)), 0)


# --- damage --------------------------------------------------------------------------------------


def flip(files, name, bit):
    files.files[name][bit >> 3] ^= 1 << (bit & 7)


def test_every_flipped_bit_of_a_segment_is_that_entry_and_no_other():
    where = places()
    log = filled(where, 9)
    log.close()
    before = records(log)
    content = bytearray(where[0].files["00000001"])
    for place in (0, 4, 9):
        for bit in range(place * 512, place * 512 + 512):
            where[0].files["00000001"] = bytearray(content)
            flip(where[0], "00000001", bit)
            found = faults(log)
            equal([each[0] for each in found], [place], bit)
            equal(records(log)[place + 1 :], before[place + 1 :])


def test_damage_is_entered_and_the_log_goes_on():
    where = places()
    filled(where, 9).close()
    flip(where[0], "00000001", 5 * 512 + 200)
    log = new(where)
    equal(log.open(NOW), entry.UNCLEAN)
    event(log, 9)
    log.flush()
    equal([each[0] for each in faults(log)], [5])
    said = [each for each in entries(log) if each.kind == entry.DAMAGE]
    equal(
        [(each.reason, each.count, each.subject[:4]) for each in said],
        [(entry.RECORDS, 1, b"\x00\x00\x00\x01")],
    )
    equal(entries(log)[-1].count, 9)


def test_damage_at_the_end_does_not_bring_numbers_back():
    for bit in (3, 40, 330, 450, 511):
        where = places()
        log = filled(where, 9)
        last = log.sequence
        log.close()
        flip(where[0], "00000001", 9 * 512 + bit)
        log = opened(where)
        true(entries(log)[10].sequence > last, bit)
        true(len(faults(log)) <= 1, faults(log))


def test_scrubbing_finds_damage_once():
    where = places()
    log = filled(where, 150)
    flip(where[0], "%08x" % entries(log)[0].sequence, 3000)
    for _ in range(6):
        finish(log.scrub(NOW))
        log.flush()
    said = [each for each in entries(log) if each.kind == entry.DAMAGE]
    equal(len(said), 1)
    equal((said[0].reason, said[0].count), (entry.RECORDS, 1))


def test_a_segment_that_leaves_the_ring_while_it_is_scrubbed_is_not_damaged():
    where = places()
    log = filled(where, 100)
    finish(log.scrub(NOW))  # of the newest one
    steps = log.scrub(NOW)
    for _ in range(20):
        next(steps)
    while "00000001" in where[0].files:
        event(log, 1)
        log.flush()
    finish(steps)
    log.flush()
    equal([each.reason for each in entries(log) if each.kind == entry.DAMAGE], [])


def test_a_damaged_link_at_the_end_of_a_segment_does_not_make_the_next_suspect():
    where = places()
    log = filled(where, 100)
    flip(where[0], "00000001", 63 * 512 + 8 * 45)
    for _ in range(2):
        finish(log.scrub(NOW))
    log.flush()
    said = [each for each in entries(log) if each.kind == entry.DAMAGE]
    equal([each.count for each in said], [1])
    equal(faults(log), [(63, entry.BAD_LINK)])


def test_a_segment_that_is_missing_shows():
    where = places()
    filled(where, 150, 256)
    del where[0].files["%08x" % 65]
    found = faults(opened(where, 256))
    equal(len(found), 1)
    equal(found[0], (64, entry.BAD_LINK))


def test_a_tail_that_was_cut_off_after_an_orderly_stop_shows():
    where = places()
    log = filled(where, 20)
    log.close()
    where[0].files["00000001"] = where[0].files["00000001"][: 15 * 64]
    log = new(where)
    equal(log.open(NOW), entry.UNCLEAN)
    said = [each for each in entries(log) if each.kind == entry.DAMAGE]
    equal([(each.reason, each.count) for each in said], [(entry.MISSING, 6)])
    true(entries(log)[15].sequence > 21)
    sound(log)


def test_one_damaged_copy_of_the_state_changes_nothing_but_is_entered():
    for damaged in (0, 1):
        where = places()
        log = filled(where, 20)
        true(log.acknowledge(5, entry.link(records(log)[4])))
        log.close()
        flip(where[damaged], "log", 77)
        log = new(where)
        equal((log.open(NOW), log.acknowledged), (entry.CLEAN, 5))
        said = [each for each in entries(log) if each.kind == entry.DAMAGE]
        equal([(each.reason, each.count) for each in said], [(entry.STATE, 1)])
        log.close()
        log = opened(where)
        equal(len([each for each in entries(log) if each.kind == entry.DAMAGE]), 1, "healed")
        sound(log)


def test_the_older_copy_of_the_state_alone_does_not_bring_numbers_back():
    where = places()
    log = opened(where)
    older = bytearray(where[0].files["log"])
    for number in range(150):  # more than are reserved at a time
        event(log, number)
        log.flush()
    true(older != where[0].files["log"])
    for number in range(10):  # given out, and never written
        event(log, number)
    where[0].files["log"] = older
    flip(where[1], "log", 77)
    true(opened(where).sequence > log.sequence)


def test_without_a_state_numbers_jump_far():
    for count in (20, 200):
        where = places()
        log = filled(where, count)
        last = log.sequence
        for each in where:
            flip(each, "log", 77)
        log = new(where)
        equal(log.open(NOW), entry.UNCLEAN)
        true(log.sequence > last + 30000)
        damage = [each.reason for each in entries(log) if each.kind == entry.DAMAGE]
        equal(damage, [entry.STATE])
        sound(opened(where))


def test_the_log_can_be_deleted_but_not_begun_again():
    where = places()
    log = filled(where, 20)
    last = log.sequence
    where[0].files.clear()
    log = new(where)
    equal(log.open(NOW), entry.UNCLEAN)
    true(entries(log)[0].sequence > last)


def test_a_segment_with_an_impossible_name_is_removed():
    where = places()
    filled(where, 5).close()
    where[0].files["7fffffff"] = bytearray(640)
    where[0].files["00000400"] = bytearray()
    where[0].files["other"] = bytearray(5)
    log = opened(where)
    equal(sorted(where[0].names()), ["00000001", "log", "other"])
    sound(log)


def test_a_segment_that_had_left_the_ring_does_not_come_back():
    where = places()
    filled(where, 200).close()
    where[0].files["00000001"] = bytearray(b"\x55" * 4096)
    log = opened(where)
    equal(where[0].size("00000001"), -1)
    sound(log)


def test_an_entry_of_another_key_or_another_log_is_not_taken():
    where = places()
    filled(where, 5)
    other = bytearray(64)
    entry.pack(other, 7, entry.DECISION, NOW, 0, 1, b"share-77", b"", 0)
    entry.chain(other, entry.link(where[0].files["00000001"][-64:]))
    entry.tag(other, Seal(b"x" * 32))
    where[0].files["00000001"] += other
    log = opened(where)
    equal([each[1] for each in faults(log)], [entry.BAD_TAG])


# --- strangers -----------------------------------------------------------------------------------


def test_strangers_are_one_entry_a_minute():
    log = opened(places())
    strangers = Strangers(log)
    strangers.tick(NOW, 0)
    equal(log.flush(), 0)
    for second in range(100, 221):
        strangers.note(second % 7)
        strangers.tick(NOW, second)
        log.flush()
    strangers.tick(NOW, 300)
    log.flush()
    said = [(each.kind, each.count, each.reason) for each in entries(log)[1:]]
    equal(said, [(entry.STRANGERS, 1, 100 % 7), (entry.STRANGERS, 60, 160 % 7),
                 (entry.STRANGERS, 60, 220 % 7)])  # fmt: skip


def test_strangers_wait_for_room():
    log = opened(places())
    strangers = Strangers(log)
    strangers.note(5)
    for number in range(20):
        event(log, number)
    strangers.tick(NOW, 60)
    log.flush()
    strangers.tick(NOW, 61)
    log.flush()
    said = entries(log)[-1]
    equal((said.kind, said.reason, said.count), (entry.STRANGERS, 5, 1))


# --- against a plain list ------------------------------------------------------------------------


class Model:
    """A list of what was flushed, and of what waits."""

    def __init__(self):
        self.safe = []
        self.waiting = []


def test_random_histories_agree_with_a_list():
    random = soak.Random(soak.seed())
    for _ in range(soak.count(2000, 20)):
        where = places()
        log = opened(where, 256)
        model = Model()
        highest = log.sequence
        for step in range(200):
            _step(random, where, log, model, step)
            if random.below(25) == 0:
                if random.below(2):
                    log.close()
                    model.safe += model.waiting
                model.waiting = []
                now = Now(Instant(random.below(80000), 5), random.below(3600), UNKNOWN)
                log = new(where, 256)
                log.open(now)
                true(log.sequence > highest, (log.sequence, highest))
            highest = max(log.sequence, highest)
        log.flush()
        sound(log)
        kept = events(log)
        equal(kept, (model.safe + model.waiting)[-len(kept) :])
        true(len(kept) >= min(len(model.safe), 256 - 64 - 60), len(kept))


def _step(random, where, log, model, step):
    choice = random.below(10)
    if choice < 6:
        if event(log, step):
            model.waiting.append(step)
    elif choice < 9:
        where[0].fails = random.below(8) == 0
        try:
            log.flush()
            model.safe += model.waiting
            model.waiting = []
        except OSError:
            pass
        where[0].fails = False
    else:
        kept = records(log)
        record = kept[random.below(len(kept))]
        true(log.acknowledge(entry.sequence(record), entry.link(record)))
