"""The issuer's keys: PEM files in a folder, the newest of which signs."""

from pathlib import Path

from firmware.crypto import cose

from .keys import KeyFileError, PrivateKey


class Issuers:
    """The keys in a folder that only the service reads; makes the first one.

    Files are named by their number: `issuer-1.pem` is the oldest. Raises KeyFileError.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys: dict[bytes, PrivateKey] = {}
        for path in sorted(folder.glob("issuer-*.pem"), key=_number):
            self._add(PrivateKey.load(path))
        if not self._keys:
            self.rotate()

    @property
    def current(self) -> bytes:
        """The key id (RFC 9679, 8 bytes) of the key that signs."""
        return list(self._keys)[-1]

    def key(self, kid: bytes) -> PrivateKey:
        """The key with this id. Raises KeyFileError if its file is gone."""
        if kid not in self._keys:
            raise KeyFileError(f"{self._folder} has no key {kid.hex()}; put its file back")
        return self._keys[kid]

    def rotate(self) -> bytes:
        """Make a new key that signs from now on; its id. What older ones signed stays good."""
        key = PrivateKey.new()
        key.save(self._folder / f"issuer-{len(self._keys) + 1}.pem")
        self._add(key)
        return self.current

    def _add(self, key: PrivateKey) -> None:
        self._keys[cose.key_id(key.public)] = key


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("issuer-")
    if not digits.isdecimal():
        raise KeyFileError(f"{path} is no issuer key: they are named issuer-1.pem and so on")
    return int(digits)
