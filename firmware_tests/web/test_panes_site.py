"""The page as a web site: whole pages, parts of them, forms, events, and who is refused."""

import asyncio
import re

import pytest
from starlette.testclient import TestClient

from firmware_tests.web.stand import stand
from host_sim.cloud.domain.errors import Conflict
from host_sim.web.app import create_app
from host_sim.web.panes import Page, Pane, Refused
from host_sim.web.views import mail

HOST = "http://127.0.0.1:8000"


@pytest.fixture
def here(tmp_path):
    with stand(tmp_path) as made:
        yield made


def app(here, **actions):
    """With one pane, which shows the mails, and its own actions."""
    pane = Pane("mail", "E-mails", mail.view, ("mail",), actions)
    return create_app(here, [Page("/", "Test", (pane,))])


def client(here, base_url=HOST, **actions):
    return TestClient(app(here, **actions), base_url=base_url, follow_redirects=False)


def write(here, text):
    with here.setting_up() as context:
        context.mail("bob@example.org", "Hello", text)


def test_a_page_has_its_panes_and_a_strict_policy(here):
    answer = client(here).get("/")
    assert 'id="mail"' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"<script(?![^>]* src=\"/static/)|<style|style=|\son\w+=", answer.text)


def test_a_part_is_what_the_page_has(here):
    web = client(here)
    assert web.get("/pane/mail").text.strip() in web.get("/").text
    assert web.get("/pane/none").status_code == 404


def test_what_people_write_is_text(here):
    write(here, "<script>alert(1)</script> see https://cloud.example/accept#1 there")
    text = client(here).get("/").text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    assert '<a href="https://cloud.example/accept#1">https://cloud.example/accept#1</a>' in text


def test_a_form_without_scripts_comes_back_to_its_page(here):
    done = []

    def note(stand, query, form):
        done.append((query["me"], form["a"]))
        return "Noted."

    web = client(here, note=note)
    answer = web.post("/pane/mail/note?me=anna", data={"a": "1"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/?me=anna#mail"
    assert done == [("anna", "1")]


@pytest.mark.parametrize("refusal", [Refused("not <so>"), Conflict("code", "not <so>")])
def test_a_refusal_is_told(here, refusal):
    def refuse(stand, query, form):
        raise refusal

    web = client(here, note=refuse)
    whole = web.post("/pane/mail/note", data={"a": "1"})
    assert whole.status_code == 422
    assert '<p class="said bad" role="status">not &lt;so&gt;</p>' in whole.text
    live = web.post("/pane/mail/note", data={"a": "1"}, headers={"X-Live": "1"})
    assert (live.status_code, live.text) == (422, "not <so>")


def test_an_action_may_take_its_time(here):
    async def note(stand, query, form):
        await asyncio.sleep(0)
        return "done"

    answer = client(here, note=note).post(
        "/pane/mail/note", data={"a": "1"}, headers={"X-Live": "1"}
    )
    assert (answer.status_code, answer.text) == (200, "done")
    assert client(here).post("/pane/mail/other", data={"a": "1"}).status_code == 404


def test_other_sites_and_machines_are_refused(here):
    def note(stand, query, form):
        raise AssertionError("it must not come this far")

    web = client(here, note=note)
    for origin in ("https://evil.example", "http://127.0.0.1:9000", "null"):
        headers = {"Origin": origin}
        assert web.post("/pane/mail/note", data={"a": "1"}, headers=headers).status_code == 403
    rebound = client(here, "http://evil.example")
    assert rebound.get("/").status_code == 400
    assert web.post("/pane/mail/note", data={"a": "1" * 70_000}).status_code == 413


def test_events_come_from_a_number_on(here):
    async def lines(headers, query):
        """What is sent within a moment, over ASGI itself: the test client waits for the end."""
        sent = []

        async def receive():
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message.get("body", b""))

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/events",
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1"), *headers],
        }
        await asyncio.wait_for(app(here)(scope, receive, send), 5)
        return b"".join(sent).decode()

    for kind in ("door", "mail", "cloud"):
        here.events.add(kind)
    said = asyncio.run(lines([], b"after=1"))
    assert said.endswith("id: 2\ndata: mail\n\nid: 3\ndata: cloud\n\n")
    assert "door" not in said
    again = asyncio.run(lines([(b"last-event-id", b"2")], b"after=1"))
    assert again.endswith("\n\nid: 3\ndata: cloud\n\n")
    assert "mail" not in again
