"""A directory with keys, and `lockctl` to work with in it."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from host_sim.story import key_of
from tools.lockctl.__main__ import main

WARSAW = "Europe/Warsaw"
TO = ("--holder", "anna", "--share", "7", "--lock", "front-door", "--zone", WARSAW)


class Desk:
    """`issuer.pem` and `anna.pem` with their public keys are there; `folder` is where."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("issuer", "anna"):
            key = key_of(name)
            key.save(self.path(f"{name}.pem"))
            self.path(f"{name}.pub.pem").write_bytes(key.public_pem())

    def path(self, name: str) -> Path:
        """A file of this desk."""
        return self.folder / name

    def run(self, *arguments: Any, stdin: bytes | str | None = None) -> Result:
        """Run the command; what is no exit but an exception fails the test."""
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(main, words, stdin, catch_exceptions=False)

    def json(self, *arguments: Any, stdin: bytes | str | None = None) -> Any:
        """What the command prints with --json."""
        return json.loads(self.run(*arguments, "--json", stdin=stdin).stdout)

    def issue(self, *terms: Any) -> Result:
        """Issue a grant for Anna, with more options."""
        keys = ("--issuer", self.path("issuer.pem"), "--holder-key", self.path("anna.pub.pem"))
        return self.run("grant", "issue", *keys, *TO, *terms)

    def grant(self, *terms: Any, name: str = "anna.cwt") -> Path:
        """The file of a grant for Anna."""
        path = self.path(name)
        result = self.issue(*terms, "--out", path)
        assert result.exit_code == 0, result.stderr
        return path
