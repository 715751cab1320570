"""`lockctl phone`: this computer as a phone, before a simulated lock or a real one."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from firmware.crypto import cose
from firmware.crypto.p256 import InvalidPoint
from firmware.link import credential, requests
from firmware.link.clerk import BOLT_NAMES, DOOR_NAMES
from firmware.store import entry
from firmware.store.export import HEAD_BYTES
from host_sim import words
from host_sim.cloud.keys import PrivateKey
from host_sim.phone import ble
from host_sim.phone.account import Account
from host_sim.phone.link import RadioError
from host_sim.phone.pocket import Pocket, PocketError
from host_sim.phone.session import Failed, Verdict, Visit
from host_sim.phone.visit import ERRAND, STATUS_BYTES, Item, bring, put_away
from host_sim.shims.cryptolib import aes

from . import tokens
from .cli import NO, BadInput, Group, Refused, json_option
from .output import console, print_json, print_members, table

Ask = Callable[[list[Item]], list[Item]]

_ACTIONS = {name: number for number, name in words.ACTION_NAMES.items()}


class PhoneGroup(Group):
    """A group that says in one line what is wrong with the phone, its radio or the lock."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except PocketError as error:
            raise BadInput(str(error)) from None
        except RadioError as error:
            raise NoVisit(str(error)) from None
        except Failed as error:
            raise NoVisit(f"the lock is not the one that this phone knows: {error}") from None


class NoVisit(click.ClickException):
    """The lock could not be asked."""

    exit_code = 3


def _path(value: Path | None) -> Path:
    if value is not None:
        return value
    folder = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(folder) / "sharelock" / "phone.json"


_adapter = click.option("--adapter", metavar="NAME", help="The Bluetooth adapter: hci1.")
_seconds = click.option(
    "--seconds", default=ble.FIND_S, show_default=True, help="For how long to look for the lock."
)
_lock = click.argument("lock", required=False)


@click.group(cls=PhoneGroup)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="SHARELOCK_PHONE",
    show_envvar=True,
    help="The phone: its key, and what it carries.  [default: phone.json in the data folder]",
)
@click.pass_context
def phone(ctx: click.Context, file: Path | None) -> None:
    """Be a phone: hold a key and grants, and go to locks with them over Bluetooth.

    LOCK is a name or an id, and may be left out if there is only one.

    \b
    Exit status:
      0    done, or yes
      1    no: the lock refused
      2    bad usage or input that cannot be read
      3    no Bluetooth, no lock within reach, or not the right one
    """
    ctx.obj = _path(file)


# --- the key, and what it is for ---------------------------------------------------------------


_public = click.option(
    "--public",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the public key into this file, in PEM, for `lockctl grant issue`.",
)


@phone.command()
@_public
@json_option
@click.pass_obj
def new(path: Path, public: Path | None, as_json: bool) -> None:
    """Make the phone's key. It never leaves the file.

    \b
    Example:
      lockctl phone new --public phone.pub.pem
    """
    _describe(Pocket.make(path), public, as_json)


@phone.command()
@_public
@json_option
@click.pass_obj
def show(path: Path, public: Path | None, as_json: bool) -> None:
    """Show the phone's public key: x and y, and the thumbprint by which locks know it."""
    with Pocket(path) as pocket:
        _describe(pocket, public, as_json)


@phone.command()
@click.argument("name")
@click.pass_obj
def register(path: Path, name: str) -> None:
    """Tell the share cloud of the phone's key, under a NAME; it gets grants from then on.

    \b
    Example:
      lockctl cloud login anna@example.org
      lockctl phone register 'My laptop'
    """
    with Pocket(path) as pocket:
        _account().introduce(pocket, name)
        pocket.save()
        click.echo(pocket.phone)


@phone.command()
@json_option
@click.pass_obj
def fetch(path: Path, as_json: bool) -> None:
    """Get all grants and news for locks from the cloud, and hand in the logs of locks."""
    with Pocket(path) as pocket:
        if not pocket.phone:
            raise BadInput("The cloud does not know this phone: lockctl phone register NAME")
        found = [{"lock": lock, "name": name} for lock, name in _account().fetch(pocket)]
        pocket.save()
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(f"{each['name']} ({each['lock']})")


@phone.command()
@click.argument("grant", type=click.File("rb"))
@click.option("--key", required=True, metavar="HEX", help="The lock's key: x and y, 128 digits.")
@click.option("--name", help="What to call the lock; its id, if left out.")
@click.pass_obj
def accept(path: Path, grant: BinaryIO, key: str, name: str | None) -> None:
    """Take a GRANT from a file, for a lock whose key one was told.

    \b
    Example:
      lockctl phone accept anna.grant --key c5ae9c...9c55 --name 'Front door'
    """
    token = tokens.read(grant.read())
    if token.grant is None:
        raise BadInput(f"{grant.name} holds no grant")
    try:
        point = bytes.fromhex(key)
        credential.key_of_point(point)
    except (ValueError, InvalidPoint):
        raise BadInput("--key is no P-256 key in hexadecimal digits") from None
    with Pocket(path) as pocket:
        lock = token.grant.lock.decode()
        known = pocket.wallet.know(lock, point)
        known.statements.append(token.octets)
        if name is not None:
            pocket.place(lock).name = name
        pocket.save()
        click.echo(f"{pocket.place(lock).name} ({lock})")


@phone.command("list")
@json_option
@click.pass_obj
def list_locks(path: Path, as_json: bool) -> None:
    """List the locks that the phone knows."""
    with Pocket(path) as pocket:
        found = [
            {
                "lock": lock,
                "name": pocket.place(lock).name,
                "was_there": known.ratchet is not None,
                "statements": len(known.statements) + len(pocket.place(lock).news),
                "log": len(known.carried),
            }
            for lock, known in pocket.wallet.locks.items()
        ]
    if as_json:
        print_json(found)
        return
    rows = table("name", "was there", "carries", "id")
    for each in found:
        carries = f"{each['statements']} statements, {each['log']} pieces of its log"
        was_there = "yes" if each["was_there"] else "no"
        rows.add_row(str(each["name"]), was_there, carries, str(each["lock"]))
    console().print(rows)


# --- at the door -------------------------------------------------------------------------------


def _action(name: str, text: str) -> click.Command:
    """A command that has a lock do something."""

    @phone.command(name, help=f"{text}\n\n\b\nExample:\n  lockctl phone {name} 'Front door'")
    @_lock
    @_adapter
    @_seconds
    @json_option
    @click.pass_obj
    def act(
        path: Path, lock: str | None, adapter: str | None, seconds: float, as_json: bool
    ) -> None:
        asked = (requests.ACT, bytes([_ACTIONS[name]]))
        _ask_and_tell(path, lock, adapter, seconds, as_json, asked)

    return act


_action("unlock", "Unlock, with the grant if the lock does not have it yet.")
_action("lock", "Lock.")
_action("pull", "Pull the latch.")


@phone.command()
@_lock
@click.option("--action", type=click.Choice(["unlock", "lock", "pull"]), default="unlock")
@_adapter
@_seconds
@json_option
@click.pass_obj
def explain(
    path: Path,
    lock: str | None,
    action: str,
    adapter: str | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Ask what the lock would say, without anything happening."""
    asked = (requests.EXPLAIN, bytes([_ACTIONS[action]]))
    _ask_and_tell(path, lock, adapter, seconds, as_json, asked)


@phone.command()
@_lock
@_adapter
@_seconds
@json_option
@click.pass_obj
def status(
    path: Path, lock: str | None, adapter: str | None, seconds: float, as_json: bool
) -> None:
    """Show how the lock is: bolt, door, clock, how far its changes and its log are."""
    with Pocket(path) as pocket:
        with _at(pocket, lock, adapter, seconds) as ask:
            answer = ask([(requests.STATUS, b"")])[0][1]
    if len(answer) != STATUS_BYTES:
        raise Unknown
    numbers = [int.from_bytes(answer[at : at + 4], "big") for at in (3, 7, 11)]
    told = {
        "bolt": BOLT_NAMES[answer[0]].lower(),
        "door": DOOR_NAMES[answer[1]],
        "clock": words.TRUST_NAMES.get(answer[2], "unknown"),
    }
    print_members({**told, **dict(zip(("applied", "log", "kept"), numbers, strict=True))}, as_json)


@phone.command()
@_lock
@click.option("--out", type=click.File("wb"), required=True, help="Where to write it.")
@_adapter
@_seconds
@click.pass_obj
def log(path: Path, lock: str | None, out: BinaryIO, adapter: str | None, seconds: float) -> None:
    """Read the lock's log, for who has the right to; `lockctl log verify` shows it.

    \b
    Example:
      lockctl phone log 'Front door' --out front-door.slog
      lockctl log verify front-door.slog --entries
    """
    with Pocket(path) as pocket, _at(pocket, lock, adapter, seconds) as ask:
        after = 0
        while True:
            ((_, piece),) = ask([(requests.LOG, after.to_bytes(4, "big"))])
            if len(piece) < HEAD_BYTES:
                _refuse(Verdict(piece))
            records = piece[HEAD_BYTES:]
            out.write(records if after else piece)
            if not records:
                return
            after = entry.sequence(records[-entry.BYTES :])


@phone.command()
@_lock
@_adapter
@_seconds
@json_option
@click.pass_obj
def courier(
    path: Path, lock: str | None, adapter: str | None, seconds: float, as_json: bool
) -> None:
    """Bring a lock all that the phone carries for it, and take its log along, sealed.

    Needs no right. Logged in at the cloud, the phone fetches the time for a lock that does not
    know it, and hands in the log at once; else at the next `fetch`.

    \b
    Example:
      lockctl phone courier 'Front door'
    """
    with Pocket(path) as pocket:
        name, known = pocket.lock(lock)
        place = pocket.place(name)
        news = [bytes.fromhex(each) for each in place.news]
        account = _account() if place.device else None
        with _at(pocket, name, adapter, seconds) as ask:
            answers = ask([*((requests.PUT, token) for token in news), *ERRAND])
            brought = answers[: len(news)]
            nonce = put_away(pocket, name, answers[len(news) :])
            if account is not None:
                try:
                    more = account.time(place.device, nonce) if nonce else []
                    more += account.hand_in(pocket, name)
                except BadInput as error:  # not reachable from here; it can wait
                    click.echo(error.message, err=True)
                    more = []
                brought += ask([(requests.PUT, token) for token in more])
            pocket.save()
    told = [{"reason": answer[0], "name": words.name(answer[0])} for _, answer in brought]
    if as_json:
        print_json({"brought": told, "carries": len(known.carried)})
        return
    for each in told:
        click.echo(f"brought: {each['name']}")
    click.echo(f"carries {len(known.carried)} pieces of its log")


# --- small things -----------------------------------------------------------------------------


class Unknown(click.ClickException):
    """The lock has no grant for this phone; that is all it says."""

    exit_code = NO

    def __init__(self) -> None:
        super().__init__("The lock does not know this phone.")


@contextmanager
def _at(pocket: Pocket, lock: str | None, adapter: str | None, seconds: float) -> Iterator[Ask]:
    """A visit at a lock, to ask it things; first it gets the statements that it lacks."""
    name, known = pocket.lock(lock)
    visit = Visit(pocket.wallet, known, aes, os.urandom)

    async def come() -> ble.Door:
        device = await ble.find(name.encode(), seconds, adapter)
        return await ble.Door(device, adapter).__aenter__()

    def ask(items: list[Item]) -> list[Item]:
        answers, refused = runner.run(bring(door, visit, pocket, name, items))
        for reason in refused:
            click.echo(f"The lock refused a statement: {words.text(reason)}", err=True)
        return answers

    with asyncio.Runner() as runner:
        door = runner.run(come())
        try:
            yield ask
        finally:
            pocket.save()
            runner.run(door.__aexit__(None, None, None))


def _account() -> Account:
    """For whoever is logged in; only here the web client is loaded, which takes a second."""
    from .cloud import CloudRefused, Login

    login = Login.load()

    def ask(method: str, path: str, **options: Any) -> Any:
        try:
            return login.ask(method, path, **options)
        except CloudRefused as refused:
            if refused.status not in (403, 404):
                raise
            return None

    return Account(ask)


def _ask_and_tell(
    path: Path,
    lock: str | None,
    adapter: str | None,
    seconds: float,
    as_json: bool,
    asked: Item,
) -> None:
    """Ask for a decision, and end with its exit status."""
    with Pocket(path) as pocket, _at(pocket, lock, adapter, seconds) as ask:
        ((_, answer),) = ask([asked])
    verdict = Verdict(answer)
    if verdict.reason is None:
        raise Unknown
    if as_json:
        name = words.name(verdict.reason)
        print_json({"reason": verdict.reason, "name": name, "next": _next(verdict)})
        click.get_current_context().exit(NO if verdict.reason else 0)
    if verdict.reason:
        _refuse(verdict)
    click.echo(words.name(verdict.reason))


def _refuse(verdict: Verdict) -> NoReturn:
    """Say why not, and when it would be a yes."""
    if verdict.reason is None:
        raise Unknown
    later = _next(verdict)
    raise Refused(f"denied, next {later}" if later else "denied", verdict.reason)


def _next(verdict: Verdict) -> str | None:
    if verdict.next_s is None:
        return None
    return datetime.fromtimestamp(verdict.next_s, UTC).isoformat().replace("+00:00", "Z")


def _describe(pocket: Pocket, public: Path | None, as_json: bool) -> None:
    if public is not None:
        public.write_bytes(PrivateKey.from_scalar(pocket.wallet.scalar).public_pem())
    key = credential.key_of_point(pocket.wallet.point)
    described = {
        "key": pocket.wallet.point.hex(),
        "thumbprint": cose.thumbprint(key).hex(),
        "cloud": pocket.phone or None,
    }
    print_members(described, as_json)
