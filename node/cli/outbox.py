"""`gsp outbox`: what waits for whom, what another Party's node refused for good, and what becomes of that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from federation.delivery.outbox import Outgoing
from federation.identity import MessageId
from node.cli.exit_codes import ExitCode
from node.cli.options import QueryId, desk_options
from node.cli.outbox_export import export
from node.cli.output import clock, columns, rfc3339, show
from node.cli.session import Surroundings, pass_surroundings, session
from node.rpc.outbox import OutboxClient
from node.use_cases.held import OutboxView, Queue


@click.group
def outbox() -> None:
    """Look at what waits for other Parties; send what they refused once more, give it up, or write what waits into a file."""


@outbox.command("list")
@desk_options
@pass_surroundings
def list_waiting(surroundings: Surroundings, *, profile_folder: Path | None, as_json: bool) -> int:
    """Show what waits for whom, what was refused for good and why, what this node failed over, and numbers that were left out."""
    view = asyncio.run(_view(surroundings, profile_folder))
    show(_document(view), _lines(view), as_json=as_json)
    return ExitCode.WARNING if view.held or view.poisons else ExitCode.FINE


async def _view(surroundings: Surroundings, profile_folder: Path | None) -> OutboxView:
    async with session(surroundings, profile_folder) as officer:
        return await OutboxClient(officer.desk).view()


@outbox.command
@click.argument("message", metavar="ID", type=QueryId())
@desk_options
@pass_surroundings
def retry(surroundings: Surroundings, *, message: MessageId, profile_folder: Path | None, as_json: bool) -> int:
    """Send a message that was refused once more: its reason is mended."""
    outgoing = asyncio.run(_act(surroundings, profile_folder, message, again=True))
    show({"message": held_document(outgoing)}, [f"Sent      {message.hex()} to {outgoing.peer} once more"], as_json=as_json)
    return ExitCode.FINE


@outbox.command
@click.argument("message", metavar="ID", type=QueryId())
@desk_options
@pass_surroundings
def drop(surroundings: Surroundings, *, message: MessageId, profile_folder: Path | None, as_json: bool) -> int:
    """Give a message up that was refused: it is never sent, and a query ends with it."""
    outgoing = asyncio.run(_act(surroundings, profile_folder, message, again=False))
    show({"message": held_document(outgoing)}, [f"Given up  {message.hex()} to {outgoing.peer}"], as_json=as_json)
    return ExitCode.FINE


async def _act(surroundings: Surroundings, profile_folder: Path | None, message: MessageId, *, again: bool) -> Outgoing:
    async with session(surroundings, profile_folder) as officer:
        client = OutboxClient(officer.desk)
        return await (client.retry(message) if again else client.drop(message))


def held_document(outgoing: Outgoing) -> dict[str, Any]:
    """A message in the outbox, for programs."""
    return {
        "id": outgoing.message_id.hex(),
        "party": outgoing.peer,
        "kind": outgoing.kind,
        "lane": outgoing.lane,
        "attempts": outgoing.attempts,
        "problem": outgoing.problem or None,
        "reason": outgoing.reason or None,
        "held_since": rfc3339(outgoing.held_since) if outgoing.held_since else None,
    }


def _document(view: OutboxView) -> dict[str, Any]:
    return {
        "waiting": [
            {
                "party": queue.peer,
                "lanes": {str(lane): messages for lane, messages in queue.lanes},
                "since": rfc3339(queue.since),
                "away": queue.away,
                "next_try_s": queue.next_try_s if queue.away else None,
                "problem": queue.problem or None,
            }
            for queue in view.queues
        ],
        "held": [held_document(outgoing) for outgoing in view.held],
        "not_taken": [
            {
                "id": poison.message_id.hex(),
                "party": poison.peer,
                "reason": poison.reason,
                "version": poison.version,
                "since": rfc3339(poison.since),
                "times": poison.times,
            }
            for poison in view.poisons
        ],
        "numbers": list(view.numbers),
    }


def _lines(view: OutboxView) -> Iterator[str]:
    if not view.queues:
        yield "Nothing waits for another Party."
    else:
        yield from columns([("party", "messages", "since", "state"), *(_row(queue) for queue in view.queues)])
    for outgoing in view.held:
        yield ""
        yield f"Refused   {outgoing.message_id.hex()}, {outgoing.kind} to {outgoing.peer}, on {clock(outgoing.held_since)}"
        yield f"          {outgoing.problem}: {outgoing.reason}"
        yield "          `gsp outbox retry` sends it once more, `gsp outbox drop` gives it up"
    for poison in view.poisons:
        yield ""
        yield f"Not taken {poison.message_id.hex()} from {poison.peer}, {poison.times} times since {clock(poison.since)}"
        yield f"          this node (version {poison.version}) failed over it: {poison.reason}. Report it with these words"
    if view.numbers:
        yield ""
        yield "Numbers   left out or odd; no accusation, for a message that is sealed anew or never sent uses one up"
        yield from (f"          {words}" for words in view.numbers)


def _row(queue: Queue) -> tuple[str, ...]:
    messages = ", ".join(f"{count} {lane}" for lane, count in queue.lanes)
    if queue.away:
        return (queue.peer, messages, clock(queue.since), f"does not answer; tried again in {queue.next_try_s} s")
    return (queue.peer, messages, clock(queue.since), f"not yet: {queue.problem}" if queue.problem else "on its way")


outbox.add_command(export)
