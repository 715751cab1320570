"""Settings: every field checked, versions that never go back, defaults when they are lost."""

from firmware.crypto import cbor
from firmware.policy import reasons
from firmware.policy.instant import Instant
from firmware.store import settings as module
from firmware.store.seal import Seal
from firmware.store.settings import Settings, SettingsStore, fault
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.power.log_case import KEY, Memory

SEAL = Seal(KEY)
FIELDS = ("version", "zone", "next_zone", "next_from", "auto_lock_s", "mode", "most_error_s")


def places():
    return Memory(), Memory()


def some(version=1, **changes):
    settings = Settings()
    settings.version = version
    settings.zone = "CET-1CEST,M3.5.0,M10.5.0/3"
    settings.next_zone = "EET-2"
    settings.next_from = Instant(21000, 3600)
    settings.auto_lock_s = 30
    settings.mode = 2
    settings.most_error_s = 60
    for name in changes:
        setattr(settings, name, changes[name])
    return settings


def same(one, other):
    for name in FIELDS:
        equal(getattr(one, name), getattr(other, name), name)


def test_defaults():
    store = SettingsStore(places(), SEAL)
    equal((store.current.version, store.current.zone, store.current.mode), (0, "UTC0", 0))
    equal((store.damaged, store.lost), (False, False))
    equal(store.current.clock_zone().offset_s, 0)


def test_what_is_put_is_there_after_a_boot():
    where = places()
    equal(SettingsStore(where, SEAL).put(some()), reasons.ALLOWED)
    same(SettingsStore(where, SEAL).current, some())
    plain = some(2, next_zone=None, next_from=None, auto_lock_s=0, mode=0, most_error_s=3600)
    equal(SettingsStore(where, SEAL).put(plain), reasons.ALLOWED)
    same(SettingsStore(where, SEAL).current, plain)


def test_the_caller_keeps_no_hold_on_what_counts():
    store = SettingsStore(places(), SEAL)
    mine = some()
    store.put(mine)
    mine.mode = 0
    equal(store.current.mode, 2)


def test_bad_fields_change_nothing():
    cases = [
        (reasons.BAD_VERSION, {"version": 0}),
        (reasons.BAD_VERSION, {"version": 1 << 30}),
        (reasons.BAD_VERSION, {"version": True}),
        (reasons.BAD_SETTINGS, {"zone": "Europe/Berlin"}),
        (reasons.BAD_SETTINGS, {"zone": ""}),
        (reasons.BAD_SETTINGS, {"zone": None}),
        (reasons.BAD_SETTINGS, {"zone": b"UTC0"}),
        (reasons.BAD_SETTINGS, {"next_zone": None}),
        (reasons.BAD_SETTINGS, {"next_zone": "nowhere"}),
        (reasons.BAD_SETTINGS, {"next_from": None}),
        (reasons.BAD_DATES, {"next_from": Instant(10956, 0)}),
        (reasons.BAD_DATES, {"next_from": Instant(84006, 0)}),
        (reasons.BAD_DATES, {"next_from": Instant(21000, 86400)}),
        (reasons.BAD_DATES, {"next_from": Instant("21000", 0)}),
        (reasons.BAD_SETTINGS, {"auto_lock_s": -1}),
        (reasons.BAD_SETTINGS, {"auto_lock_s": 3601}),
        (reasons.BAD_SETTINGS, {"auto_lock_s": None}),
        (reasons.BAD_SETTINGS, {"mode": 5}),
        (reasons.BAD_SETTINGS, {"mode": -1}),
        (reasons.BAD_SETTINGS, {"mode": False}),
        (reasons.BAD_SETTINGS, {"most_error_s": 59}),
        (reasons.BAD_SETTINGS, {"most_error_s": 3601}),
    ]
    where = places()
    store = SettingsStore(where, SEAL)
    store.put(some())
    before = dict(where[0].files), dict(where[1].files)
    for reason, change in cases:
        change = dict(change)
        version = change.pop("version", 2)
        equal(store.put(some(version, **change)), reason, change)
        same(store.current, some())
    equal((where[0].files, where[1].files), before)


def test_the_edges_are_good():
    for change in (
        {"version": 0x3FFFFFFF},
        {"auto_lock_s": 3600},
        {"mode": 3},
        {"most_error_s": 3600},
        {"next_from": Instant(84005, 86399)},
        {"next_from": Instant(10957, 0)},
    ):
        equal(fault(some(**change)), reasons.ALLOWED, change)


def test_a_version_never_goes_back_and_stands_for_one_content():
    where = places()
    equal(SettingsStore(where, SEAL).put(some(5)), reasons.ALLOWED)
    store = SettingsStore(where, SEAL)
    equal(store.put(some(4)), reasons.OLD_VERSION)
    writes = where[0].files["settings"]
    equal(store.put(some(5)), reasons.ALLOWED)
    true(where[0].files["settings"] is writes, "the same again writes nothing")
    equal(store.put(some(5, mode=1)), reasons.CHANGED_TERMS)
    equal(store.put(some(6, mode=1)), reasons.ALLOWED)
    equal(SettingsStore(where, SEAL).current.mode, 1)


def test_a_failing_write_changes_nothing():
    where = places()
    store = SettingsStore(where, SEAL)
    store.put(some(1))
    where[0].fails = True
    raises(OSError, store.put, some(2))
    equal(store.current.version, 1)


def test_every_flipped_bit_of_a_copy_is_noticed_and_healed():
    where = places()
    SettingsStore(where, SEAL).put(some(1))
    SettingsStore(where, SEAL).put(some(2))
    for folder in where:
        whole = bytes(folder.files["settings"])
        for bit in range(len(whole) * 8):
            folder.files["settings"][bit >> 3] ^= 1 << (bit & 7)
            store = SettingsStore(where, SEAL)
            equal((store.damaged, store.lost, store.current.version), (True, False, 2), bit)
            equal(SettingsStore(where, SEAL).damaged, False, bit)


def test_the_newest_copy_counts_and_heals_the_older_one():
    for old in (0, 1):
        where = places()
        store = SettingsStore(where, SEAL)
        store.put(some(1))
        older = bytearray(where[old].files["settings"])
        store.put(some(2))
        where[old].files["settings"] = older
        equal(SettingsStore(where, SEAL).current.version, 2, old)
        where[1 - old].files.clear()
        store = SettingsStore(where, SEAL)
        equal((store.current.version, store.damaged, store.lost), (2, False, False), old)
        equal(where[0].files == where[1].files, True)


def test_settings_are_read_even_if_they_cannot_be_healed():
    where = places()
    SettingsStore(where, SEAL).put(some(1))
    where[0].files.clear()
    where[0].fails = True
    equal(SettingsStore(where, SEAL).current.version, 1)
    where[0].fails = False
    SettingsStore(where, SEAL)
    equal(where[0].files == where[1].files, True)


def test_what_is_well_is_not_written_again():
    where = places()
    SettingsStore(where, SEAL).put(some(1))
    before = where[0].files["settings"], where[1].files["settings"]
    equal(SettingsStore(where, SEAL).current.version, 1)
    equal([where[each].files["settings"] is before[each] for each in (0, 1)], [True, True])


def test_defaults_when_both_copies_are_damaged():
    where = places()
    SettingsStore(where, SEAL).put(some(7))
    for folder in where:
        folder.files["settings"] = folder.files["settings"][:-1]
    store = SettingsStore(where, SEAL)
    equal((store.damaged, store.lost, store.current.version), (True, True, 0))
    equal(store.put(some(6)), reasons.OLD_VERSION)
    equal(store.put(some(7)), reasons.ALLOWED)
    equal(SettingsStore(where, SEAL).current.version, 7)


def test_the_version_is_known_while_one_copy_of_anything_is_left():
    names = [(folder, name) for folder in (0, 1) for name in ("settings", "version")]
    for kept in names:
        where = places()
        SettingsStore(where, SEAL).put(some(7))
        for folder, name in names:
            if (folder, name) != kept:
                where[folder].files[name][9] ^= 1
        store = SettingsStore(where, SEAL)
        equal((store.damaged, store.floor), (True, 7), kept)
        equal(store.put(some(6)), reasons.OLD_VERSION)
        for folder in where:
            folder.files["settings"] = folder.files["settings"][:-1]
        equal(SettingsStore(where, SEAL).put(some(6)), reasons.OLD_VERSION)


def test_a_record_of_another_key_name_or_meaning_is_not_taken():
    where = places()
    SettingsStore(where, Seal(b"x" * 32)).put(some(7))
    equal(SettingsStore(where, SEAL).lost, True)
    from firmware.store.copies import Copies

    for content in (
        b"",
        b"\x00",
        cbor.encode([1, 2]),
        cbor.encode([9, "UTC0", None, None, None, 0, 9, 600]),
        cbor.encode([9, "UTC0", None, None, 0, 0, 0, 600]),
        cbor.encode([9, "UTC0", "UTC0", "1", 0, 0, 0, 600]),
        cbor.encode({1: 2}),
    ):
        where = places()
        copies = Copies(where, "settings", SEAL)
        copies.write(content)
        equal(SettingsStore(where, SEAL).lost, True, content)
    where = places()
    Copies(where, "other", SEAL).write(module._encode(some()))
    for folder in where:
        folder.files["settings"] = folder.files["other"]
    equal(SettingsStore(where, SEAL).lost, True)


def test_random_puts_agree_with_a_plain_variable():
    random = soak.Random(soak.seed())
    for _ in range(soak.count(500, 5)):
        where = places()
        store = SettingsStore(where, SEAL)
        kept = Settings()
        for _ in range(40):
            offered = some(random.below(12), mode=random.below(5), auto_lock_s=random.below(2))
            good = fault(offered) == reasons.ALLOWED
            newer = offered.version > kept.version
            where[random.below(2)].fails = random.below(6) == 0
            try:
                store.put(offered)
                kept = offered if good and newer else kept
            except OSError:
                # The first copy may have been written: old or new, both are right.
                store = SettingsStore(where, SEAL)
                kept = store.current
            for folder in where:
                folder.fails = False
            same(store.current, kept)
            if random.below(4) == 0:
                store = SettingsStore(where, SEAL)
                same(store.current, kept)
