"""`lockctl provision` and `lockctl doctor`, with a board at a serial port."""

import json

import pytest
from click.testing import CliRunner

from firmware.store import identity, wifi
from firmware.store import cloud as clouds
from firmware.store.flash import Flash
from firmware_tests.flash.port import LISTENS, Console, restart, run
from host_sim import runtimes
from host_sim.cloud.link.certificates import Certificates
from host_sim.serial_board import SerialBoard
from host_sim.story import key_of
from host_sim.world.zones import posix
from tools import flash, rom
from tools.device import Device
from tools.lockctl import doctor

ISSUER, ROOT = key_of("issuer"), key_of("root")


@pytest.fixture
def enrolment(tmp_path):
    """What `lockctl cloud devices enrol --json` prints, in a file."""
    path = tmp_path / "door.json"
    given = {
        "lock": "0123456789abcdef",
        "secret": "5a" * 32,
        "issuer": (ISSUER.public.x + ISSUER.public.y).hex(),
        "broker": "mqtts://cloud.example.org:8883",
        "ca": Certificates(tmp_path / "tls").authority.read_text(),
        "url": "https://cloud.example.org",
    }
    path.write_text(json.dumps(given))
    return path


def lockctl(*arguments):
    return run("tools.lockctl", *arguments)


def test_a_board_becomes_a_lock_once(board, enrolment, tmp_path):
    root = tmp_path / "root.pub.pem"
    root.write_bytes(ROOT.public_pem())
    words = ["provision", enrolment, "--port", board.port, "--zone", "Europe/Warsaw"]
    words += ["--root", root, "--wifi", "Home", "--wifi-password", "correct horse"]
    done = lockctl(*words)
    assert (done.returncode, done.stderr) == (0, ""), done
    with Console(board.port) as console:
        console.hear("ready")
    flash = Flash(str(board.flash))
    who, cloud = identity.read(flash.pair), clouds.read(flash.pair)
    assert who and who.root and cloud
    assert (who.lock, who.issuer.x) == (b"0123456789abcdef", ISSUER.public.x)
    assert (who.root.x, who.zone) == (ROOT.public.x, posix("Europe/Warsaw"))
    assert who.device_key not in (bytes(32), b"")
    assert (cloud.broker, cloud.web) == ("cloud.example.org:8883", "cloud.example.org:443")
    assert cloud.plain == "cloud.example.org:80"
    assert wifi.read(flash.pair) == ("Home", "correct horse")

    board.hold(4)
    board.cut()
    board.power_on()
    with Console(board.port) as console:
        console.hear(LISTENS)
    done = lockctl(*words)
    assert done.returncode == 1 and "provisioned" in done.stderr and "Traceback" not in done.stderr


def test_what_is_no_enrolment_is_refused_before_the_board_is_asked(tmp_path):
    path = tmp_path / "x.json"
    for text in ("", "[]", "{}", '{"broker": 1, "url": 2}'):
        path.write_text(text)
        done = lockctl("provision", path, "--port", "/dev/nowhere")
        assert done.returncode == 2 and "lockctl cloud devices enrol" in done.stderr, text


def test_a_healthy_board_passes_and_a_sick_one_does_not(board):
    done = lockctl("doctor", "--port", board.port, "--json")
    found = {each["check"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert found["firmware"]["good"] and found["answers"]["good"] and found["flash"]["good"]
    assert found["clock"]["good"] and found["rtc"]["seen"] == "it has no time yet"
    assert found["identity"]["seen"] == "not provisioned"
    assert found["runs"]["seen"] == "from files" and found["memory"]["good"]

    (board.flash / "firmware/app.mpy").write_bytes(b"another")
    (board.flash / "crash").write_text("2 ValueError('mail',)")
    board.hold(4)
    done = lockctl("doctor", "--port", board.port)
    assert done.returncode == 1
    bad = [line.split()[0] for line in done.stdout.splitlines() if " BAD " in line]
    assert bad == ["firmware", "crash", "pins"]
    assert "firmware/app.mpy" in done.stdout and "ValueError('mail',)" in done.stdout


def test_a_board_says_whether_it_runs_in_place_and_has_the_memory_for_it(tmp_path, monkeypatch):
    program = tmp_path / "doctor.py"
    monkeypatch.setattr(doctor, "_PROGRAM", program)
    text = (runtimes.ROOT / "tools/lockctl/_doctor_device.py").read_text()
    with SerialBoard(tmp_path, rom=rom.BYTES) as board:
        with Device(board.port) as device:
            flash.put(device, flash.contents())
            device.restart()
        for needs, good in (("234", True), ("23_400_000", False)):
            restart(board, LISTENS)
            program.write_text(text.replace(" 234)", f" {needs})"))
            done = CliRunner().invoke(doctor.doctor, ["--port", board.port, "--json"])
            found = {each["check"]: each for each in json.loads(done.stdout)}
            assert found["runs"]["seen"] == "in place"
            assert found["firmware"]["good"] and found["memory"]["good"] == good
            assert done.exit_code == (0 if good else 1)
