"""`lockctl grant explain`: would it open, and why not?"""

from typing import Any, BinaryIO

import click
from rich.text import Text

from firmware.policy.decision import (
    HOLDOVER,
    LONGEST_ERROR_S,
    UNKNOWN,
    Decision,
    Now,
    Request,
    State,
)
from firmware.policy.forecast import next_allowed
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.policy.zone import Zone
from host_sim import words
from host_sim.cloud.preview import moment, shown
from host_sim.explain import Step
from host_sim.explain import explain as explain_steps
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, MODE_NAMES

from .cli import NO, SECONDS, TIME, conflict, json_option, time_option, zone_option
from .output import console, print_json, table
from .tokens import read_grant

_ACTIONS = {name: bit for bit, name in ACTION_NAMES.items()}
_CHANNELS = {name: bit for bit, name in CHANNEL_NAMES.items()}


@click.command()
@click.argument("file", type=click.File("rb"))
@time_option("--at", "at", "When: an instant, or what the lock's wall clock shows.")
@zone_option
@click.option(
    "--action",
    type=click.Choice(list(_ACTIONS)),
    default="unlock",
    show_default=True,
    help="What is asked.",
)
@click.option(
    "--channel",
    type=click.Choice(list(_CHANNELS)),
    default="local",
    show_default=True,
    help="At the door, or remotely.",
)
@click.option(
    "--mode",
    type=click.Choice(MODE_NAMES),
    default="normal",
    show_default=True,
    help="The lock's mode.",
)
@click.option("--lock", help="The id of the lock; by default the one the grant is for.")
@click.option(
    "--uses", type=click.IntRange(0), default=0, show_default=True, help="How often it has opened."
)
@click.option("--first-use", type=TIME, help="When it first opened.")
@click.option("--since-use", type=SECONDS, help="How long ago it last opened.")
@click.option(
    "--clock-error",
    type=SECONDS,
    default=0,
    show_default=True,
    help="How far the clock may be off.",
)
@click.option("--clock-unknown", is_flag=True, help="The lock does not know the time.")
@click.option("--revoked", is_flag=True, help="The share was revoked.")
@click.option(
    "--floor",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The lowest version still accepted.",
)
@click.option(
    "--lockout",
    type=SECONDS,
    default=0,
    show_default=True,
    help="How long the key is still locked out.",
)
@click.option(
    "--parent", type=click.File("rb"), help="The grant of the share it was passed on from."
)
@click.option("--unproven", is_flag=True, help="The key was not proven.")
@json_option
def explain(file: BinaryIO, as_json: bool, zone: Zone, **options: Any) -> None:
    """Ask the lock's own checks about a grant, one by one. The signature is not checked.

    FILE is a token: raw, in hexadecimal or in base64url. Exits with 0 if it would be allowed, with
    1 if not.

    \b
    Example:
      lockctl grant explain anna.cwt --at 2026-07-03T21:30 --zone Europe/Warsaw
    """
    if options["clock_unknown"] and options["clock_error"]:
        conflict("--clock-unknown", "--clock-error")
    if options["clock_error"] > LONGEST_ERROR_S:
        raise click.BadParameter(
            f"is at most {LONGEST_ERROR_S} s; beyond it the clock is unknown",
            param_hint="--clock-error",
        )
    grant = read_grant(file)
    request = Request(
        grant.key,
        _ACTIONS[options["action"]],
        _CHANNELS[options["channel"]],
        not options["unproven"],
    )
    now = Now(options["at"], options["clock_error"])
    if options["clock_unknown"]:
        now.trust = UNKNOWN
    elif options["clock_error"]:
        now.trust = HOLDOVER
    question = (grant, request, now, zone, _state(grant, options))
    decision = Decision()
    steps = explain_steps(*question, decision)
    later = next_allowed(*question, Decision())
    if as_json:
        _tell_json(decision, steps, later, zone)
    else:
        _tell(decision, steps, later, zone)
    click.get_current_context().exit(0 if decision.allowed else NO)


def _state(grant: Grant, options: dict[str, Any]) -> State:
    state = State(options["lock"].encode() if options["lock"] else grant.lock)
    state.mode = MODE_NAMES.index(options["mode"])
    state.revoked = options["revoked"]
    state.floor = options["floor"]
    state.lockout_s = options["lockout"]
    state.uses = options["uses"]
    state.since_use_s = options["since_use"]
    state.first_use = options["first_use"]
    if options["parent"]:
        state.parent = read_grant(options["parent"])
        state.parent_state = State(state.lock)
    return state


def _tell_json(decision: Decision, steps: list[Step], later: Instant | None, zone: Zone) -> None:
    told = [
        {
            "check": s.name,
            "reason": None if s.reason is None else words.name(s.reason),
            "seen": s.seen,
        }
        for s in steps
    ]
    print_json(
        {
            "allowed": decision.allowed,
            "reason": words.name(decision.reason),
            "number": decision.reason,
            "next": later and shown(later, zone).isoformat(),
            "counts": decision.counts,
            "starts": decision.starts,
            "duress": decision.duress,
            "checks": told,
        }
    )


def _tell(decision: Decision, steps: list[Step], later: Instant | None, zone: Zone) -> None:
    out = console()
    rows = table("check", "seen", "answer")
    for step in steps:
        rows.add_row(step.name, step.seen, _answer(step.reason))
    out.print(rows)
    out.print()
    number = decision.reason
    verdict = ("ALLOWED", "bold green") if decision.allowed else ("DENIED", "bold red")
    why = f"  {words.text(number)} ({words.name(number)}, {number})"
    out.print(Text.assemble(verdict, why), soft_wrap=True)
    for note in _notes(decision):
        out.print(note, soft_wrap=True)
    if not decision.allowed:
        when = moment(later, zone) if later else "never by waiting alone, within 400 days"
        out.print(f"Next allowed: {when}", soft_wrap=True)


def _answer(reason: int | None) -> Text:
    if reason is None:
        return Text("not reached", "dim")
    return Text(words.name(reason), "red") if reason else Text("ok", "green")


def _notes(decision: Decision) -> list[str]:
    notes = []
    if decision.counts:
        notes.append("It counts as a use.")
    if decision.starts:
        notes.append("The time after the first use begins.")
    if decision.duress:
        notes.append("It raises the silent alarm.")
    return notes
