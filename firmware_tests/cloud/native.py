"""The native API as tests speak it."""

API = "/api/native/v1"


def ok(answer, status=200):
    """What it says, once it is an answer with this status."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refused(answer):
    """(status, code) of an answer that is a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def add_lock(owner, zone="Europe/Warsaw", **more):
    """The id of a new lock."""
    return ok(owner.post(f"{API}/devices", json={"name": "Door", "zone": zone, **more}), 201)["id"]


def give(owner, door, email, words=None, **more):
    """A new share of a lock."""
    body = {"email": email, "terms": words or {}, **more}
    return ok(owner.post(f"{API}/devices/{door}/shares", json=body), 201)
