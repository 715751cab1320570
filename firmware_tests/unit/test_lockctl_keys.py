"""`lockctl keys`: files that nobody else can read, that are never overwritten, and their names."""

import json
import os
import stat
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from firmware_tests.unit.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def test_a_new_key_is_two_files_that_belong_together(desk):
    path = desk.path("door.pem")
    made = desk.json("keys", "new", "--out", path)
    private = private_key(path)
    public = load_pem_public_key(desk.path("door.pub.pem").read_bytes())
    assert private.curve.name == "secp256r1" and private.public_key() == public
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")  # PKCS8
    assert made["private"] == str(path) and made["public"] == str(desk.path("door.pub.pem"))


def test_only_its_owner_can_read_a_private_key(desk):
    mask = os.umask(0)
    try:
        desk.run("keys", "new", "--out", desk.path("door.pem"))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(desk.path("door.pem").stat().st_mode) == 0o600


def test_a_name_makes_files_here(desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    result = desk.run("keys", "new", "front.door")
    assert result.exit_code == 0
    assert desk.path("front.door.pem").exists() and desk.path("front.door.pub.pem").exists()


def test_two_new_keys_are_different(desk):
    made = [desk.json("keys", "new", "--out", desk.path(name)) for name in ("a.pem", "b.pem")]
    assert made[0]["thumbprint"] != made[1]["thumbprint"]


@pytest.mark.parametrize("there", ["door.pem", "door.pub.pem"])
def test_no_file_is_overwritten_and_none_left_alone(desk, there):
    desk.path(there).write_text("mine")
    result = desk.run("keys", "new", "--out", desk.path("door.pem"))
    assert result.exit_code == 2 and "never overwritten" in result.stderr
    assert desk.path(there).read_text() == "mine"
    assert len(list(desk.folder.glob("door*"))) == 1


def test_a_public_key_that_cannot_be_written_takes_the_private_one_along(desk):
    desk.path("door.pub.pem").symlink_to(desk.path("nowhere") / "file")  # does not "exist"
    result = desk.run("keys", "new", "--out", desk.path("door.pem"))
    assert result.exit_code == 2
    assert not desk.path("door.pem").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'NAME'"),
        (("door", "--out", "x.pem"), "cannot be used together"),
        (("--out", "no/such/folder/x.pem"), "No such file or directory"),
    ],
)
def test_bad_usage_is_told(desk, arguments, said):
    result = desk.run("keys", "new", *arguments)
    assert result.exit_code == 2 and said in result.stderr


def test_both_files_of_a_key_show_the_same_names(desk):
    private = desk.json("keys", "show", desk.path("anna.pem"))
    public = desk.json("keys", "show", desk.path("anna.pub.pem"))
    assert private["kid"] == public["kid"] == private["thumbprint"][:16]
    assert private["thumbprint"] == public["thumbprint"]
    assert len(private["thumbprint"]) == 64


def test_nothing_of_a_private_key_is_shown(desk):
    scalar = private_key(desk.path("anna.pem")).private_numbers().private_value
    output = desk.run("keys", "show", desk.path("anna.pem")).output
    assert f"{scalar:064x}" not in output and "PRIVATE" not in output


def test_the_thumbprint_is_that_of_rfc_9679(desk):
    key = private_key(desk.path("anna.pem")).public_key().public_numbers()
    x, y = key.x.to_bytes(32, "big"), key.y.to_bytes(32, "big")
    content = cbor2.dumps({1: 2, -1: 1, -2: x, -3: y}, canonical=True)
    shown = desk.json("keys", "show", desk.path("anna.pub.pem"))
    assert shown["thumbprint"] == sha256(content).hexdigest()


def pem_of(kind: str) -> bytes:
    curve = ec.SECP384R1() if kind == "curve" else ec.SECP256R1()
    locked = BestAvailableEncryption(b"pw") if kind == "password" else NoEncryption()
    key = ec.generate_private_key(curve)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    return {"garbage": b"\xff\x00", "empty": b"", "half": pem[: len(pem) // 2]}.get(kind, pem)


@pytest.mark.parametrize("kind", ["curve", "password", "garbage", "empty", "half"])
def test_what_is_no_key_is_told(desk, kind):
    path = desk.path("odd.pem")
    path.write_bytes(pem_of(kind))
    result = desk.run("keys", "show", path)
    assert result.exit_code == 2 and str(path) in result.stderr


def test_people_see_the_same_as_programs(desk):
    result = desk.run("keys", "show", desk.path("anna.pem"))
    shown = json.loads(desk.run("keys", "show", desk.path("anna.pem"), "--json").stdout)
    for value in shown.values():
        assert value in result.stdout
