"""Mail: from the outbox into a folder or to a server, retried, and with no header smuggled in."""

import socket
import threading
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from host_sim.cloud import mail
from host_sim.cloud.database import connect, transaction
from host_sim.cloud.domain.model import Mail
from host_sim.cloud.worker import Worker

SENDER = "sharelock@cloud.example"


@pytest.fixture
def engine(database_url):
    made = connect(database_url)
    yield made
    made.dispose()


def put(engine, at=1000, **fields):
    row = {"to": "anna@example.org", "subject": "A share", "text": "Welcome.\n", **fields}
    with transaction(engine) as session:
        session.add(Mail(**row, created_at=at))


class Broken:
    """A server that is down, `times` often."""

    def __init__(self, times):
        self.times = times
        self.names = []

    def send(self, message, name):
        if self.times:
            self.times -= 1
            raise ConnectionRefusedError("with anna@example.org in the text")
        self.names.append(name)


def test_each_mail_is_a_file_for_its_owner_only(engine, tmp_path):
    put(engine, subject="Tür 1", text="Grüße, 李\n")
    put(engine, to="jörg@example.org")
    by = mail.carrier(f"folder:{tmp_path}/mail")
    assert mail.deliver(engine, 1000, by, SENDER) == 2
    assert mail.deliver(engine, 1000, by, SENDER) == 0
    first, second = sorted((tmp_path / "mail").iterdir())
    assert first.stat().st_mode & 0o777 == 0o600
    read = message_from_bytes(first.read_bytes(), policy=default)
    assert (read["From"], read["To"], read["Subject"]) == (SENDER, "anna@example.org", "Tür 1")
    assert read.get_content().strip() == "Grüße, 李"
    assert "jörg@example.org".encode() in second.read_bytes()


@pytest.mark.parametrize("field", ["to", "subject"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\r\n\r\n"])
def test_a_line_break_makes_no_header_and_no_body(field, end):
    row = Mail(id=1, to="anna@example.org", subject="Door", text="Welcome.\n", created_at=1)
    setattr(row, field, getattr(row, field) + f"{end}Bcc: mallory@example.org")
    written = mail.compose(row, SENDER).as_bytes()
    read = message_from_bytes(written, policy=default)
    assert read["Bcc"] is None
    assert read.get_content().strip() == "Welcome."
    assert written.count(b"\r\n\r\n") == 1


def test_a_server_that_is_down_is_tried_again_ever_more_rarely(engine, caplog):
    put(engine)
    by = Broken(mail.ATTEMPTS)
    tries = []
    for now in range(1000, 10_000, 10):
        left = by.times
        assert mail.deliver(engine, now, by, SENDER) == 0
        if by.times < left:
            tries.append(now - 1000)
        if not by.times:
            break
    assert tries == [0, 30, 90, 210, 450, 930, 1890, 3810]
    assert mail.deliver(engine, 1_000_000, by, SENDER) == 0
    assert "anna" not in caplog.text


def test_one_mail_that_fails_does_not_hold_up_the_next(engine):
    put(engine)
    put(engine)
    by = Broken(1)
    assert mail.deliver(engine, 1000, by, SENDER) == 1
    assert mail.deliver(engine, 1030, by, SENDER) == 1
    assert by.names == ["00000002", "00000001"]


def test_no_transaction_is_open_while_a_server_is_talked_to(engine):
    put(engine)

    class Writing:
        def send(self, message, name):
            put(engine, to="berta@example.org")

    assert mail.deliver(engine, 1000, Writing(), SENDER) == 1


def test_the_postman_comes_when_woken(engine):
    put(engine)
    by, came = Broken(0), threading.Event()

    def run():
        sent = mail.deliver(engine, 1000, by, SENDER)
        came.set()
        return sent

    with Worker("postman", run, 15) as postman:
        assert came.wait(10)
        came.clear()
        put(engine)
        postman.wake()
        assert came.wait(10)
    assert by.names == ["00000001", "00000002"]


class Inbox:
    """What an SMTP server got."""

    def __init__(self):
        self.got = []

    async def handle_DATA(self, server, session, envelope):
        self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def smtp():
    """Start servers with options; (inbox, host:port)."""
    running = []

    def start(**options):
        inbox = Inbox()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = Controller(inbox, hostname="127.0.0.1", port=port, **options)
        server.start()
        running.append(server)
        return inbox, f"127.0.0.1:{port}"

    yield start
    for server in running:
        server.stop()


def test_mail_goes_out_through_smtp(engine, smtp):
    inbox, at = smtp()
    put(engine, text="Grüße\n")
    assert mail.deliver(engine, 1000, mail.carrier(f"smtp://{at}"), SENDER) == 1
    ((sender, to, content),) = inbox.got
    assert (sender, to) == (SENDER, ["anna@example.org"])
    assert message_from_bytes(content, policy=default).get_content().strip() == "Grüße"


def test_a_password_is_not_sent_in_clear(engine, smtp):
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append(data)
        return AuthResult(success=True)

    inbox, at = smtp(authenticator=check, auth_require_tls=False)
    put(engine)
    assert mail.deliver(engine, 1000, mail.carrier(f"smtp://me:secret@{at}"), SENDER) == 0
    assert seen == [] and inbox.got == []


def test_a_password_may_have_any_character():
    smtp = mail.Smtp("smtps://anna%40example.org:p%3A%2F%40@mail.example")
    assert (smtp.user, smtp.password, smtp.host) == ("anna@example.org", "p:/@", "mail.example")
    assert (smtp.port, mail.Smtp("smtp://mail.example").port) == (465, 587)


@pytest.mark.parametrize("url", ["", "folder:", "http://x", "smtp:x", "smtp://x:port", "/tmp"])
def test_another_way_of_sending_is_refused(url):
    with pytest.raises(mail.MailError):
        mail.carrier(url)
