"""The share cloud as a process, as a user starts it, and people who talk to it over HTTP."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import httpx2

from firmware_tests.cloud.world import PASSWORD
from host_sim.runtimes import ROOT

PATIENCE_S = 60


class Process:
    """`python -m host_sim.cloud` with some more `options`; by default on ports of its own."""

    def __init__(self, folder: Path, *options: str):
        self.folder = folder
        self._log = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill up
        self._process = subprocess.Popen(
            [sys.executable, "-m", "host_sim.cloud", "--port", "0", "--mqtt-port", "0", *options],
            cwd=ROOT,
            env={**os.environ, "SHARELOCK_CLOUD_DATA": str(folder)},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None
        lines = self._process.stdout.readline() + self._process.stdout.readline()
        told = r"cloud at (http://127\.0\.0\.1:\d+)\nLocks come to mqtts://127\.0\.0\.1:(\d+)\n"
        ((self.url, broker),) = re.findall(told, lines)
        self.broker = int(broker)

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """(exit status, the rest of its output, its log)."""
        self._process.send_signal(how)
        out, _ = self._process.communicate(timeout=PATIENCE_S)
        with self._log:
            self._log.seek(0)
            return self._process.returncode, out, self._log.read()

    def person(self, email: str, name: str) -> httpx2.Client:
        """Somebody with an account, who is logged in; to be closed."""
        body = {"email": email, "name": name}
        assert httpx2.post(f"{self.url}/account", json=body).status_code == 202
        body = {"token": self.secret(email), "password": PASSWORD}
        assert httpx2.post(f"{self.url}/account/confirm", json=body).status_code == 201
        body = {"email": email, "password": PASSWORD}
        token = httpx2.post(f"{self.url}/account/log-in", json=body).json()["token"]
        return self.client(token)

    def client(self, token: str) -> httpx2.Client:
        """Who has this token; to be closed."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S)

    def secret(self, email: str) -> str:
        """What stands after the # in the first mail to somebody, when it has come."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for file in (self.folder / "mail").glob("*.eml"):
                mail = message_from_bytes(file.read_bytes(), policy=default)
                if mail["To"] == email:
                    (secret,) = re.findall(r"#(\S+)", mail.get_content())
                    return secret
            time.sleep(0.05)
        raise AssertionError("no mail has come")
