"""`gsp peers`: how other Parties' nodes do, as the own node has seen them at work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.identity import PartyId
from node.cli.exit_codes import ExitCode
from node.cli.options import PartyParameter, desk_options
from node.cli.output import Document, rfc3339, show
from node.cli.peer_words import peer_lines, peers_table, worst
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.why_words import problem_words
from node.use_cases.weather import delay_ms
from node.use_cases.why_values import PeerView


@click.command
@click.argument("party", metavar="[PARTY]", type=PartyParameter(), required=False)
@desk_options
@pass_surroundings
def peers(surroundings: Surroundings, *, party: PartyId | None, profile_folder: Path | None, as_json: bool) -> int:
    """Show how the nodes of other Parties do: when they were reached and heard, delay, clock, certificate, version, what waits.

    With a Party, show it alone, with what waits for it. Nobody is called for this: it is what the node saw at work.
    """
    return asyncio.run(_peers(party, surroundings, profile_folder, as_json=as_json))


async def _peers(party: PartyId | None, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool) -> int:
    async with session(surroundings, profile_folder) as officer:
        views = await officer.desk.peers(party)
        now = officer.clock.now()
    lines = peers_table(views, now=now) if party is None else [line for view in views for line in peer_lines(view, now=now)]
    show({"peers": [peer_document(view) for view in views]}, lines, as_json=as_json)
    return ExitCode.FINE


def peer_document(view: PeerView) -> Document:
    """One Party's node for programs. What is not known is null."""
    seen = view.seen
    return {
        "party": view.party,
        "party_name": view.name,
        "node": view.node,
        "endpoint": view.endpoint,
        "status": view.status,
        "weather": view.weather,
        "words": worst(view),
        "reached": _time(seen.reached),
        "heard": _time(seen.heard),
        "failures": seen.failures,
        "failing_since": _time(seen.failing_since),
        "problem": seen.problem or None,
        "delay_ms": delay_ms(seen),
        "clock_offset_ms": seen.offset_ms,
        "clock_told": _time(seen.offset_at),
        "certificate_ends": _time(seen.certificate_ends),
        "certificate_seen": _time(seen.certificate_seen),
        "version": seen.version or None,
        "waiting": view.waiting,
        "waiting_since": _time(view.waiting_since),
        "rows": [
            {
                "id": row.message_id.hex(),
                "kind": row.kind,
                "attempts": row.attempts,
                "next_attempt": rfc3339(row.next_attempt),
                "problem": row.problem or None,
                "problem_words": problem_words(row.problem) if row.problem else None,
            }
            for row in view.rows
        ],
    }


def _time(seconds: int) -> str | None:
    return rfc3339(seconds) if seconds else None
