"""What the tests of ARTIK's API do all the time."""

from typing import Any

from httpx2 import Response

from firmware_tests.cloud.world import Client, World
from host_sim.cloud.web.artik import LOCK, PRIVATE_LOCK


def ok(answer: Response) -> dict:
    """The body of an answer that is none of an error."""
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: Response) -> tuple[int, str]:
    """Status and message of an error, which has ARTIK's form."""
    body = answer.json()
    assert list(body) == ["error"] and sorted(body["error"]) == ["code", "message"], body
    assert body["error"]["code"] == answer.status_code
    return answer.status_code, body["error"]["message"]


def add_lock(owner: Client, name: str = "Door", *, private: bool = False) -> str:
    """A new device's id."""
    body = {"dtid": PRIVATE_LOCK if private else LOCK, "name": name}
    return ok(owner.post("/v1.1/devices", json=body))["data"]["id"]


def offer(owner: Client, device: str, email: str) -> str:
    """A new share's id."""
    answer = owner.post(f"/v1.1/devices/{device}/shares", json={"uid": email})
    return ok(answer)["data"]["id"]


def accept(world: World, holder: Client) -> None:
    """Follow the link in the latest mail to somebody."""
    body = {"token": world.secret(holder.email)}
    answer = holder.post("/account/invitations", json=body)
    assert answer.status_code == 200, answer.text


def share(world: World, owner: Client, device: str, holder: Client) -> str:
    """Offer, and accept; the share's id."""
    made = offer(owner, device, holder.email)
    accept(world, holder)
    return made


def shares(caller: Client, device: str) -> dict[str, str]:
    """Address and status of the shares of a device that somebody sees."""
    answer = ok(caller.get(f"/v1.1/devices/{device}/shares"))
    return {each["email"]: each["status"] for each in answer["data"]["shares"]}


def devices(caller: Client, **query: Any) -> list[str]:
    """The ids of somebody's devices."""
    answer = ok(caller.get(f"/v1.1/users/{caller.uid}/devices", params=query))
    return [each["id"] for each in answer["data"]["devices"]]


def token(owner: Client, device: str) -> dict[str, str]:
    """A new token of a device, as headers."""
    made = ok(owner.put(f"/v1.1/devices/{device}/tokens"))["data"]
    return {"Authorization": f"Bearer {made['accessToken']}"}


def say(world: World, headers: dict[str, str], data: dict, **more: Any) -> str:
    """Let a device say something; the message's id."""
    body = {"type": "message", "data": data, **more}
    return ok(world.http.post("/v1.1/messages", json=body, headers=headers))["data"]["mid"]


def heard(caller: Client, device: str, **query: Any) -> list[dict]:
    """The data of the messages of a device that somebody reads."""
    answer = ok(caller.get("/v1.1/messages", params={"sdid": device, **query}))
    return [each["data"] for each in answer["data"]]


def actions(*names: str) -> dict:
    """The data of a request with these actions."""
    return {"actions": [{"name": name, "parameters": {}} for name in names]}
