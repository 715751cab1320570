"""`lockctl cloud devices` and `phones`: locks that one may see, and the keys of one's phones."""

from pathlib import Path
from typing import Any

import click

from host_sim.cloud.keys import load_public

from .cli import BadInput, Group, json_option
from .cloud import Login
from .output import console, print_json, table

API = "/api/native/v1"


def everything(login: Login, path: str) -> list[dict[str, Any]]:
    """All items of a list that comes in pages. Raises ClickException."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 1000}
    while True:
        page = login.ask("GET", f"{API}/{path}", params=query)
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def find_device(login: Login, device: str) -> dict[str, Any]:
    """The device with an id or a name. Raises BadInput if there is none, or more than one."""
    return _only(everything(login, "devices"), device, "device")


def _only(things: list[dict[str, Any]], wanted: str, what: str) -> dict[str, Any]:
    found = [each for each in things if wanted in (each["id"], each["name"])]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each["id"] for each in found)
        raise BadInput(f"there are {len(found)} {what}s {wanted!r}; name one by its id: {ids}")
    names = ", ".join(each["name"] for each in things) or "none"
    raise BadInput(f"there is no {what} {wanted!r}; there are: {names}")


@click.group(cls=Group)
def devices() -> None:
    """Locks that one owns or has a share of."""


@devices.command("list")
@json_option
def list_devices(as_json: bool) -> None:
    """List them."""
    found = everything(Login.load(), "devices")
    if as_json:
        print_json(found)
        return
    rows = table("name", "you are", "owner", "zone", "changes", "id")
    for each in found:
        told = f"{each['applied']} of {each['sequence']}"
        rows.add_row(each["name"], each["standing"], each["owner"], each["zone"], told, each["id"])
    console().print(rows)


@devices.command("add")
@click.argument("name")
@click.option("--zone", required=True, help="Europe/Warsaw, or a POSIX TZ string.")
@json_option
def add_device(name: str, zone: str, as_json: bool) -> None:
    """Add a lock.

    \b
    Example:
      lockctl cloud devices add 'Front door' --zone Europe/Warsaw
    """
    made = Login.load().ask("POST", f"{API}/devices", json={"name": name, "zone": zone})
    if as_json:
        print_json(made)
    else:
        click.echo(made["id"])


@devices.command("enrol")
@click.argument("device")
@json_option
def enrol_device(device: str, as_json: bool) -> None:
    """Print what the lock of a device is provisioned with; what it had before is void.

    \b
    Example:
      lockctl cloud devices enrol 'Front door' --json >front-door.json
    """
    _show(device, "enrolment", as_json)


@devices.command("home-assistant")
@click.argument("device")
@json_option
def home_assistant(device: str, as_json: bool) -> None:
    """Let Home Assistant find a device of one's own, by a share of its own.

    Prints the broker, and a user and a password there. The share is changed and ended like any
    other; it starts with locking and unlocking from afar. An earlier password is void.
    """
    _show(device, "home-assistant", as_json)


@devices.command("resync")
@click.argument("device")
@click.confirmation_option(
    prompt="Who was revoked since the database was saved is let in again. Go on?"
)
def resync_device(device: str) -> None:
    """Overrule a lock that knows more than a database that was put back from a copy.

    The lock goes on by itself with what changes from now on. This brings it in line with all
    shares as they stand: look at them first.
    """
    login = Login.load()
    login.ask("POST", f"{API}/devices/{find_device(login, device)['id']}/resync")


def _show(device: str, what: str, as_json: bool) -> None:
    """Ask for something that is shown once, and print it."""
    login = Login.load()
    made = login.ask("POST", f"{API}/devices/{find_device(login, device)['id']}/{what}")
    if as_json:
        print_json(made)
        return
    for name, value in made.items():
        click.echo(f"{name}: {value.strip()}")


@devices.command("remove")
@click.argument("device")
@click.confirmation_option(prompt="All of its shares end. Remove the device?")
def remove_device(device: str) -> None:
    """Delete a lock of one's own, by name or id."""
    login = Login.load()
    login.ask("DELETE", f"{API}/devices/{find_device(login, device)['id']}")


@click.group(cls=Group)
def phones() -> None:
    """The keys of one's phones."""


@phones.command("list")
@json_option
def list_phones(as_json: bool) -> None:
    """List them."""
    found = Login.load().ask("GET", f"{API}/phones")
    if as_json:
        print_json(found)
        return
    rows = table("name", "thumbprint", "since", "id")
    for each in found:
        rows.add_row(each["name"], each["thumbprint"], each["created_at"], each["id"])
    console().print(rows)


@phones.command("add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def add_phone(name: str, file: Path, as_json: bool) -> None:
    """Add a phone by its public key, a PEM file; it gets a grant for each of one's shares.

    \b
    Example:
      lockctl cloud phones add Pixel anna.pub.pem
    """
    public = load_public(file)
    body = {"name": name, "key": (public.x + public.y).hex()}
    made = Login.load().ask("POST", f"{API}/phones", json=body)
    if as_json:
        print_json(made)
    else:
        click.echo(made["id"])


@phones.command("remove")
@click.argument("phone")
def remove_phone(phone: str) -> None:
    """Forget a phone, by name or id; its grants are revoked."""
    login = Login.load()
    found = _only(login.ask("GET", f"{API}/phones"), phone, "phone")
    login.ask("DELETE", f"{API}/phones/{found['id']}")
