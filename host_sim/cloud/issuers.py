"""The issuer's keys: PEM files in a folder, of which the newest that the root vouched for signs.

Locks are provisioned with `issuer-1.pem`. `issuer-2.pem` waits until `issuer-2.cose` is there: the
root's statement that this key is the issuer in epoch 2; and so on. The statements are checked by
`root.pub.pem`. The root's private key is kept elsewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from firmware.access.claims import ClaimsError
from firmware.access.intake import COSE_REASONS
from firmware.access.statements import ISSUER, read_issuer
from firmware.crypto import cose
from firmware.crypto.p256 import PublicKey
from firmware.policy.instant import to_unix
from host_sim import words
from host_sim.files import write_whole

from .keys import KeyFileError, PrivateKey, load_public

FIRST = 1
ROOT = "root.pub.pem"
_NAME = re.compile(r"issuer-([1-9][0-9]{0,8})\.(pem|pub\.pem|cose)")
_SUFFIXES = (".pem", ".cose")
_MOST_AHEAD_S = 300  # of two clocks that do not agree


@dataclass(frozen=True)
class Issuer:
    """A key of the issuer.

    Its number is the epoch in which the root's `statement` makes it the issuer; the first one
    needs none.
    """

    number: int
    key: PrivateKey
    statement: bytes | None

    @property
    def kid(self) -> bytes:
        """The key's id (RFC 9679, 8 bytes)."""
        return cose.key_id(self.key.public)

    @property
    def may_sign(self) -> bool:
        """Whether locks know of it, or can be told."""
        return self.number == FIRST or self.statement is not None


class Issuers:
    """The keys in a folder that only the service reads, as they were when this was made.

    `all` is in the order of their numbers; `signer` is the one that signs. `now` is in Unix
    seconds: a statement from the future would move the clocks of locks. Raises KeyFileError and
    OSError.
    """

    def __init__(self, folder: Path, now: int):
        self._folder = folder
        self._files = _files(folder)
        self.all = [_load(folder, number, now) for number in _keys(folder, self._files)]
        able = [each for each in self.all if each.may_sign]
        if not able:
            raise KeyFileError(f"{folder} has no issuer-1.pem, nor one that the root vouched for")
        self.signer = able[-1]
        self._by_kid = {each.kid: each.key for each in self.all}

    @classmethod
    def prepare(cls, folder: Path, now: int) -> "Issuers":
        """The same at start: makes the folder and the first key."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _numbered(folder, _files(folder)):
            new(folder)
        return cls(folder, now)

    @property
    def current(self) -> bytes:
        """The id of the key that signs."""
        return self.signer.kid

    def key(self, kid: bytes) -> PrivateKey:
        """The key with this id. Raises KeyFileError if its file is gone."""
        if kid not in self._by_kid:
            raise KeyFileError(f"{self._folder} has no key {kid.hex()}; put its file back")
        return self._by_kid[kid]

    def again(self, now: int) -> "Issuers":
        """What is in the folder now; an error if that would bring back an older signer."""
        if _files(self._folder) == self._files:
            return self
        fresh = Issuers(self._folder, now)
        if fresh.signer.number < self.signer.number:
            raise KeyFileError(
                f"{self._folder} lost files of issuer-{self.signer.number}, which is signing; "
                "put them back: a lock that heard of it takes in nothing from an older one"
            )
        return fresh

    def accept(self, statement: bytes, now: int) -> Issuer:
        """Put the root's statement into the folder; whom it is for."""
        epoch, key = _read(self._folder, statement, now)
        named = {each.number: each for each in self.all}.get(epoch)
        if named is None:
            raise KeyFileError(
                f"the statement is for epoch {epoch}; there is no "
                f"{_path(self._folder, epoch, 'pem')}"
            )
        if epoch < self.signer.number:
            raise KeyFileError(
                f"the statement is for epoch {epoch}, and {self.signer.number} is signing already"
            )
        named = replace(named, statement=statement)
        _compare(named, epoch, key)
        write_whole(_path(self._folder, epoch, "cose"), statement)
        return named


def new(folder: Path) -> tuple[int, Path]:
    """Make the next key: its number, and the file to hand out. Raises KeyFileError, OSError."""
    number = max(_numbered(folder, _files(folder)), default=FIRST - 1) + 1
    public = _path(folder, number, "pub.pem")
    PrivateKey.new().save_pair(_path(folder, number, "pem"), public)
    return number, public


def _path(folder: Path, number: int, ending: str) -> Path:
    return folder / f"issuer-{number}.{ending}"


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """All keys and statements, with what changes when they do."""
    stats = {path.name: path.stat() for path in folder.iterdir() if path.suffix in _SUFFIXES}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in stats.items()}


def _numbered(folder: Path, names: Iterable[str]) -> dict[int, set[str]]:
    """The numbers in their order, each with the endings of its files. Raises KeyFileError."""
    found: dict[int, set[str]] = {}
    for name in names:
        if name == ROOT:
            continue
        parts = _NAME.fullmatch(name)
        if parts is None:
            raise KeyFileError(
                f"{folder / name} is no file of the issuer: its keys are issuer-1.pem and so on, "
                f"and the root's public key is {ROOT}"
            )
        found.setdefault(int(parts[1]), set()).add(parts[2])
    return dict(sorted(found.items()))


def _keys(folder: Path, names: Iterable[str]) -> list[int]:
    """The numbers of the keys. Raises KeyFileError if the root vouched for one that is gone."""
    found = _numbered(folder, names)
    for number, endings in found.items():
        if "cose" in endings and "pem" not in endings:
            raise KeyFileError(f"{_path(folder, number, 'pem')} is gone; put it back")
    return [number for number, endings in found.items() if "pem" in endings]


def _load(folder: Path, number: int, now: int) -> Issuer:
    path = _path(folder, number, "cose")
    statement = path.read_bytes() if path.exists() else None
    issuer = Issuer(number, PrivateKey.load(_path(folder, number, "pem")), statement)
    if statement is not None:
        try:
            _compare(issuer, *_read(folder, statement, now))
        except KeyFileError as error:
            raise KeyFileError(f"{path}: {error}") from None
    return issuer


def _compare(issuer: Issuer, epoch: int, key: PublicKey) -> None:
    """Raises KeyFileError if a statement of the root's is about another epoch or key."""
    if epoch != issuer.number:
        raise KeyFileError(f"the statement is for epoch {epoch}")
    if (key.x, key.y) != (issuer.key.public.x, issuer.key.public.y):
        raise KeyFileError(
            f"the statement is for the key {cose.key_id(key).hex()}, and "
            f"issuer-{issuer.number}.pem is {issuer.kid.hex()}"
        )


def _read(folder: Path, statement: bytes, now: int) -> tuple[int, PublicKey]:
    """Epoch and key of a statement of the root's. Raises KeyFileError."""
    try:
        root = load_public(folder / ROOT)
    except FileNotFoundError:
        raise KeyFileError(
            f"the statement cannot be checked: put the root's public key into {folder / ROOT}"
        ) from None
    try:
        message = cose.parse(statement)
        if message.typ != ISSUER:
            raise KeyFileError("the statement is not about an issuer")
        if message.kid != cose.key_id(root):
            raise KeyFileError(
                f"the statement is signed by {message.kid.hex()}, and {ROOT} is "
                f"{cose.key_id(root).hex()}"
            )
        issued, epoch, key = read_issuer(cose.verify(message, root))
    except ClaimsError as error:
        raise KeyFileError(words.text(error.reason)) from None
    except cose.CoseError as error:
        raise KeyFileError(words.text(COSE_REASONS[error.code])) from None
    if to_unix(issued) > now + _MOST_AHEAD_S:
        raise KeyFileError(
            f"the statement is from the future, {words.iso(issued)}: locks would believe that time"
        )
    return epoch, key
