"""`lockctl cloud shares` and `invitations`: who may open which lock, and who was asked to."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from host_sim.words import ACTION_NAMES, CHANNEL_NAMES

from .cli import NO, BadInput, Group, json_option
from .cloud import Login
from .cloud_devices import API, everything, find_device
from .output import console, print_json, table

_F = TypeVar("_F", bound=Callable[..., Any])

# By option, the member of the terms.
_TERMS = {
    "level": "level",
    "right": "rights",
    "channel": "channels",
    "start": "from",
    "until": "until",
    "rule": "rules",
    "uses": "uses",
    "after_first_use": "after_first_use",
    "duress": "duress",
}
_ALL_RIGHTS = {"guest": ["unlock", "lock", "pull"], "admin": list(ACTION_NAMES.values())}


def terms_options(command: _F) -> _F:
    """The options by which one says what a share allows; `_body` reads them."""
    for option in (
        click.option("--pass-on/--no-pass-on", default=None, help="May it be passed on?"),
        click.option("--lease", metavar="DURATION", help="Renew grants that often: 7 d."),
        click.option("--duress/--no-duress", default=None, help="Opening raises an alarm."),
        click.option("--after-first-use", metavar="DURATION", help="For how long then: 2 h."),
        click.option("--uses", type=int, help="How often it may open."),
        click.option(
            "--rule",
            multiple=True,
            metavar="RULE",
            help="'[deny] DAYS [HH:MM-HH:MM] [utc] [from DATE] [to DATE]', up to eight.",
        ),
        click.option("--until", metavar="TIME", help="Not from then on."),
        click.option(
            "--from",
            "start",
            metavar="TIME",
            help="Not before: 2026-07-01T12:00Z, or without Z on the wall clock of the lock.",
        ),
        click.option("--channel", multiple=True, type=click.Choice(list(CHANNEL_NAMES.values()))),
        click.option(
            "--right",
            multiple=True,
            type=click.Choice(list(ACTION_NAMES.values())),
            help="Repeat for more.",
        ),
        click.option("--level", type=click.Choice(["guest", "admin"])),
    ):
        command = option(command)
    return command


def find_share(login: Login, device: dict[str, Any], who: str) -> dict[str, Any]:
    """The share of a device with an address or an id. Raises BadInput."""
    shares = everything(login, f"devices/{device['id']}/shares")
    for each in shares:
        if who.casefold() in (each["id"], each["email"].casefold()):
            return each
    holders = ", ".join(each["email"] for each in shares)
    raise BadInput(f"{who!r} has no share of {device['name']}; there are: {holders}")


@click.group(cls=Group)
def shares() -> None:
    """Who may open a lock, and when. DEVICE is its name or id, WHO an address or a share's id."""


@shares.command("list")
@click.argument("device")
@json_option
def list_shares(device: str, as_json: bool) -> None:
    """List those of a lock."""
    login = Login.load()
    _tell(everything(login, f"devices/{find_device(login, device)['id']}/shares"), as_json)


@shares.command("add")
@click.argument("device")
@click.argument("email")
@click.option("--by-link", is_flag=True, help="Wait until the mailed link is followed.")
@terms_options
@json_option
def add(device: str, email: str, by_link: bool, as_json: bool, **options: Any) -> None:
    """Share a lock with an address.

    \b
    Examples:
      lockctl cloud shares add 'Front door' bob@example.org --rule 'mon-fri 08:00-16:00'
      lockctl cloud shares add 'Front door' cy@example.org --uses 1 --until 2026-12-31T12:00
    """
    login = Login.load()
    path = f"{API}/devices/{find_device(login, device)['id']}/shares"
    body = {"email": email, "by_link": by_link, **_body(options, ())}
    _tell([login.ask("POST", path, json=body)], as_json)


@shares.command("change")
@click.argument("device")
@click.argument("who")
@click.option(
    "--clear",
    multiple=True,
    type=click.Choice([*_TERMS.values(), "lease"]),
    help="Drop this limit. Repeat for more.",
)
@terms_options
@json_option
def change(device: str, who: str, clear: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Change a share; what is not named stays as it is.

    \b
    Example:
      lockctl cloud shares change 'Front door' bob@example.org --uses 5 --clear until
    """
    login = Login.load()
    share = find_share(login, find_device(login, device), who)
    path = f"{API}/shares/{share['id']}"
    _tell([login.ask("PATCH", path, json=_body(options, clear))], as_json)


@shares.command("remove")
@click.argument("device")
@click.argument("who")
def remove(device: str, who: str) -> None:
    """Revoke a share, or give back one's own."""
    login = Login.load()
    share = find_share(login, find_device(login, device), who)
    login.ask("DELETE", f"{API}/shares/{share['id']}")


@shares.command("preview")
@click.argument("device")
@click.argument("who")
@click.option("--from", "start", metavar="TIME", help="From when on.  [default: now]")
@click.option("--days", type=click.IntRange(1, 400), default=7, show_default=True)
@json_option
def preview(device: str, who: str, start: str | None, days: int, as_json: bool) -> None:
    """Show when a share is open. Exits with 1 if it never is in that time."""
    login = Login.load()
    share = find_share(login, find_device(login, device), who)
    query = {"days": days, **({"from": start} if start else {})}
    told = login.ask("GET", f"{API}/shares/{share['id']}/preview", params=query)
    if as_json:
        print_json(told)
    elif told["spans"]:
        rows = table("open from", "until")
        for span in told["spans"]:
            rows.add_row(span["start"], span["end"] or "beyond this preview")
        console().print(rows)
    else:
        console().print("Never open in that time.")
    click.get_current_context().exit(0 if told["spans"] else NO)


@click.group(cls=Group)
def invitations() -> None:
    """Shares that wait: for an account, or for their link to be followed."""


@invitations.command("list")
@click.argument("device", required=False)
@json_option
def list_invitations(device: str | None, as_json: bool) -> None:
    """List those of a lock, or those that one was sent."""
    login = Login.load()
    path = f"devices/{find_device(login, device)['id']}/shares" if device else "shares"
    found = everything(login, path)
    _tell([each for each in found if each["status"] == "pending"], as_json)


@invitations.command("resend")
@click.argument("device")
@click.argument("who")
def resend(device: str, who: str) -> None:
    """Mail one again; the link of an earlier mail is void."""
    login = Login.load()
    share = find_share(login, find_device(login, device), who)
    login.ask("POST", f"{API}/shares/{share['id']}/resend")


@invitations.command("accept")
@click.argument("secret")
def accept(secret: str) -> None:
    """Accept one by the link in its mail, or what stands after the # there."""
    body = {"token": secret.rpartition("#")[2]}
    accepted = Login.load().ask("POST", "/account/invitations", json=body)
    click.echo(f"You have a share of {accepted['device']}.")


def _body(options: dict[str, Any], clear: tuple[str, ...]) -> dict[str, Any]:
    """The body of a request: only what was named."""
    terms: dict[str, Any] = {name: None for name in clear if name != "lease"}
    for option, name in _TERMS.items():
        value = options[option]
        if value is not None and value != ():
            terms[name] = list(value) if isinstance(value, tuple) else value
    body: dict[str, Any] = {"terms": terms}
    if options["lease"] is not None or "lease" in clear:
        body["lease"] = options["lease"]
    if options["pass_on"] is not None:
        body["may_pass_on"] = options["pass_on"]
    return body


def _tell(shares: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(shares)
        return
    rows = table("who", "status", "now", "what", "when", "id")
    for each in shares:
        rows.add_row(
            each["email"],
            each["status"],
            "open" if each["active"] else "closed",
            _what(each),
            _when(each["terms"]),
            each["id"],
        )
    console().print(rows)


def _what(share: dict[str, Any]) -> str:
    terms = share["terms"]
    words = [terms["level"]]
    if terms["level"] != "owner" and terms["rights"] != _ALL_RIGHTS[terms["level"]]:
        words.append(f"{', '.join(terms['rights'])} only")
    if len(terms["channels"]) == 1:
        words.append(f"{terms['channels'][0]} only")
    if terms["uses"]:
        words.append(f"{terms['uses']} uses")
    if terms["after_first_use"]:
        words.append(f"{terms['after_first_use']} from the first on")
    if terms["duress"]:
        words.append("duress")
    if share["parent"]:
        words.append("passed on")
    return "; ".join(words)


def _when(terms: dict[str, Any]) -> str:
    words = list(terms["rules"] or [])
    words += [f"{name} {terms[name]}" for name in ("from", "until") if terms[name]]
    return "; ".join(words) or "always"
