"""`lockctl log verify`: what it finds in an exported log, and what it exits with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from firmware.store import entry
from firmware.store.export import HEAD_BYTES
from firmware_tests.power.log_case import KEY, Memory, event, opened
from tools.lockctl.__main__ import main


def export(after: int = 0, boots: int = 2, count: int = 10, capacity: int = 128) -> bytearray:
    """A log with unclean boots and events, as a file."""
    places = Memory(), Memory()
    for _ in range(boots):
        log = opened(places, capacity)
        for number in range(count):
            event(log, number)
            log.flush()
    reader = log.reader(after)
    page = bytearray(640)
    content = bytearray(reader.head())
    while length := reader.read_into(page):
        content += page[:length]
    return content


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def run(content: bytes, *options: str) -> Result:
        (tmp_path / "door.slog").write_bytes(content)
        (tmp_path / "door.key").write_text(KEY.hex() + "\n")
        (tmp_path / "other.key").write_text("00" * 32)
        (tmp_path / "bad.key").write_text("a key")
        words = [str(tmp_path / o[1:]) if o.startswith("@") else o for o in options]
        return CliRunner().invoke(main, ["log", "verify", str(tmp_path / "door.slog"), *words])

    return run


def test_a_good_log_is_good(run):
    result = run(export(), "--key", "@door.key")
    assert result.exit_code == 0, result.output
    assert "GOOD  22 entries, numbers 1 to" in result.output
    assert "power cut" in result.output and "not checked" not in result.output


def test_without_a_key_it_says_so(run):
    result = run(export())
    assert result.exit_code == 0
    assert "was not checked (--key)" in result.output


def test_json(run):
    content = export()
    said = json.loads(run(content, "--key", "@door.key", "--json", "--entries").stdout)
    last = entry.Entry(bytes(content[-64:]))
    assert said["good"] is True and said["tags"] == "good" and said["beginning"] == "known"
    assert (said["entries"], said["first"], said["last"]) == (22, 1, last.sequence)
    assert said["link"] == last.link.hex()
    assert said["faults"] == []
    assert [note["count"] for note in said["notes"]] == [last.sequence - 22]
    assert said["log"][1]["kind"] == "decision"
    assert said["log"][1]["what"] == "allowed"
    assert said["log"][1]["share"] == "share-0"
    assert said["log"][1]["time"] == "2024-10-04T12:00:10Z"
    assert said["log"][1]["clock"] == "trusted, error under 8 s"


def test_entries_are_shown(run):
    assert "first boot" in run(export(), "--entries").output


@pytest.mark.parametrize("place", [0, 7, 21])
@pytest.mark.parametrize("at", [0, 5, 17, 33, 41, 55])
def test_one_changed_byte_is_that_entry(run, place, at):
    content = export()
    content[HEAD_BYTES + 64 * place + at] ^= 0x10
    result = run(content, "--json")
    assert result.exit_code == 1
    (fault,) = json.loads(result.stdout)["faults"]
    assert (fault["entry"], fault["offset"]) == (place, HEAD_BYTES + 64 * place)
    assert fault["fault"] == "link"


def test_a_missing_entry_is_found_where_it_is_missing(run):
    content = export()
    del content[HEAD_BYTES + 64 * 5 : HEAD_BYTES + 64 * 6]
    result = run(content)
    assert result.exit_code == 1
    assert f"link  entry 5 at byte {HEAD_BYTES + 320}" in result.output
    assert "BROKEN" in result.output


def test_swapped_entries_are_found(run):
    content = export()
    one, two = (slice(HEAD_BYTES + 64 * at, HEAD_BYTES + 64 * (at + 1)) for at in (5, 6))
    content[one], content[two] = content[two], content[one]
    assert len(json.loads(run(content, "--json").stdout)["faults"]) == 3


def test_numbers_that_jump_are_found_even_if_they_are_chained(run):
    content = export(boots=1)
    link = bytes(content[HEAD_BYTES + 64 * 4 + 40 :][:16])
    for at in range(HEAD_BYTES + 64 * 5, len(content), 64):
        record = content[at : at + 64]
        record[3] += 1
        link = entry.chain(record, link)
        content[at : at + 64] = record
    (fault,) = json.loads(run(content, "--json").stdout)["faults"]
    assert (fault["fault"], fault["entry"]) == ("sequence", 5)


def test_a_chain_made_by_somebody_else_needs_the_key_to_be_found(run):
    content = export()
    link = bytes(16)
    for at in range(HEAD_BYTES, len(content), 64):
        record = content[at : at + 64]
        record[5] = 0
        link = entry.chain(record, link)
        content[at : at + 64] = record
    assert run(content).exit_code == 0
    result = run(content, "--key", "@door.key", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["tags"] == "wrong"
    assert run(export(), "--key", "@other.key").exit_code == 1


def test_a_file_that_was_cut_is_found(run):
    result = run(export()[:-10])
    assert result.exit_code == 1
    assert "54 bytes are left over" in result.output


def test_the_link_before_the_first_entry(run):
    whole = export()
    fourth = entry.Entry(bytes(whole[HEAD_BYTES + 192 :][:64]))
    part = export(after=4)
    assert len(part) == len(whole) - 4 * 64
    assert run(part).exit_code == 0
    assert run(part, "--link", fourth.link.hex()).exit_code == 0
    assert run(part, "--link", "00" * 16).exit_code == 1
    assert run(part, "--link", "00").exit_code == 2


def test_a_ring_that_turned_is_good_and_the_gap_is_told(run):
    result = run(export(boots=1, count=200), "--key", "@door.key")
    assert result.exit_code == 0, result.output
    assert "before they were acknowledged (64)" in result.output


def test_an_unknown_beginning_is_told(run):
    content = export()
    content[6] = 0
    content[12:28] = bytes(16)
    del content[HEAD_BYTES : HEAD_BYTES + 64]
    content[8:12] = bytes(4)
    result = run(content)
    assert result.exit_code == 0 and "is not known" in result.output


def test_an_empty_export_is_good(run):
    assert run(export()[:HEAD_BYTES]).exit_code == 0


@pytest.mark.parametrize("content", [b"", b"SLOG", bytes(96), b"SLOG\x02\x40" + bytes(90)])
def test_what_is_no_export_is_bad_input(run, content):
    result = run(content)
    assert result.exit_code == 2
    assert "not an export" in result.output


def test_a_bad_key_file_is_bad_input(run):
    result = run(export(), "--key", "@bad.key")
    assert result.exit_code == 2 and "64 hexadecimal digits" in result.output
    assert run(export(), "--key", "@absent.key").exit_code == 2
